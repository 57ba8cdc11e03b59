// Orders that are not kept: unpaid, cancelled, paid too late. Their units are sold again, once (R30, R31).

import { afterAll, describe, expect, it } from 'vitest';
import { audit } from '../../../operator/audit/audit.ts';
import { crowd } from '../../harness/crowd.ts';
import { runSale, sharedSale } from '../../harness/run-sale.ts';
import { stopSharedKafka } from '../../harness/sale.ts';
import { testShop } from '../../harness/shop.ts';
import { until } from '../../harness/until.ts';
import { expectVerdict } from '../../harness/verdict.ts';

const unpaid = sharedSale({ orders: { paymentDeadline: '4s' } });

afterAll(async () => {
  await unpaid.stop();
  await stopSharedKafka();
});

describe('orders that are not kept', { timeout: 180_000 }, () => {
  it('R31: a payment after the deadline is due back, and the unit is the next buyer’s', () =>
    unpaid.use(async (sale) => {
      await sale.apply({ stock: 1 });
      const shop = testShop(sale);
      const slow = await shop.buy('slow');
      const quick = await until('the unit to be on sale again', async () => {
        const { body, problem } = await shop.purchase('quick');
        return problem === undefined && body;
      });
      const order = String((await shop.checkout('quick', String(quick.token))).body.order);
      expect(await shop.pay('quick', order, 'pay-quick')).toMatchObject({ status: 200, body: { status: 'paid' } });
      for (let i = 0; i < 2; i++)
        expect(await shop.pay('slow', slow.order, 'pay-slow')).toMatchObject({ status: 409, problem: 'refund-due' });
      expect(await shop.pay('quick', order, 'pay-quick')).toMatchObject({ status: 200, body: { status: 'paid' } });
      expect(await shop.cancel('quick', order)).toMatchObject({ status: 409, problem: 'order-paid' });
      await shop.close();
      await expectVerdict(sale, [], { sold: 1, cancelled: 1, byHand: 2 });
      return 1;
    }));

  it('R30: what nobody pays for is on sale again, every unit of it', () =>
    unpaid.use(async (sale, sold) => {
      // For each unit sold before, an order of it had been cancelled.
      const before = { sold, cancelled: sold, byHand: 2 * sold };
      await sale.apply({ stock: sold + 120 });
      const tally = await crowd(sale, { buyers: 100, abandon: 0, within: 2000 });
      await until(
        'every order to be cancelled',
        async () => {
          const now = await audit(() => sale, { timeout: 0 });
          return now.sold === sold && now.virtual === 120;
        },
        60_000,
      );
      await expectVerdict(sale, tally, { ...before, cancelled: sold + 100, checkSoldOut: false });
      return 0;
    }));

  it('R30: what buyers cancel is bought by others, until all is sold', () =>
    runSale({ stock: 200, orders: { paymentDeadline: '10m' } }, async (sale) => {
      const tally = await crowd(sale, { buyers: 700, cancel: 0.3, within: 8000 });
      expect(tally.cancelled).toBeGreaterThan(20);
      // Those who came while everything was reserved have gone; the last cancellations may find nobody.
      const last = await crowd(sale, { buyers: 200, prefix: 'last-', abandon: 0, within: 1000 });
      await expectVerdict(sale, [tally, last], { sold: 200, cancelled: tally.cancelled });
    }));
});
