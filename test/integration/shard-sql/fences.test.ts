// What refuses tokens: epochs and low watermark only rise, whoever calls how often and in whatever order.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WrongIncarnation } from '../../../dataplane/stores/errors.ts';
import { type Fixture, HOUR, joinSale, openShard, row, SALE, startFixture } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
});
afterAll(() => fixture.stop());

test('R28: closing answers the tokens with an order, cancelled ones too, and refuses the rest from then on', async () => {
  const { storefront, cache } = await fixture.shard(10);
  const [sold, gone, late] = [row({ sequence: 1 }), row({ sequence: 2, buyer: 'bob' }), row({ sequence: 3 })];
  await storefront.checkout(SALE, [sold, gone], HOUR);
  await storefront.cancel(SALE, gone.token, 'bob');
  const all = [sold.token, gone.token, late.token];
  const found = new Set([sold.token, gone.token]);
  expect(await cache.closeTokens(SALE, 'c0', 1, 3, all)).toEqual(found);
  expect(await storefront.checkout(SALE, [late, row({ sequence: 4 })], HOUR)).toEqual(['expired', 'sold']);
  // R34: again, and by an agent that comes late with less.
  expect(await cache.closeTokens(SALE, 'c0', 1, 3, all)).toEqual(found);
  expect(await cache.closeTokens(SALE, 'c0', 1, 1, [])).toEqual(new Set());
  expect(await storefront.checkout(SALE, [late], HOUR)).toEqual(['expired']);
});

test('R28: closing for another epoch, or for an unknown node, changes nothing and voids the list', async () => {
  const { storefront, cache, sql } = await fixture.shard(10);
  const sold = row({ sequence: 1 });
  await storefront.checkout(SALE, [sold], HOUR);
  const before = await sql.query('SELECT * FROM nodes ORDER BY node');
  for (const epoch of [0, 2]) expect(await cache.closeTokens(SALE, 'c0', epoch, 9, [sold.token])).toBeUndefined();
  expect(await cache.closeTokens(SALE, 'c5', 1, 9, [sold.token])).toBeUndefined();
  expect((await sql.query('SELECT * FROM nodes ORDER BY node')).rows).toEqual(before.rows);
});

test('R32: a raised epoch refuses every older token and opens the new ones from number 1', async () => {
  const { storefront, cache } = await fixture.shard(10);
  await cache.closeTokens(SALE, 'c0', 1, 40, []);
  await cache.raiseEpoch(SALE, 'c0', 2);
  const outcomes = await storefront.checkout(
    SALE,
    [row({ sequence: 41 }), row({ sequence: 1, epoch: 2 }), row({ node: 'c1' })],
    HOUR,
  );
  expect(outcomes).toEqual(['expired', 'sold', 'sold']);
});

test('R34: raising to the same epoch again does not reopen what was closed in it; a lower one does nothing', async () => {
  const { storefront, cache } = await fixture.shard(10);
  await cache.raiseEpoch(SALE, 'c0', 3);
  await cache.closeTokens(SALE, 'c0', 3, 40, []);
  for (const epoch of [3, 2, 0]) await cache.raiseEpoch(SALE, 'c0', epoch);
  expect(await storefront.checkout(SALE, [row({ sequence: 40, epoch: 3 }), row({ epoch: 2 })], HOUR)).toEqual([
    'expired',
    'expired',
  ]);
});

test('R32: a node that is new to the shard sells after its epoch was raised', async () => {
  const { storefront, cache } = await fixture.shard(10);
  const token = row({ node: 'c9', sequence: 1 });
  expect(await storefront.checkout(SALE, [token], HOUR)).toEqual(['expired']);
  await cache.raiseEpoch(SALE, 'c9', 1);
  expect(await storefront.checkout(SALE, [token], HOUR)).toEqual(['sold']);
});

test('R32: recovery reads every unit ever ordered, by node and by buyer, cancelled ones too', async () => {
  const { storefront, cache } = await fixture.shard(20);
  const gone = row({ buyer: 'ada', quantity: 3 });
  await storefront.checkout(
    SALE,
    [gone, row({ buyer: 'ada', quantity: 2, node: 'c1' }), row({ buyer: 'bob', quantity: 4 })],
    HOUR,
  );
  await storefront.cancel(SALE, gone.token, 'ada');
  expect(await cache.orderedThrough(SALE, 'c0')).toBe(7);
  expect(await cache.orderedThrough(SALE, 'c1')).toBe(2);
  expect(await cache.orderedThrough(SALE, 'c2')).toBe(0);
  expect(await cache.orderedByBuyer(SALE)).toEqual(
    new Map([
      ['ada', 5],
      ['bob', 4],
    ]),
  );
});

test('joining copies epochs only upward, keeps the incarnation for ever, and may be repeated', async () => {
  const { agent, cache, storefront } = await fixture.shard(10);
  await cache.raiseEpoch(SALE, 'c0', 5);
  await cache.closeTokens(SALE, 'c1', 1, 9, []);
  const { peerIncarnation } = await agent.state();
  await agent.join(SALE, 's0', peerIncarnation, [
    { node: 'c0', epoch: 4 },
    { node: 'c1', epoch: 1 },
    { node: 'c2', epoch: 2 },
  ]);
  const rows = [
    row({ epoch: 4 }),
    row({ epoch: 5 }),
    row({ node: 'c1', sequence: 9 }),
    row({ node: 'c2', epoch: 2, sequence: 1 }),
  ];
  expect(await storefront.checkout(SALE, rows, HOUR)).toEqual(['expired', 'sold', 'expired', 'sold']);
  await expect(agent.join('sale-2', 's0', peerIncarnation, [])).rejects.toThrow(WrongIncarnation);
  await expect(agent.join(SALE, 's1', peerIncarnation, [])).rejects.toThrow(WrongIncarnation);
  expect(await storefront.info()).toMatchObject({ incarnation: SALE });
});

test('a late call to join does not bind a database that was made anew to the sale of before', async () => {
  const shard = await openShard(fixture.server, await fixture.database(true));
  await expect(shard.agent.join('sale-0', 's0', 'the database of before', [])).rejects.toThrow(WrongIncarnation);
  expect(await shard.storefront.info()).toMatchObject({ incarnation: undefined });
  await joinSale(shard, SALE, 's0');
  expect(await shard.storefront.info()).toMatchObject({ incarnation: SALE });
  await shard.close();
});

test("another incarnation's calls are refused by every function", async () => {
  const { storefront, cache, agent } = await fixture.shard(10);
  const before = await agent.state();
  const calls = [
    () => storefront.order('sale-0', 't'),
    () => storefront.pay('sale-0', 't', 'b', 'p'),
    () => storefront.cancel('sale-0', 't', 'b'),
    () => cache.closeTokens('sale-0', 'c0', 1, 1, []),
    () => cache.raiseEpoch('sale-0', 'c0', 9),
    () => cache.orderedThrough('sale-0', 'c0'),
    () => cache.orderedByBuyer('sale-0'),
    () => agent.execute({ incarnation: 'sale-0', source: 's0', term: 1, sequence: 1, legs: [] }),
  ];
  for (const call of calls) await expect(call()).rejects.toThrow(WrongIncarnation);
  expect(await agent.state()).toEqual(before);
});

test('R28, R32: whatever is closed and raised in whatever order, a token sells only above both numbers', async () => {
  const { storefront, cache, sql } = await fixture.shard(10_000);
  const step = fc.oneof(
    fc.record({ close: fc.nat(20), epoch: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ raise: fc.integer({ min: 1, max: 4 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      await sql.query('UPDATE nodes SET epoch = 1, low_watermark = 0');
      let [epoch, closed] = [1, 0];
      for (const s of steps) {
        if ('raise' in s) {
          await cache.raiseEpoch(SALE, 'c0', s.raise);
          if (s.raise > epoch) [epoch, closed] = [s.raise, 0];
        } else {
          const found = await cache.closeTokens(SALE, 'c0', s.epoch, s.close, []);
          expect(found === undefined).toBe(s.epoch !== epoch);
          if (s.epoch === epoch) closed = Math.max(closed, s.close);
        }
      }
      const rows = [1, 2, 3, 4].flatMap((e) => [0, 5, 10, 20, 21].map((sequence) => row({ epoch: e, sequence })));
      const outcomes = await storefront.checkout(SALE, rows, HOUR);
      expect(outcomes).toEqual(rows.map((r) => (r.epoch === epoch && r.sequence > closed ? 'sold' : 'expired')));
    }),
    { numRuns: 60 },
  );
});
