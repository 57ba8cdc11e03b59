// R33: the resource is edited while its sale sells, and not a unit is lost.

import { afterAll, describe, expect, it } from 'vitest';
import type { Units } from '../../../dataplane/protocol/units.ts';
import { audit } from '../../../operator/audit/audit.ts';
import { crowd, startCrowd } from '../../harness/crowd.ts';
import { runSale } from '../../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { testShop } from '../../harness/shop.ts';
import { until } from '../../harness/until.ts';
import { expectVerdict } from '../../harness/verdict.ts';

afterAll(stopSharedKafka);

const names = (sale: TestSale) => sale.processes.list().map(({ name }) => name);

/** What is withdrawn leaves shard by shard, by way of the pool. */
const suppliedIs = (sale: TestSale, units: Units) =>
  until(`${units} units supplied`, async () => (await sale.registry()).supplied === units);

describe('R33: an edit while it sells', { timeout: 180_000 }, () => {
  it('restocks: what is added is split over the nodes, dealt out and sold', () =>
    runSale({ stock: 150 }, async (sale) => {
      const coming = startCrowd(sale, { buyers: 600, within: 6000 });
      await coming.bought(40);
      await sale.apply({ stock: 400 });
      // Stock was made anew, maybe after the last unit of the first was gone.
      await expectVerdict(sale, await coming.done, { sold: 400, judgeSoldOut: false });
    }));

  it('withdraws what is unsold, and when more is asked back than that, all that is', () =>
    runSale({ stock: 1000 }, async (sale) => {
      const coming = startCrowd(sale, { buyers: 300, within: 8000 });
      await coming.bought(10);
      await sale.apply({ stock: 200 });
      const first = await coming.done;
      await suppliedIs(sale, 200);
      await expectVerdict(sale, first, { sold: 200, supplied: 200, judgeSoldOut: false });

      // Restocked, sold in part, and then withdrawn to below what was sold.
      await sale.apply({ stock: 500 });
      const second = await crowd(sale, { buyers: 100, abandon: 0, prefix: 'later-', within: 1000 });
      expect(second.sold).toBe(100);
      await sale.apply({ stock: 50 });
      await suppliedIs(sale, 300);
      await expectVerdict(sale, [first, second], { sold: 300, supplied: 300, judgeSoldOut: false });
    }));

  it('adds shards, which are filled and sell', () =>
    runSale({ stock: 600 }, async (sale) => {
      const first = startCrowd(sale, { buyers: 150, within: 6000 });
      await first.bought(20);
      const before = sale.config;
      await sale.apply({ shards: { count: 4 } });
      const second = startCrowd(sale, { buyers: 1000, prefix: 'second-', seed: 2 });
      await expectVerdict(sale, [await first.done, await second.done], { sold: 600 });
      for (const id of ['s2', 's3'])
        await until(`${id} to report what it sold`, async () => {
          const { status } = await sale.report();
          return status.shards?.some((shard) => shard.id === id && (shard.sold ?? 0) > 0);
        });
      // An audit that began with the shards of before looks at the ones there are by then.
      const known = [before, before];
      const report = await audit(() => ({ config: known.shift() ?? sale.config, secret: sale.secret }), {
        patience: 10_000,
        settled: true,
      });
      expect(report).toMatchObject({ conserved: true, sold: 600 });
    }));

  it('adds cache nodes and takes them away again; a buyer’s limit holds in their new homes', () =>
    runSale({ stock: 500, cache: { nodes: 2 } }, async (sale) => {
      // Purchases pause for two changes of the number, which on a busy machine is long.
      const coming = startCrowd(sale, { buyers: 900, within: 6000, patience: 120_000 });
      await coming.bought(60);
      await sale.apply({ cache: { nodes: 4 } });
      expect(await sale.registry()).toMatchObject({ count: 4, resize: 'none' });
      await coming.bought(200);
      await sale.apply({ cache: { nodes: 1 } });
      expect(await sale.registry()).toMatchObject({ count: 1, resize: 'none' });
      await until('the leaving nodes to end', () => !names(sale).includes('redis-c1'));
      const tally = await coming.done;
      await expectVerdict(sale, tally, { sold: 500 });
      expect(tally.problems.get('paused')).toBeGreaterThan(0);

      // Everybody who has a unit is refused another one, wherever their home is now; the others are not.
      await sale.apply({ stock: 1000 });
      const shop = testShop(sale);
      const answers: Record<string, number> = {};
      for (let n = 0; n < 900; n++) {
        const { problem = 'token' } = await shop.purchase(`buyer-${n}`);
        answers[problem] = (answers[problem] ?? 0) + 1;
      }
      await shop.close();
      expect(answers).toEqual({ 'limit-reached': 500, token: 400 });
      await expectVerdict(sale, tally, { sold: 500 });
    }));

  it('pauses purchases while checkouts go on, and resumes', () =>
    runSale({ stock: 300, token: { ttl: '1m' } }, async (sale) => {
      const shop = testShop(sale);
      const held = await shop.purchase('early');
      const coming = startCrowd(sale, { buyers: 600, abandon: 0, within: 5000 });
      await coming.bought(30);
      await sale.apply({ paused: true });
      // By somebody who has a token already: each node is told by itself, and until then it hands out units.
      await until('purchases to be paused', async () => (await shop.purchase('early')).problem === 'paused');
      expect(await shop.checkout('early', String(held.body.token))).toMatchObject({ status: 201 });
      await sale.apply({ paused: false });
      const tally = await coming.done;
      await shop.close();
      expect(tally.problems.get('paused')).toBeGreaterThan(0);
      await expectVerdict(sale, tally, { sold: 300, byHand: 1 });
    }));

  it('takes other limits, lists and lifetimes into use', () =>
    runSale({ stock: 300 }, async (sale) => {
      const once = await crowd(sale, { buyers: 80, abandon: 0, within: 1500 });
      const shop = testShop(sale);
      expect(await shop.purchase('buyer-0')).toMatchObject({ status: 403, problem: 'limit-reached' });
      await sale.apply({
        qualification: { perBuyer: 3, maxQuantity: 2, denyList: { ids: ['banned'] } },
        token: { ttl: '7s' },
      });
      await until('the limit to be raised', async () => (await shop.purchase('buyer-0', 2)).status < 300);
      expect(await shop.purchase('banned')).toMatchObject({ status: 403, problem: 'not-qualified' });
      const fresh = await shop.purchase('new', 2);
      expect(fresh).toMatchObject({ status: 201, body: { quantity: 2 } });
      expect(Number(fresh.body.expiresInMs)).toBeGreaterThan(5000);
      await shop.close();
      const twice = await crowd(sale, { buyers: 80, abandon: 0, within: 1500, maxQuantity: 2, seed: 9 });
      const sold = once.sold + twice.sold;
      expect(sold).toBeGreaterThan(160);
      await expectVerdict(sale, [once, twice], { sold });
    }));
});
