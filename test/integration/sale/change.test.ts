// R33: the resource is edited while its sale sells, and not a unit is lost. Edits of its rules are of one sale, edits of
// its parts of another.

import { afterAll, describe, expect, it } from 'vitest';
import type { Units } from '../../../dataplane/protocol/units.ts';
import { audit } from '../../../operator/audit/audit.ts';
import { crowd, startCrowd } from '../../harness/crowd.ts';
import { sharedSale } from '../../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { testShop } from '../../harness/shop.ts';
import { until } from '../../harness/until.ts';
import { expectVerdict } from '../../harness/verdict.ts';

const rules = sharedSale({});
const parts = sharedSale({});

afterAll(async () => {
  await Promise.all([rules.stop(), parts.stop()]);
  await stopSharedKafka();
});

const names = (sale: TestSale) => sale.processes.list().map(({ name }) => name);

/** What is withdrawn leaves shard by shard, by way of the pool. */
const suppliedIs = (sale: TestSale, units: Units) =>
  until(`${units} units supplied`, async () => (await sale.registry()).supplied === units);

describe('R33: an edit while it sells', { timeout: 180_000 }, () => {
  it('restocks: what is added is split over the nodes, allocated and sold', () =>
    rules.use(async (sale) => {
      await sale.apply({ stock: 150 });
      const coming = startCrowd(sale, { buyers: 600, within: 6000 });
      await coming.bought(40);
      await sale.apply({ stock: 400 });
      // Stock was made anew, maybe after the last unit of the first was gone.
      await expectVerdict(sale, await coming.done, { sold: 400, checkSoldOut: false });
      return 400;
    }));

  it('pauses purchases while checkouts go on, and resumes', () =>
    rules.use(async (sale, sold) => {
      await sale.apply({ stock: sold + 300, token: { ttl: '1m' } });
      const shop = testShop(sale);
      const held = await shop.purchase('early');
      const coming = startCrowd(sale, { buyers: 600, abandon: 0, within: 5000, prefix: 'pause-' });
      await coming.bought(30);
      await sale.apply({ paused: true });
      // By somebody who has a token already: each node is told by itself, and until then it hands out units.
      await until('purchases to be paused', async () => (await shop.purchase('early')).problem === 'paused');
      expect(await shop.checkout('early', String(held.body.token))).toMatchObject({ status: 201 });
      await sale.apply({ paused: false });
      const tally = await coming.done;
      await shop.close();
      expect(tally.problems.get('paused')).toBeGreaterThan(0);
      await expectVerdict(sale, tally, { sold: sold + 300, byHand: sold + 1 });
      return 300;
    }));

  it('takes other limits, lists and lifetimes into use', () =>
    rules.use(async (sale, sold) => {
      await sale.apply({ stock: sold + 300, token: { ttl: '5s' } });
      const once = await crowd(sale, { buyers: 80, abandon: 0, within: 1500, prefix: 'limit-' });
      const shop = testShop(sale);
      expect(await shop.purchase('limit-0')).toMatchObject({ status: 403, problem: 'limit-reached' });
      await sale.apply({
        qualification: { perBuyer: 3, maxQuantity: 2, denyList: { ids: ['banned'] } },
        token: { ttl: '7s' },
      });
      await until('the limit to be raised', async () => (await shop.purchase('limit-0', 2)).status < 300);
      expect(await shop.purchase('banned')).toMatchObject({ status: 403, problem: 'not-qualified' });
      const fresh = await shop.purchase('new', 2);
      expect(fresh).toMatchObject({ status: 201, body: { quantity: 2 } });
      expect(Number(fresh.body.expiresInMs)).toBeGreaterThan(5000);
      await shop.close();
      const more = { abandon: 0, within: 1500, prefix: 'limit-', maxQuantity: 2, seed: 9 };
      const twice = await crowd(sale, { buyers: 80, ...more });
      const units = once.sold + twice.sold;
      expect(units).toBeGreaterThan(160);
      await expectVerdict(sale, [once, twice], { sold: sold + units, byHand: sold });
      return units;
    }));

  it('withdraws what is unsold, and when more is asked back than that, all that is', () =>
    parts.use(async (sale, sold) => {
      await sale.apply({ stock: sold + 1000 });
      const coming = startCrowd(sale, { buyers: 300, within: 8000 });
      await coming.bought(10);
      await sale.apply({ stock: sold + 200 });
      const first = await coming.done;
      await suppliedIs(sale, sold + 200);
      await expectVerdict(sale, first, { sold: sold + 200, byHand: sold, checkSoldOut: false });

      // Restocked, sold in part, and then withdrawn to below what was sold.
      await sale.apply({ stock: sold + 500 });
      const second = await crowd(sale, { buyers: 100, abandon: 0, prefix: 'later-', within: 1000 });
      expect(second.sold).toBe(100);
      await sale.apply({ stock: 50 });
      const supplied = sold + 300;
      await suppliedIs(sale, supplied);
      await expectVerdict(sale, [first, second], { sold: supplied, supplied, byHand: sold, checkSoldOut: false });
      return 300;
    }));

  it('adds shards, which are filled and sell', () =>
    parts.use(async (sale, sold) => {
      await sale.apply({ stock: sold + 600 });
      const first = startCrowd(sale, { buyers: 150, within: 6000, prefix: 'two-' });
      await first.bought(20);
      const before = sale.config;
      await sale.apply({ shards: { count: 4 } });
      const second = startCrowd(sale, { buyers: 1000, prefix: 'four-', seed: 2 });
      await expectVerdict(sale, [await first.done, await second.done], { sold: sold + 600, byHand: sold });
      for (const id of ['s2', 's3'])
        await until(`${id} to report what it sold`, async () => {
          const { status } = await sale.report();
          return status.shards?.some((shard) => shard.id === id && (shard.sold ?? 0) > 0);
        });
      // An audit that began with the shards of before looks at the ones there are by then.
      const known = [before, before];
      const report = await audit(() => ({ config: known.shift() ?? sale.config, secret: sale.secret }), {
        timeout: 10_000,
        settled: true,
      });
      expect(report).toMatchObject({ conserved: true, sold: sold + 600 });
      return 600;
    }));

  it('adds cache nodes and takes them away again; a buyer’s limit holds at their new owner nodes', () =>
    parts.use(async (sale, sold) => {
      await sale.apply({ stock: sold + 500 });
      // Purchases pause for two changes of the number, which on a busy machine is long.
      const coming = startCrowd(sale, { buyers: 900, within: 6000, maxWait: 120_000, prefix: 'moved-' });
      await coming.bought(60);
      await sale.apply({ cache: { nodes: 4 } });
      expect(await sale.registry()).toMatchObject({ count: 4, resize: 'none' });
      await coming.bought(200);
      await sale.apply({ cache: { nodes: 1 } });
      expect(await sale.registry()).toMatchObject({ count: 1, resize: 'none' });
      await until('the leaving nodes to end', () => !names(sale).includes('redis-c1'));
      const tally = await coming.done;
      await expectVerdict(sale, tally, { sold: sold + 500, byHand: sold });
      expect(tally.problems.get('paused')).toBeGreaterThan(0);

      // Everybody who has a unit is refused another one, whichever node owns them now; the others are not.
      await sale.apply({ stock: sold + 1000 });
      const shop = testShop(sale);
      const answers: Record<string, number> = {};
      for (let n = 0; n < 900; n++) {
        const { problem = 'token' } = await shop.purchase(`moved-${n}`);
        answers[problem] = (answers[problem] ?? 0) + 1;
      }
      await shop.close();
      expect(answers).toEqual({ 'limit-reached': 500, token: 400 });
      await expectVerdict(sale, tally, { sold: sold + 500, byHand: sold });
      return 500;
    }));
});
