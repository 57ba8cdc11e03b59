// The clients: an answer that did not come is unknown, its connection is gone, and the next call finds the server again.

import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import { Database } from '../../../dataplane/stores/postgres.ts';
import { connectOperatorRegistry } from '../../../dataplane/stores/registry/postgres.ts';
import { connectAgentShard, connectStorefrontShard } from '../../../dataplane/stores/shard/postgres.ts';
import { type Fixture, HOUR, row, SALE, startFixture, superuser, untilWaiting, wrongWith } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture();
});
afterAll(() => fixture.stop());

const connections = async (shard: { sql: import('pg').Client; database: string }, role: string): Promise<number> => {
  const { rows } = await shard.sql.query<{ n: string }>(
    'SELECT count(*) AS n FROM pg_stat_activity WHERE datname = $1 AND usename = $2',
    [shard.database, `flashsale_${role}`],
  );
  return Number(rows[0]?.n);
};

async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await condition())) if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
}

test('R34: a batch that waits too long for the lock is unknown, its connection is given up, and it may be sent again', async () => {
  const shard = await fixture.shard(10);
  const shop = connectStorefrontShard(shard.address, fixture.server.passwordOf('storefront'), { timeout: 300 });
  await shard.sql.query('BEGIN');
  await shard.sql.query('SELECT FROM stock FOR UPDATE');
  const rows = [row(), row()];
  await expect(shop.checkout(SALE, rows, HOUR)).rejects.toThrow(StoreUnknown);
  await shard.sql.query('COMMIT');
  await eventually('the connection ends', async () => (await connections(shard, 'storefront')) === 0);
  expect(await shop.checkout(SALE, rows, HOUR)).toEqual(['sold', 'sold']);
  await shop.close();
});

test('R34: of a server that does not answer at all, the client gives up by itself', async () => {
  const held: Socket[] = [];
  const mute = createServer((socket) => held.push(socket));
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
  const address = mute.address();
  const port = address && typeof address === 'object' ? address.port : 0;
  const shop = connectStorefrontShard({ host: '127.0.0.1', port, database: 's0' }, 'x', { connectTimeout: 200 });
  await expect(shop.checkout(SALE, [row()], HOUR)).rejects.toThrow(StoreUnknown);
  await shop.close();
  for (const socket of held) socket.destroy();
  mute.close();
});

test('a checkout does not wait behind other calls', async () => {
  const shard = await fixture.shard(10);
  const shop = connectStorefrontShard(shard.address, fixture.server.passwordOf('storefront'), { timeout: 20_000 });
  await shop.checkout(SALE, [row()], HOUR);
  const blocker = await superuser(fixture.server, shard.database);
  await blocker.query('BEGIN');
  await blocker.query('LOCK TABLE orders IN ACCESS EXCLUSIVE MODE');
  const reads = Promise.all(Array.from({ length: 20 }, (_, i) => shop.order(SALE, `t${i}`)));
  await untilWaiting(shard.sql, shard.database, 4);
  // All of its own connections for reads are taken now; the batch is at the server all the same.
  const batch = shop.checkout(SALE, [row()], HOUR);
  await untilWaiting(shard.sql, shard.database, 5);
  await blocker.query('COMMIT');
  expect(await batch).toEqual(['sold']);
  expect(await reads).toHaveLength(20);
  await Promise.all([shop.close(), blocker.end()]);
});

test('R32: while the server is away calls are unknown, and once it is back they are answered', async () => {
  const shard = await fixture.shard(10);
  const sold = row();
  await shard.storefront.checkout(SALE, [sold], HOUR);
  await fixture.server.kill9();
  for (let i = 0; i < 20; i++) await expect(shard.storefront.order(SALE, sold.token)).rejects.toThrow(StoreUnknown);
  await expect(shard.storefront.checkout(SALE, [sold], HOUR)).rejects.toThrow(StoreUnknown);
  await expect(shard.agent.migrate()).rejects.toThrow(StoreUnknown);
  await fixture.server.restart();
  await eventually('the server answers', async () =>
    shard.storefront.checkout(SALE, [sold], HOUR).then(
      (o) => o[0] === 'known',
      () => false,
    ),
  );
  expect(await shard.storefront.order(SALE, sold.token)).toMatchObject({ status: 'placed' });
});

test('a database that is not made or not migrated yet is away, not wrong', async () => {
  const none = connectStorefrontShard(fixture.server.address('nowhere'), fixture.server.passwordOf('storefront'));
  await expect(none.info()).rejects.toThrow(StoreUnknown);
  const empty = fixture.server.address(await fixture.database());
  const agent = connectAgentShard(empty, fixture.server.passwordOf('owner'));
  await expect(agent.state()).rejects.toThrow(StoreUnknown);
  const operator = connectOperatorRegistry(empty, fixture.server.passwordOf('operator'));
  await expect(operator.read()).rejects.toThrow(StoreUnknown);
  await agent.migrate();
  expect(await agent.state()).toMatchObject({ version: 0 });
  expect(await operator.read()).toBeUndefined();
  await Promise.all([none.close(), agent.close(), operator.close()]);
});

test('a mistake in a call is told as what it is, and the connection serves on', async () => {
  const shard = await fixture.shard(10);
  await expect(shard.storefront.checkout(SALE, [row({ quantity: -1 })], HOUR)).rejects.toMatchObject({ code: '23514' });
  await expect(shard.storefront.checkout(SALE, [row({ quantity: 1.5 })], HOUR)).rejects.toMatchObject({
    code: '22P02',
  });
  expect(await shard.storefront.checkout(SALE, [row()], HOUR)).toEqual(['sold']);
  expect(await wrongWith(shard.sql)).toEqual([]);
});

test('a whole number that JavaScript cannot hold is an error, never another number', async () => {
  const shard = await fixture.shard();
  const database = new Database(shard.address, 'owner', fixture.server.passwordOf('owner'), {});
  expect(await database.value('a', 'SELECT 9007199254740991::bigint')).toBe(Number.MAX_SAFE_INTEGER);
  await expect(database.value('b', 'SELECT 9007199254740993::bigint')).rejects.toThrow(RangeError);
  expect(await database.value('a', 'SELECT 9007199254740991::bigint')).toBe(Number.MAX_SAFE_INTEGER);
  await database.close();
});

test('answers are on disk, and statements read what was committed before them', async () => {
  const shard = await fixture.shard();
  const database = new Database(shard.address, 'owner', fixture.server.passwordOf('owner'), { timeout: 1234 });
  const [settings] = await database.rows(
    'settings',
    `SELECT current_setting('synchronous_commit') AS commit, current_setting('transaction_isolation') AS isolation,
            current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock`,
  );
  expect(settings).toEqual({ commit: 'on', isolation: 'read committed', statement: '1234ms', lock: '1234ms' });
  await database.close();
});

test('closed, it refuses', async () => {
  const shard = await fixture.shard();
  const shop = connectStorefrontShard(shard.address, fixture.server.passwordOf('storefront'));
  await shop.info();
  await shop.close();
  await shop.close();
  await expect(shop.info()).rejects.toThrow();
});
