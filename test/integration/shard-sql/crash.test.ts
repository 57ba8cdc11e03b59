// kill -9 of the whole server while shards sell and stock moves: what was answered is there, what was unknown is asked
// again, and nothing is sold twice.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Transfer } from '../../../dataplane/protocol/messages.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import { connectStorefrontShard } from '../../../dataplane/stores/shard/postgres.ts';
import type { CheckoutOutcome, CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';
import { type Fixture, HOUR, row, SALE, startFixture, superuser, wrongWith } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

/** Asks until there is an answer. */
async function known<T>(call: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnknown) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

test('R10, R27, R32, R34: three crashes under load lose no order that was answered, and make none twice', async () => {
  const shard = await fixture.shard(2_000);
  const password = fixture.server.passwordOf('storefront');
  const shops = Array.from({ length: 4 }, () => connectStorefrontShard(shard.address, password));
  const answers = new Map<string, CheckoutOutcome>();
  let unknown = 0;
  let selling = true;

  async function sell(shop: (typeof shops)[number]): Promise<void> {
    while (selling) {
      const batch: CheckoutRow[] = Array.from({ length: 5 }, () => row());
      const outcomes = await known(async () => {
        try {
          return await shop.checkout(SALE, batch, HOUR);
        } catch (error) {
          unknown += 1;
          throw error;
        }
      });
      batch.forEach((r, i) => {
        answers.set(r.token, outcomes[i] ?? 'short');
      });
    }
  }

  const sellers = shops.map(sell);
  const crashes = 3;
  for (let crash = 1; crash <= crashes; crash++) {
    const before = answers.size;
    while (answers.size < before + 100) await new Promise((resolve) => setImmediate(resolve));
    await fixture.server.kill9();
    await fixture.server.restart();
  }
  selling = false;
  await Promise.all(sellers);

  expect(unknown).toBeGreaterThanOrEqual(crashes);
  const mine = await known(() => shard.agent.state());
  // The fixture's own connection died with the server.
  const sql = await superuser(fixture.server, shard.database);
  expect(await wrongWith(sql)).toEqual([]);
  const orders = new Set((await sql.query<{ token: string }>('SELECT token FROM orders')).rows.map((o) => o.token));
  const sold = [...answers].filter(([, outcome]) => outcome === 'sold' || outcome === 'known').map(([token]) => token);
  expect(new Set(sold)).toEqual(orders);
  expect(mine.sold).toBe(orders.size);
  // R11: the relay, whose bookmark may have fallen back, still tells of every one.
  const told = new Set<string>();
  for (;;) {
    const events = await known(() => shard.agent.orderEvents(500));
    const last = events.at(-1);
    if (!last) break;
    for (const e of events) told.add(e.order);
    await known(() => shard.agent.relayed(last.version));
  }
  expect(told).toEqual(new Set([...orders].map((token) => `s0-${token}`)));
  await Promise.all([...shops.map((s) => s.close()), sql.end()]);
}, 180_000);

test('R20, R22, R32: commands and receipts cut off by crashes move every unit once', async () => {
  const [source, target] = [await fixture.shard(300, 's0'), await fixture.shard(0, 'pool' as 's1')];
  // A pool receives only from the shards of its registry.
  const { peerIncarnation } = await source.agent.state();
  await target.sql.query('INSERT INTO registry_shards (shard, shard_incarnation) VALUES ($1, $2)', [
    's0',
    peerIncarnation,
  ]);
  let moving = true;
  const crashing = (async () => {
    for (let crash = 0; crash < 2; crash++) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await fixture.server.kill9();
      await fixture.server.restart();
    }
    moving = false;
  })();
  let sequence = 0;
  const deliver = async (): Promise<void> => {
    const above = (await known(() => target.agent.state())).receivedVersions.s0 ?? 0;
    const due: Transfer[] = await known(() => source.agent.transfersTo('pool', above, 50));
    for (const t of due) await known(() => target.agent.receive(t));
  };
  while (moving) {
    sequence += 1;
    const legs = [
      { destination: 'pool' as const, units: 1 },
      { destination: 'pool' as const, units: 2 },
    ];
    await known(() => source.agent.execute({ incarnation: SALE, source: 's0', term: 1, sequence, legs }));
    await deliver();
  }
  await crashing;
  await deliver();
  const [from, to] = [await known(() => source.agent.state()), await known(() => target.agent.state())];
  expect(from.sent.pool).toBe(to.received);
  expect(from.available + to.available).toBe(300);
  expect(from.command).toEqual({ term: 1, sequence });
}, 180_000);
