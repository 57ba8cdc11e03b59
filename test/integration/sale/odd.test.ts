// The same verdict for sales that are odd in one way or another: very small, uneven, one-sided, or with buyers who all
// do the same.

import { afterAll, describe, expect, it } from 'vitest';
import type { Units } from '../../../dataplane/protocol/units.ts';
import { crowd, namesAt } from '../../harness/crowd.ts';
import { runSale } from '../../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { until } from '../../harness/until.ts';
import { expectVerdict } from '../../harness/verdict.ts';

afterAll(stopSharedKafka);

const grantedOf = async (sale: TestSale): Promise<Units[]> =>
  (await sale.registry()).nodes.map(({ granted }) => granted);

/** As the shards themselves have reported it, largest first. */
const availableOf = async (sale: TestSale): Promise<Units[]> => {
  const { status } = await sale.report();
  const shards = (status.shards ?? []).filter(({ id }) => id !== 'pool');
  return shards.map(({ available = 0 }) => available).sort((a, b) => b - a);
};

describe('an odd sale', { timeout: 180_000 }, () => {
  it('R30: of one unit sells it, to one of those who came, even when most let their token lapse', () =>
    runSale({ stock: 1, token: { ttl: '5s' } }, async (sale) => {
      const tally = await crowd(sale, { buyers: 40, abandon: 0.6, within: 3000 });
      await expectVerdict(sale, tally, { sold: 1 });
      expect(tally.tokens).toBeGreaterThan(0);
    }));

  it('R1, R20: of 9,973 units is split evenly over 7 nodes and 5 shards, remainders one by one, and sells out', () =>
    runSale(
      {
        stock: 9973,
        cache: { nodes: 7 },
        shards: { count: 5 },
        storefront: { replicas: 2 },
        balancer: { rule: 'Average' },
      },
      async (sale) => {
        expect(await grantedOf(sale)).toEqual([1425, 1425, 1425, 1425, 1425, 1424, 1424]);
        await until('an even deal', async () => (await availableOf(sale)).join() === '1995,1995,1995,1994,1994');
        const tally = await crowd(sale, { buyers: 11_500, within: 12_000 });
        await expectVerdict(sale, tally, { sold: 9973 });
      },
    ));

  it('R29: of fewer units than shards and nodes sells each of them', () =>
    runSale({ stock: 3, cache: { nodes: 4 }, shards: { count: 5 } }, async (sale) => {
      expect(await grantedOf(sale)).toEqual([1, 1, 1, 0]);
      const tally = await crowd(sale, { buyers: 60, within: 2000 });
      await expectVerdict(sale, tally, { sold: 3 });
    }));

  it('R29, R30: with up to 4 units an order leaves nothing behind that somebody wanted', () =>
    runSale({ stock: 701, shards: { count: 3 }, qualification: { perBuyer: 4, maxQuantity: 4 } }, async (sale) => {
      const many = await crowd(sale, { buyers: 500, maxQuantity: 4, prefix: 'many-' });
      // Who wants more than is left is refused; whoever takes one at a time gets the rest.
      const one = await crowd(sale, { buyers: 20, prefix: 'one-', seed: 2, within: 1000 });
      await expectVerdict(sale, [many, one], { sold: 701 });
    }));

  it('R30: with one cache node sells out', () =>
    runSale({ stock: 300, cache: { nodes: 1 } }, async (sale) => {
      await expectVerdict(sale, await crowd(sale, { buyers: 600 }), { sold: 300 });
    }));

  it('R29: whose buyers all have one home node sells what the other nodes were given, too', () =>
    runSale({ stock: 300, cache: { nodes: 3 } }, async (sale) => {
      const tally = await crowd(sale, { buyers: 500, named: namesAt('c1', 3, 'neighbour-') });
      await expectVerdict(sale, tally, { sold: 300 });
      const nodes = (await sale.registry()).nodes.map(({ granted, revoked }) => granted - revoked);
      expect(nodes).toEqual([0, 300, 0]);
    }));

  it('R30: with fewer buyers than units, none of whom leaves, sells to each and keeps the rest for sale', () =>
    runSale({ stock: 400, storefront: { replicas: 2 } }, async (sale) => {
      const tally = await crowd(sale, { buyers: 250, abandon: 0, duplicates: 0.3 });
      await expectVerdict(sale, tally, { sold: 250 });
      expect(tally.duplicates).toBeGreaterThan(0);
    }));

  it('R28, R30: whose buyers all let their token lapse once and come back sells out', () =>
    runSale({ stock: 200, token: { ttl: '5s' } }, async (sale) => {
      const tally = await crowd(sale, { buyers: 300, abandon: 1, comeBack: true });
      const report = await expectVerdict(sale, tally, { sold: 200 });
      expect(tally.abandoned).toBeGreaterThanOrEqual(200);
      expect(report.returned).toBeGreaterThanOrEqual(200);
    }));
});
