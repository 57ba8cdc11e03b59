// Cache nodes that die, come back with their data or without, and recoveries that are cut off after each step
// (R32).

import { afterAll, describe, expect, it } from 'vitest';
import { startCrowd } from '../harness/crowd.ts';
import { dies, diesAt } from '../harness/deaths.ts';
import { rounds, runSale } from '../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../harness/sale.ts';
import { expectVerdict } from '../harness/verdict.ts';

const sales = rounds({ cache: { nodes: 2 } });

afterAll(async () => {
  await sales.stop();
  await stopSharedKafka();
});

const epochOf = async (sale: TestSale) => (await sale.registry()).nodes[0]?.epoch ?? 0;

const losesItsData = async (sale: TestSale) => {
  await sale.processes.stop('redis-c0', { hard: true });
  sale.processes.wipe('redis-c0');
  await sale.processes.start('redis-c0');
};

describe('R32: a cache node killed while it sells', () => {
  it('that fsyncs every write goes on with what it has', () =>
    sales.round(200, async (sale, crowd) => {
      const epoch = await epochOf(sale);
      await crowd.bought(20);
      await dies(sale, 'redis-c0');
      await sale.processes.ready('cache-agent-c0');
      expect(await epochOf(sale)).toBe(epoch);
    }));

  it('that lost its data is rebuilt from the shards', () =>
    sales.round(200, async (sale, crowd) => {
      const epoch = await epochOf(sale);
      await crowd.bought(20);
      await losesItsData(sale);
      await crowd.done;
      expect(await epochOf(sale)).toBeGreaterThan(epoch);
    }));

  it('that fsyncs once a second is rebuilt, whatever it says it has', () =>
    runSale({ stock: 200, cache: { nodes: 2, durability: 'EverySecond' } }, async (sale) => {
      const epoch = await epochOf(sale);
      const crowd = startCrowd(sale, { buyers: 400 });
      await crowd.bought(20);
      await dies(sale, 'redis-c0');
      const tally = await crowd.done;
      expect(await epochOf(sale)).toBeGreaterThan(epoch);
      await expectVerdict(sale, tally, { sold: 200 });
    }));

  it.each([1, 2, 3, 4, 5] as const)('is rebuilt though its agent dies after step %i of that', (step) =>
    sales.round(150, async (sale, crowd) => {
      const epoch = await epochOf(sale);
      await crowd.bought(20);
      await Promise.all([diesAt(sale, 'cache-agent', 'c0', `recovery-${step}`), losesItsData(sale)]);
      await crowd.done;
      expect(await epochOf(sale)).toBeGreaterThanOrEqual(epoch + 2);
    }),
  );
});
