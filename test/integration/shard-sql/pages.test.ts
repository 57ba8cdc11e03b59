// Orders as their merchant reads them: a page at a time, none skipped, none twice; and what was not told yet.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectOperatorShard, connectOrdersReader } from '../../../dataplane/stores/shard/postgres.ts';
import type { OrdersReader } from '../../../dataplane/stores/shard/shard.ts';
import { type Fixture, HOUR, row, SALE, startFixture, type TestShard, wrongWith } from './fixture.ts';

let fixture: Fixture;
let used: TestShard[] = [];
const readers: OrdersReader[] = [];
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
});
afterAll(async () => {
  await Promise.all(readers.map((opened) => opened.close()));
  await fixture.stop();
});
afterEach(async () => {
  for (const shard of used) expect(await wrongWith(shard.sql)).toEqual([]);
  used = [];
});

describe('pages of orders', () => {
  const reader = (shard: TestShard) => {
    const opened = connectOrdersReader(shard.address, fixture.server.passwordOf('audit'));
    readers.push(opened);
    return opened;
  };
  test('show every order once as it is now, in the order of placing, with transfers in between', async () => {
    const shard = await fixture.shard(100);
    used.push(shard);
    const rows = Array.from({ length: 7 }, (_, i) => row({ buyer: i % 2 ? 'ada' : 'bob' }));
    for (const [i, each] of rows.entries()) {
      await shard.storefront.checkout(SALE, [each], HOUR);
      await shard.agent.execute({
        ...{ incarnation: SALE, source: 's0', term: 1, sequence: i + 1 },
        legs: [{ destination: 's1', units: 1 }],
      });
    }
    await shard.storefront.cancel(SALE, rows[3]?.token ?? '', 'ada');
    const pages = reader(shard);
    const seen = [];
    let after = 0;
    for (let more = true; more; ) {
      const page = await pages.ordersPage(after, 2, {});
      expect(page.orders.length).toBeLessThanOrEqual(2);
      expect(page.incarnation).toBe(SALE);
      seen.push(...page.orders);
      ({ upTo: after, more } = page);
    }
    expect(seen.map(({ token }) => token)).toEqual(rows.map(({ token }) => token));
    expect(seen.map(({ status }) => status)).toEqual(rows.map((_, i) => (i === 3 ? 'cancelled' : 'placed')));
    const versions = seen.map(({ version }) => version);
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(after).toBe((await shard.agent.state()).version);

    // What comes after the last page is on the next one, and nothing else.
    const late = row({ buyer: 'ada' });
    await shard.storefront.checkout(SALE, [late], HOUR);
    const next = await pages.ordersPage(after, 100, {});
    expect(next).toMatchObject({ more: false, orders: [{ token: late.token, buyer: 'ada', quantity: late.quantity }] });
  });

  test('skip nobody while orders are being made at the same time', async () => {
    const shard = await fixture.shard(1000);
    used.push(shard);
    const pages = reader(shard);
    const rows = Array.from({ length: 100 }, () => row());
    let isSelling = true;
    const sell = async () => {
      for (const each of rows) await shard.storefront.checkout(SALE, [each], HOUR);
    };
    const selling = sell().finally(() => {
      isSelling = false;
    });
    const seen: string[] = [];
    for (let after = 0, more = true; isSelling || more; ) {
      // Read before the page, so that the last page comes after the last order.
      const last = !isSelling;
      const page = await pages.ordersPage(after, 7, {});
      seen.push(...page.orders.map(({ token }) => token));
      after = page.upTo;
      more = page.more || !last;
    }
    await selling;
    expect([...seen].sort()).toEqual(rows.map(({ token }) => token).sort());
  });

  test('move past the orders that are not wanted', async () => {
    const shard = await fixture.shard(100);
    used.push(shard);
    const [ada, bob] = [row({ buyer: 'ada' }), row({ buyer: 'bob' })];
    await shard.storefront.checkout(SALE, [ada, bob], HOUR);
    const pages = reader(shard);
    const first = await pages.ordersPage(0, 1, { buyer: 'bob' });
    expect(first).toMatchObject({ orders: [], more: true });
    expect(await pages.ordersPage(first.upTo, 1, { buyer: 'bob' })).toMatchObject({ orders: [{ token: bob.token }] });
    const at = first.upTo;
    expect(at).toBeGreaterThan(0);
    const [{ placedAt = 0 } = {}] = (await pages.ordersPage(0, 1, {})).orders;
    expect((await pages.ordersPage(0, 10, { since: placedAt - 1 })).orders).toHaveLength(2);
    expect((await pages.ordersPage(0, 10, { since: placedAt + 60_000 })).orders).toEqual([]);
  });

  test('answer nothing before the shard has joined a sale', async () => {
    const database = await fixture.database(true);
    const pages = connectOrdersReader(fixture.server.address(database), fixture.server.passwordOf('audit'));
    readers.push(pages);
    expect(await pages.ordersPage(0, 10, {})).toEqual({ incarnation: undefined, orders: [], upTo: 0, more: false });
  });
});

test('the backlog of the outbox is what was not relayed yet', async () => {
  const order = await fixture.shard(10);
  used.push(order);
  const { token } = row();
  await order.storefront.checkout(SALE, [row({ token, buyer: 'ada' })], HOUR);
  const operator = connectOperatorShard(order.address, fixture.server.passwordOf('operator'));
  expect(await operator.outboxBacklog()).toBe(1);
  await order.storefront.pay(SALE, token, 'ada', 'p1');
  expect(await operator.outboxBacklog()).toBe(2);
  await order.agent.relayed((await order.agent.state()).version);
  expect(await operator.outboxBacklog()).toBe(0);
  await operator.close();
});
