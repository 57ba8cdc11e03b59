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

export interface SharedSale {
  /**
   * `sold` is what the tests before have sold; nothing else is supplied then, unless the one before left something.
   * `work` answers how many units it sold. When it fails the sale ends, and the next test has a new one.
   */
  use(work: (sale: TestSale, sold: Units) => Promise<Units>): Promise<void>;
  stop(): Promise<void>;
}

/** One sale for several tests in a row, as starting one takes longer than most of them. It begins with no stock. */
export function sharedSale(spec: SpecPatch, options: SaleOptions = { kafka: 'shared' }): SharedSale {
  let running: { sale: TestSale; sold: Units } | undefined;
  const stop = async () => {
    const ending = running;
    running = undefined;
    await ending?.sale.stop();
  };
  return {
    async use(work) {
      running ??= { sale: await startSale({ ...spec, stock: 0 }, options), sold: 0 };
      const now = running;
      try {
        await withLogs(now.sale, async () => {
          now.sold += await work(now.sale, now.sold);
        });
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}

/** `restock`: adds to the stock while it sells. */
type Work = (sale: TestSale, crowd: Crowd, restock: (units: Units) => Promise<void>) => Promise<Tally> | Promise<void>;

interface RoundOptions extends CrowdOptions {
  /** What nobody of the crowd wants; only of the last round. Default: nothing. */
  left?: Units;
}

export interface Rounds {
  /**
   * Restocks the sale, sends a crowd of twice as many, lets `work` happen meanwhile, and expects the verdict: all of
   * it sold. `work` may send another crowd and answer with its tally. A round that fails ends the sale, and the next
   * one has a new one.
   */
  round(units: Units, work: Work, options?: RoundOptions): Promise<void>;
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
    async round(units, work, { left = 0, ...crowd } = {}) {
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
          const more = await work(sale, coming, restock);
          await done;
          if (more) tallies.push(more);
          await expectVerdict(sale, tallies, { sold: now.stock - left });
        });
      } catch (error) {
        await stop();
        throw error;
      }
    },
    stop,
  };
}
