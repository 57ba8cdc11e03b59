// A whole sale around a piece of a test: started before, stopped after, and its logs kept when the test failed.

import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Units } from '../../dataplane/protocol/units.ts';
import type { Tally } from '../../operator/load/tally.ts';
import { type Crowd, type CrowdOptions, startCrowd } from './crowd.ts';
import { type SaleOptions, type SpecPatch, startSale, type TestSale } from './sale.ts';
import { expectVerdict } from './verdict.ts';

export async function runSale(
  spec: SpecPatch,
  work: (sale: TestSale) => Promise<void>,
  options: SaleOptions = { kafka: 'shared' },
): Promise<void> {
  const sale = await startSale(spec, options);
  try {
    await withLogs(sale, () => work(sale));
  } finally {
    await sale.stop();
  }
}

/** A failure says where the logs of the sale's processes are. */
async function withLogs(sale: TestSale, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const kept = mkdtempSync(join(tmpdir(), 'flashsale-failed-'));
    cpSync(join(sale.folder, 'logs'), kept, { recursive: true });
    if (error instanceof Error) error.message += `\n(the logs of this sale are kept in ${kept})`;
    throw error;
  }
}

/** `restock`: adds to the stock while it sells. */
type Work = (sale: TestSale, crowd: Crowd, restock: (units: Units) => Promise<void>) => Promise<void>;

export interface Rounds {
  /**
   * Restocks the sale, sends a crowd of twice as many, lets `work` happen meanwhile, and expects the verdict: all of
   * it sold. A round that fails ends the sale, and the next one has a new one.
   */
  round(units: Units, work: Work, options?: CrowdOptions): Promise<void>;
  stop(): Promise<void>;
}

/** One sale for several tests, as starting one takes longer than selling it. */
export function rounds(spec: SpecPatch, options: SaleOptions = { kafka: 'shared' }): Rounds {
  let running: { sale: TestSale; stock: Units; tallies: Tally[] } | undefined;

  const stop = async () => {
    const ending = running;
    running = undefined;
    await ending?.sale.stop();
  };

  return {
    async round(units, work, crowd = {}) {
      const first = running === undefined;
      running ??= { sale: await startSale({ ...spec, stock: units }, options), stock: units, tallies: [] };
      const now = running;
      const { sale, tallies } = now;
      const restock = async (more: Units) => {
        now.stock += more;
        await sale.apply({ stock: now.stock });
      };
      try {
        await withLogs(sale, async () => {
          if (!first) await restock(units);
          const prefix = `round-${tallies.length}-`;
          const coming = startCrowd(sale, {
            ...{ buyers: 2 * units, lapsing: units, prefix, seed: tallies.length + 1 },
            ...crowd,
          });
          const done = coming.done.then((tally) => tallies.push(tally));
          await work(sale, coming, restock);
          await done;
          await expectVerdict(sale, tallies, { sold: now.stock });
        });
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}
