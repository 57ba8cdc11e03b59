// A sale's own life: applied twice, ended and started again, and beside another one.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { crowd } from '../../harness/crowd.ts';
import { runSale, sharedSale } from '../../harness/run-sale.ts';
import { startSale, stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { expectVerdict } from '../../harness/verdict.ts';

const sales = sharedSale({});

afterAll(async () => {
  await sales.stop();
  await stopSharedKafka();
});

const pids = (sale: TestSale) => Object.fromEntries(sale.processes.list().map(({ name, pid }) => [name, pid]));

describe('a sale', { timeout: 180_000 }, () => {
  it('is not touched by being applied again as it is', () =>
    sales.use(async (sale) => {
      await sale.apply({ stock: 200 });
      const first = await crowd(sale, { buyers: 80, abandon: 0, within: 1500 });
      const before = { pids: pids(sale), generation: sale.config.generation };
      await sale.apply({});
      expect({ pids: pids(sale), generation: sale.config.generation }).toEqual(before);
      const second = await crowd(sale, { buyers: 300, prefix: 'second-' });
      await expectVerdict(sale, [first, second], { sold: 200 });
      return 200;
    }));

  it('goes on where it was after it was ended and started again', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'flashsale-kept-'));
    try {
      const before = await startSale({ stock: 200 }, { dir, kafka: 'shared' });
      const first = await crowd(before, { buyers: 90, abandon: 0, within: 1500 }).finally(() => before.stop());
      await runSale(
        { stock: 200 },
        async (sale) => {
          // Who bought before has bought, and the rest is still there.
          const same = await crowd(sale, { buyers: 90, within: 1500 });
          expect(same.errors).toEqual(new Map([['purchase: limit-reached', 90]]));
          const second = await crowd(sale, { buyers: 300, prefix: 'second-' });
          await expectVerdict(sale, [first, second], { sold: 200 });
        },
        { dir, kafka: 'shared' },
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('does not mind another one beside it, on the same Kafka', () =>
    sales.use(async (one, sold) => {
      await one.apply({ stock: sold + 150 });
      await runSale({ stock: 90, shards: { count: 1 } }, async (other) => {
        const [ones, others] = await Promise.all([
          crowd(one, { buyers: 300, prefix: 'one-' }),
          crowd(other, { buyers: 200, seed: 2 }),
        ]);
        await expectVerdict(one, ones, { sold: sold + 150, byHand: sold });
        await expectVerdict(other, others, { sold: 90 });
      });
      return 150;
    }));
});
