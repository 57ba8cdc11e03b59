// The same verdict for sales that are odd in one way or another: very small, uneven, one-sided, or with buyers who all
// do the same. One sale for all of them but the first, because starting one takes longer than selling it.

import { afterAll, describe, expect, it } from 'vitest';
import type { Units } from '../../../dataplane/protocol/units.ts';
import { crowd, namesAt } from '../../harness/crowd.ts';
import { rounds, runSale } from '../../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { until } from '../../harness/until.ts';
import { expectVerdict } from '../../harness/verdict.ts';

const sales = rounds({
  cache: { nodes: 3 },
  shards: { count: 4 },
  storefront: { replicas: 2 },
  qualification: { perBuyer: 4, maxQuantity: 4, reservations: { maxLapsed: 1000 } },
  token: { ttl: '5s' },
});

afterAll(async () => {
  await sales.stop();
  await stopSharedKafka();
});

const grantedOf = async (sale: TestSale): Promise<Units[]> =>
  (await sale.registry()).nodes.map(({ granted }) => granted);

/** Units that each node was given and has not given back: once all is sold, what its buyers have bought. */
const keptBy = async (sale: TestSale): Promise<Units[]> =>
  (await sale.registry()).nodes.map(({ granted, revoked }) => granted - revoked);

/** As the shards themselves have reported it, largest first. */
const availableOf = async (sale: TestSale): Promise<Units[]> => {
  const { status } = await sale.report();
  const shards = (status.shards ?? []).filter(({ id }) => id !== 'pool');
  return shards.map(({ available = 0 }) => available).sort((a, b) => b - a);
};

describe('an odd sale', { timeout: 300_000 }, () => {
  it('R1, R20: of 2,497 units is split evenly over 7 nodes and 5 shards, remainders one by one, and sells out', () =>
    runSale(
      {
        stock: 2497,
        cache: { nodes: 7 },
        shards: { count: 5 },
        storefront: { replicas: 2 },
        balancer: { rule: 'Average' },
      },
      async (sale) => {
        expect(await grantedOf(sale)).toEqual([357, 357, 357, 357, 357, 356, 356]);
        await until('an even allocation', async () => (await availableOf(sale)).join() === '500,500,499,499,499');
        const tally = await crowd(sale, { buyers: 3000, within: 4000 });
        await expectVerdict(sale, tally, { sold: 2497 });
      },
    ));

  it('R29: whose buyers all have one owner node sells what the other nodes were given, too', () =>
    sales.round(
      300,
      async (sale, coming) => {
        expect(await grantedOf(sale)).toEqual([100, 100, 100]);
        await coming.done;
        await expect.poll(() => keptBy(sale)).toEqual([0, 300, 0]);
      },
      { buyers: 500, named: namesAt('c1', 3, 'neighbour-') },
    ));

  it('R28, R30: whose buyers all let their token lapse once and come back sells out', () =>
    sales.round(
      200,
      async (_, coming) => {
        // As many as there are units: each of those sold was given back before.
        expect((await coming.done).abandoned).toBeGreaterThanOrEqual(200);
      },
      { buyers: 300, abandon: 1, comeBack: true },
    ));

  it('R29, R30: with up to 4 units an order leaves nothing behind that somebody wanted', () =>
    sales.round(
      701,
      async (sale, many) => {
        await many.done;
        // Who wants more than is left is refused; whoever takes one at a time gets the rest.
        return crowd(sale, { buyers: 20, prefix: 'one-', seed: 20, within: 1000 });
      },
      { buyers: 500, maxQuantity: 4 },
    ));

  it('R29, R30: of one unit, fewer than nodes and shards, sells it, even when most buyers let their token lapse', () =>
    sales.round(
      1,
      async (_, coming) => {
        expect((await coming.done).tokens).toBeGreaterThan(0);
      },
      { buyers: 40, abandon: 0.6, within: 3000 },
    ));

  it('R30: with fewer buyers than units, none of whom leaves, sells to each and keeps the rest for sale', () =>
    sales.round(
      400,
      async (_, coming) => {
        const { sold, duplicates } = await coming.done;
        expect(sold).toBe(250);
        expect(duplicates).toBeGreaterThan(0);
      },
      { buyers: 250, abandon: 0, duplicates: 0.3, left: 150 },
    ));
});
