// checkout: one lock and one commit for a batch, outcomes as if the rows came one after the other.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WrongIncarnation } from '../../../dataplane/stores/errors.ts';
import { connectStorefrontShard } from '../../../dataplane/stores/shard/postgres.ts';
import type { CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';
import {
  asRole,
  type Fixture,
  HOUR,
  row,
  SALE,
  startFixture,
  type TestShard,
  untilWaiting,
  wrongWith,
} from './fixture.ts';

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

async function open(units: number): Promise<TestShard> {
  const shard = await fixture.shard(units);
  used.push(shard);
  return shard;
}

describe('a batch', () => {
  test('R6: real stock is deducted for tokens that pass, and only for them', async () => {
    const { storefront, agent, cache } = await open(10);
    await cache.closeTokens(SALE, 'c1', 1, 50, []);
    const outcomes = await storefront.checkout(
      SALE,
      [
        row({ quantity: 2 }),
        row({ epoch: 2 }),
        row({ node: 'c7' }),
        row({ node: 'c1', sequence: 50 }),
        row({ node: 'c1', sequence: 51 }),
      ],
      HOUR,
    );
    expect(outcomes).toEqual(['sold', 'expired', 'expired', 'expired', 'sold']);
    expect(await agent.state()).toMatchObject({ available: 7, sold: 3, version: 3, missed: 0 });
  });

  test.each([
    { stock: 3, asked: [2, 2, 1], outcomes: ['sold', 'short', 'sold'], missed: 2, most: 2 },
    { stock: 0, asked: [1, 4, 2], outcomes: ['short', 'short', 'short'], missed: 7, most: 4 },
    { stock: 5, asked: [5, 1, 1], outcomes: ['sold', 'short', 'short'], missed: 2, most: 1 },
    { stock: 4, asked: [5, 4], outcomes: ['short', 'sold'], missed: 5, most: 5 },
  ])('R26: of $asked with $stock in stock only fitting rows consume, in their order', async (c) => {
    const { storefront, agent } = await open(c.stock);
    const rows = c.asked.map((quantity) => row({ quantity }));
    expect(await storefront.checkout(SALE, rows, undefined)).toEqual(c.outcomes);
    expect(await agent.state()).toMatchObject({ missed: c.missed, missedMax: c.most });
  });

  test('R27: a token that comes twice in one batch makes one order', async () => {
    const { storefront, agent } = await open(10);
    const [a, b] = [row(), row()];
    expect(await storefront.checkout(SALE, [a, b, a, { ...a, buyer: 'another' }], HOUR)).toEqual([
      'sold',
      'sold',
      'known',
      'known',
    ]);
    expect(await agent.state()).toMatchObject({ available: 8, sold: 2 });
  });

  test('R27: a token that was too big for the stock once may fit as it comes again in the batch', async () => {
    const { storefront } = await open(2);
    const a = row({ quantity: 3 });
    const outcomes = await storefront.checkout(SALE, [a, { ...a, quantity: 2 }, a], HOUR);
    expect(outcomes).toEqual(['short', 'sold', 'known']);
  });

  test('R27: a token that sold earlier in the batch is known, though its row comes again with a dead epoch', async () => {
    const { storefront } = await open(2);
    const a = row();
    expect(await storefront.checkout(SALE, [a, { ...a, epoch: 0 }], HOUR)).toEqual(['sold', 'known']);
  });

  test('R34: sent again, it answers the orders of before and changes nothing, whatever the row says', async () => {
    const { storefront, agent } = await open(10);
    const rows = [row({ buyer: 'ada', quantity: 2 }), row()];
    await storefront.checkout(SALE, rows, HOUR);
    const before = await agent.state();
    const [first] = rows as [CheckoutRow, CheckoutRow];
    const again = [...rows, { ...first, buyer: 'eve', quantity: 9, epoch: 5, node: 'c1' as const }];
    expect(await storefront.checkout(SALE, again, undefined)).toEqual(['known', 'known', 'known']);
    expect(await agent.state()).toEqual(before);
    expect(await storefront.order(SALE, first.token)).toMatchObject({ buyer: 'ada', quantity: 2, status: 'placed' });
  });

  test('an order that exists is answered before the fence is asked, and a cancelled one as cancelled', async () => {
    const { storefront, cache } = await open(10);
    const [kept, gone] = [row({ buyer: 'ada' }), row({ buyer: 'bob' })];
    await storefront.checkout(SALE, [kept, gone], HOUR);
    await storefront.cancel(SALE, gone.token, 'bob');
    await cache.raiseEpoch(SALE, 'c0', 2);
    expect(await storefront.checkout(SALE, [kept, gone, row()], HOUR)).toEqual(['known', 'cancelled', 'expired']);
  });

  test('without a payment deadline an order is final', async () => {
    const { storefront } = await open(1);
    const a = row();
    await storefront.checkout(SALE, [a], undefined);
    const order = await storefront.order(SALE, a.token);
    expect(order).toEqual({ token: a.token, buyer: a.buyer, quantity: 1, status: 'final' });
  });

  test('hostile names of buyers are just names', async () => {
    const { storefront, cache } = await open(20);
    const buyers = ['"', '\\', ',', '{}', 'NULL', '', "';DROP TABLE orders;--", 'é漢🛒', ' a\n\t', '\\"'];
    const rows = buyers.map((buyer) => row({ buyer }));
    expect(await storefront.checkout(SALE, rows, HOUR)).toEqual(buyers.map(() => 'sold'));
    expect(await cache.orderedByBuyer(SALE)).toEqual(new Map(buyers.map((b) => [b, 1])));
  });

  test('an empty one asks nobody', async () => {
    const { storefront, agent } = await open(1);
    expect(await storefront.checkout('another sale', [], HOUR)).toEqual([]);
    expect(await agent.state()).toMatchObject({ version: 1 });
  });

  test("another incarnation's is refused whole, and so is any before the shard has joined", async () => {
    const { storefront, agent } = await open(5);
    await expect(storefront.checkout('sale-0', [row()], HOUR)).rejects.toThrow(WrongIncarnation);
    expect(await agent.state()).toMatchObject({ version: 1, available: 5 });
    const address = fixture.server.address(await fixture.database(true));
    const shop = connectStorefrontShard(address, fixture.server.passwordOf('storefront'));
    expect(await shop.info()).toMatchObject({ incarnation: undefined });
    await expect(shop.checkout(SALE, [row()], HOUR)).rejects.toThrow('has not joined');
    await shop.close();
  });

  test.each(['repeatable read', 'serializable'])(
    'is refused at %s, where it could sell what was returned',
    async (level) => {
      const { database } = await open(5);
      const client = await asRole(fixture.server, database, 'storefront');
      await client.query(`BEGIN ISOLATION LEVEL ${level}`);
      await expect(
        client.query("SELECT flashsale.checkout($1, '{t}', '{b}', '{1}', '{c0}', '{1}', '{1}', NULL)", [SALE]),
      ).rejects.toMatchObject({ code: 'FS002' });
      await client.end();
    },
  );
});

describe('at the same moment', () => {
  const close = (upTo: number, tokens: string[]) =>
    ['SELECT flashsale.close_tokens($1, $2, $3, $4, $5) AS found', [SALE, 'c0', 1, upTo, tokens]] as const;

  test('R28: a checkout that waited for the lock while its token was closed does not sell it', async () => {
    const { storefront, sql, database } = await open(5);
    const token = row({ sequence: 7 });
    const agent = await asRole(fixture.server, database, 'cache');
    await agent.query('BEGIN');
    const [text, values] = close(7, [token.token]);
    const closed = await agent.query<{ found: string[] }>(text, [...values]);
    const checkout = storefront.checkout(SALE, [token], HOUR);
    await untilWaiting(sql, database);
    await agent.query('COMMIT');
    expect(closed.rows[0]?.found).toEqual([]);
    expect(await checkout).toEqual(['expired']);
    await agent.end();
  });

  test('R28: a close that waited while the token was sold finds the order', async () => {
    const { cache, sql, database } = await open(5);
    const shop = await asRole(fixture.server, database, 'storefront');
    await shop.query('BEGIN');
    await shop.query("SELECT flashsale.checkout($1, '{t}', '{b}', '{1}', '{c0}', '{1}', '{7}', NULL)", [SALE]);
    const closing = cache.closeTokens(SALE, 'c0', 1, 7, ['t', 'u']);
    await untilWaiting(sql, database);
    await shop.query('COMMIT');
    expect(await closing).toEqual(new Set(['t']));
    await shop.end();
  });

  test('R32: a checkout that waited while the epoch was raised does not sell', async () => {
    const { storefront, sql, database } = await open(5);
    const agent = await asRole(fixture.server, database, 'cache');
    await agent.query('BEGIN');
    await agent.query('SELECT flashsale.raise_epoch($1, $2, 2)', [SALE, 'c0']);
    const checkout = storefront.checkout(SALE, [row()], HOUR);
    await untilWaiting(sql, database);
    await agent.query('COMMIT');
    expect(await checkout).toEqual(['expired']);
    await agent.end();
  });

  test('R27: the same tokens from many connections make one order each, told as sold once', async () => {
    const { agent, address } = await open(1_000);
    const shops = Array.from({ length: 8 }, () =>
      connectStorefrontShard(address, fixture.server.passwordOf('storefront'), { timeout: 20_000 }),
    );
    const rows = Array.from({ length: 200 }, () => row());
    const told = await Promise.all(
      shops.flatMap((shop, s) =>
        Array.from({ length: 10 }, (_, k) => {
          // Overlapping windows, each in an order of its own.
          const batch = rows.slice((s * 10 + k * 7) % 150, ((s * 10 + k * 7) % 150) + 50);
          return shop.checkout(SALE, (s + k) % 2 ? batch : [...batch].reverse(), HOUR);
        }),
      ),
    );
    const sold = told.flat().filter((o) => o === 'sold').length;
    expect(new Set(told.flat())).toEqual(new Set(['sold', 'known']));
    expect((await agent.state()).sold).toBe(sold);
    expect(sold).toBeLessThanOrEqual(200);
    await Promise.all(shops.map((s) => s.close()));
  });

  test('R26: many connections on little stock sell all of it and no more', async () => {
    const { agent, address } = await open(500);
    const shops = Array.from({ length: 8 }, () =>
      connectStorefrontShard(address, fixture.server.passwordOf('storefront'), { timeout: 20_000 }),
    );
    const outcomes = await Promise.all(
      shops.flatMap((shop) =>
        Array.from({ length: 10 }, () =>
          shop.checkout(
            SALE,
            Array.from({ length: 16 }, () => row()),
            HOUR,
          ),
        ),
      ),
    );
    expect(outcomes.flat().filter((o) => o === 'sold')).toHaveLength(500);
    expect(await agent.state()).toMatchObject({ available: 0, sold: 500, missed: 780 });
    await Promise.all(shops.map((s) => s.close()));
  });
});
