// Orders after checkout: placed → paid | cancelled; late and double payments are due back; events for the merchant.

import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectStorefrontShard } from '../../../dataplane/stores/shard/postgres.ts';
import { type Fixture, HOUR, row, SALE, startFixture, type TestShard, wrongWith } from './fixture.ts';

let fixture: Fixture;
let used: TestShard[] = [];
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
});
afterAll(() => fixture.stop());
afterEach(async () => {
  for (const shard of used) expect(await wrongWith(shard.sql)).toEqual([]);
  used = [];
});

async function placed(deadline = HOUR, quantity = 2) {
  const shard = await fixture.shard(10);
  used.push(shard);
  const { token } = row();
  await shard.storefront.checkout(SALE, [row({ token, buyer: 'ada', quantity })], deadline);
  const refunds = async () =>
    (
      await shard.sql.query<{ id: string }>("SELECT payment_id AS id FROM ledger WHERE kind = 'refund_due' ORDER BY 1")
    ).rows.map((r) => r.id);
  return {
    ...shard,
    token,
    refunds,
    pay: (payment: string) => shard.storefront.pay(SALE, token, 'ada', payment),
    cancel: () => shard.storefront.cancel(SALE, token, 'ada'),
  };
}

describe('paying', () => {
  test('R34: the same payment again is the same answer and one ledger row', async () => {
    const order = await placed();
    const first = await order.pay('p1');
    expect(first).toMatchObject({ kind: 'paid', order: { status: 'paid', paymentId: 'p1', quantity: 2 } });
    const { version } = await order.agent.state();
    expect(await order.pay('p1')).toEqual(first);
    expect(await order.agent.state()).toMatchObject({ version, available: 8 });
  });

  test('R31: a second payment is due back, once, and the first one stays', async () => {
    const order = await placed();
    await order.pay('p1');
    const second = await order.pay('p2');
    expect(second).toMatchObject({ kind: 'refund', order: { status: 'paid', paymentId: 'p1' } });
    expect(await order.pay('p2')).toEqual(second);
    await order.pay('p3');
    expect(await order.refunds()).toEqual(['p2', 'p3']);
  });

  test('R31: a payment after the cancellation is due back, once, and nothing is sold again', async () => {
    const order = await placed();
    await order.cancel();
    const { available } = await order.agent.state();
    for (let i = 0; i < 2; i++)
      expect(await order.pay('p1')).toMatchObject({ kind: 'refund', order: { status: 'cancelled' } });
    expect(await order.refunds()).toEqual(['p1']);
    expect(await order.agent.state()).toMatchObject({ available, version: 4 });
  });

  test('R31: of many payments at once one is taken and every other one is due back', async () => {
    const order = await placed();
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => order.pay(`p${i % 6}`)));
    expect(answers.filter((a) => a.kind === 'paid')).toHaveLength(2);
    expect(await order.refunds()).toHaveLength(5);
  });

  test('R31: paying and cancelling at once, one of them wins, and never both', async () => {
    const order = await placed();
    const others = Array.from({ length: 4 }, () =>
      connectStorefrontShard(order.address, fixture.server.passwordOf('storefront')),
    );
    const [paid, ...cancelled] = await Promise.all([
      order.pay('p1'),
      ...others.map((o) => o.cancel(SALE, order.token, 'ada')),
    ]);
    const won = paid.kind === 'paid';
    expect(new Set(cancelled.map((c) => c.kind))).toEqual(new Set([won ? 'paid' : 'cancelled']));
    expect(await order.refunds()).toEqual(won ? [] : ['p1']);
    expect(await order.agent.state()).toMatchObject({ available: won ? 8 : 10 });
    await Promise.all(others.map((o) => o.close()));
  });

  test('a placed order past its deadline can still be paid', async () => {
    const order = await placed(0);
    expect(await order.storefront.order(SALE, order.token)).toMatchObject({ status: 'placed', payWithin: 0 });
    expect(await order.pay('p1')).toMatchObject({ kind: 'paid' });
    expect(await order.agent.cancelOverdue(10)).toBe(0);
  });
});

describe('cancelling', () => {
  test('R9, R34: the units are in stock again, once', async () => {
    const order = await placed();
    const first = await order.cancel();
    expect(first).toMatchObject({ kind: 'cancelled', order: { status: 'cancelled' } });
    expect(await order.cancel()).toEqual(first);
    expect(await order.agent.state()).toMatchObject({ available: 10, sold: 2, cancelled: 2, version: 3 });
  });

  test('a paid order is not cancelled', async () => {
    const order = await placed();
    await order.pay('p1');
    expect(await order.cancel()).toMatchObject({ kind: 'paid', order: { status: 'paid' } });
    expect(await order.agent.state()).toMatchObject({ available: 8 });
  });

  test('overdue ones are cancelled by the clock of the shard, oldest first, as many as asked for', async () => {
    const { agent, storefront, sql } = await placed(HOUR);
    const overdue = Array.from({ length: 3 }, () => row());
    for (const r of overdue) await storefront.checkout(SALE, [r], 0);
    expect(await agent.cancelOverdue(2)).toBe(2);
    const left = await sql.query<{ token: string }>(
      "SELECT token FROM orders WHERE status = 'placed' AND deadline < now()",
    );
    expect(left.rows.map((r) => r.token)).toEqual([overdue[2]?.token]);
    expect(await agent.cancelOverdue(2)).toBe(1);
    expect(await agent.cancelOverdue(2)).toBe(0);
    expect(await agent.state()).toMatchObject({ available: 8, cancelled: 3 });
  });

  test('R31: agents that cancel the same overdue orders at once cancel each of them once', async () => {
    const { agent, storefront } = await placed(HOUR);
    await storefront.checkout(
      SALE,
      Array.from({ length: 8 }, () => row()),
      0,
    );
    const counts = await Promise.all(Array.from({ length: 4 }, () => agent.cancelOverdue(100)));
    expect(counts.reduce((a, b) => a + b)).toBe(8);
  });
});

describe('a stranger', () => {
  test("R25: another buyer's order is as unknown as none", async () => {
    const order = await placed();
    for (const answer of [
      await order.storefront.pay(SALE, order.token, 'eve', 'p1'),
      await order.storefront.cancel(SALE, order.token, 'eve'),
      await order.storefront.pay(SALE, 'nothing', 'ada', 'p1'),
      await order.storefront.cancel(SALE, 'nothing', 'ada'),
    ])
      expect(answer).toEqual({ kind: 'unknown' });
    expect(await order.storefront.order(SALE, 'nothing')).toBeUndefined();
    expect(await order.agent.state()).toMatchObject({ version: 2 });
  });
});

test('a final order is neither paid nor cancelled', async () => {
  const shard = await fixture.shard(10);
  used.push(shard);
  const { token } = row();
  await shard.storefront.checkout(SALE, [row({ token, buyer: 'ada' })], undefined);
  const { version } = await shard.agent.state();
  expect(await shard.storefront.pay(SALE, token, 'ada', 'p')).toMatchObject({
    kind: 'final',
    order: { status: 'final' },
  });
  expect(await shard.storefront.cancel(SALE, token, 'ada')).toMatchObject({ kind: 'final' });
  expect(await shard.agent.cancelOverdue(10)).toBe(0);
  expect(await shard.agent.state()).toMatchObject({ version });
});

describe('events', () => {
  test('R10, R11: every change of an order is told once past the bookmark, in version order', async () => {
    const order = await placed();
    await order.pay('p1');
    await order.pay('p2');
    const gone = row({ buyer: 'bob' });
    await order.storefront.checkout(SALE, [gone], HOUR);
    await order.storefront.cancel(SALE, gone.token, 'bob');
    const events = await order.agent.orderEvents(100);
    const seen = events.map(({ version, kind, order: id, buyer, paymentId }) => ({
      version,
      kind,
      id,
      buyer,
      paymentId,
    }));
    const [mine, his] = [`s0-${order.token}`, `s0-${gone.token}`];
    expect(seen).toEqual([
      { version: 2, kind: 'placed', id: mine, buyer: 'ada', paymentId: undefined },
      { version: 3, kind: 'paid', id: mine, buyer: 'ada', paymentId: 'p1' },
      { version: 4, kind: 'refund-due', id: mine, buyer: 'ada', paymentId: 'p2' },
      { version: 5, kind: 'placed', id: his, buyer: 'bob', paymentId: undefined },
      { version: 6, kind: 'cancelled', id: his, buyer: 'bob', paymentId: undefined },
    ]);
    expect(events[0]).toMatchObject({ incarnation: SALE, shard: 's0', quantity: 2 });
    expect(Math.abs((events[0]?.at ?? 0) - Date.now())).toBeLessThan(60_000);

    expect(await order.agent.orderEvents(2)).toEqual(events.slice(0, 2));
    await order.agent.relayed(4);
    await order.agent.relayed(2);
    expect(await order.agent.orderEvents(100)).toEqual(events.slice(3));
  });

  test('R11: a stretch without order events is skipped for good, and what comes after it is not', async () => {
    const { agent, storefront, sql } = await placed();
    await agent.relayed(2);
    const gives = (sequence: number) =>
      agent.execute({ incarnation: SALE, source: 's0', term: 1, sequence, legs: [{ destination: 's1', units: 1 }] });
    await gives(1);
    await gives(2);
    expect(await agent.orderEvents(100)).toEqual([]);
    expect((await sql.query<{ version: string }>('SELECT version FROM relay')).rows[0]?.version).toBe('4');
    await storefront.checkout(SALE, [row()], HOUR);
    expect(await agent.orderEvents(100)).toMatchObject([{ version: 5, kind: 'placed' }]);
  });

  test('R31: looking for overdue orders reads none of those that are not, however many there are', async () => {
    const shard = await fixture.shard(5_000);
    used.push(shard);
    for (let i = 0; i < 15; i++) {
      const rows = Array.from({ length: 200 }, () => row());
      await shard.storefront.checkout(SALE, rows, HOUR);
    }
    const owner = new pg.Client({ connectionString: fixture.server.url(shard.database, 'owner') });
    await owner.connect();
    // What the first call of a session reads besides is left out.
    await owner.query('SELECT flashsale.cancel_overdue(200)');
    const { rows } = await owner.query('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT flashsale.cancel_overdue(200)');
    await owner.end();
    const { Plan } = rows[0]['QUERY PLAN'][0];
    expect(Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']).toBeLessThan(10);
  });

  test('R11: what was told is not read again, however much it was', async () => {
    const shard = await fixture.shard(5_000);
    used.push(shard);
    const sell = (orders: number) =>
      shard.storefront.checkout(
        SALE,
        Array.from({ length: orders }, () => row()),
        HOUR,
      );
    for (let i = 0; i < 10; i++) await sell(200);
    await shard.agent.relayed((await shard.agent.state()).version);
    await sell(1);
    const owner = new pg.Client({ connectionString: fixture.server.url(shard.database, 'owner') });
    await owner.connect();
    // What the first call of a session reads besides is left out.
    await owner.query('SELECT * FROM flashsale.order_events(100)');
    const { rows } = await owner.query(
      'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM flashsale.order_events(100)',
    );
    await owner.end();
    const { Plan } = rows[0]['QUERY PLAN'][0];
    expect(Plan).toMatchObject({ 'Actual Rows': 1 });
    // An order that is looked up reads three pages and more.
    expect(Plan['Shared Hit Blocks'] + Plan['Shared Read Blocks']).toBeLessThan(1000);
  });
});
