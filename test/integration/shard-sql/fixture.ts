// One PostgreSQL server for a test file, shards of a sale on it, and what every test may ask of a shard's rows.

import pg from 'pg';
import type {
  Epoch,
  Incarnation,
  NodeId,
  ShardId,
  StockHolderId,
  TokenId,
  Units,
} from '../../../dataplane/protocol/units.ts';
import { connectAgentRegistry, connectOperatorRegistry } from '../../../dataplane/stores/registry/postgres.ts';
import type { ResizeStep } from '../../../dataplane/stores/registry/registry.ts';
import {
  connectAgentShard,
  connectCacheShard,
  connectStorefrontShard,
} from '../../../dataplane/stores/shard/postgres.ts';
import type { CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';
import { type Postgres, type PostgresOptions, startPostgres } from '../../harness/postgres.ts';

export const SALE: Incarnation = 'sale-1';
export const HOUR = 3_600_000;

export type TestShard = Awaited<ReturnType<typeof openShard>>;
export type TestPool = Awaited<ReturnType<typeof openPool>>;

export interface Fixture {
  server: Postgres;
  /** A shard of its own database that has joined SALE, with nodes c0 and c1 at epoch 1 and `units` in stock. */
  shard(units?: Units, self?: ShardId): Promise<TestShard>;
  /** A database with a registry; `incarnation` is its own. */
  pool(): Promise<TestPool>;
  /** A database; `migrated`: as an agent leaves it that has not joined a sale. */
  database(migrated?: boolean): Promise<string>;
  stop(): Promise<void>;
}

export async function startFixture(options: PostgresOptions = {}): Promise<Fixture> {
  const server = await startPostgres(options);
  const opened: { close(): Promise<void> }[] = [];
  let count = 0;
  const database = async (migrated = false): Promise<string> => {
    const name = `db${count++}`;
    if (migrated) await copyTemplate(server, name);
    else await server.createDatabases([name]);
    return name;
  };
  return {
    server,
    database,
    async shard(units = 0, self = 's0') {
      const shard = await openShard(server, await database(true));
      opened.push(shard);
      await joinSale(shard, SALE, self, [
        { node: 'c0', epoch: 1 },
        { node: 'c1', epoch: 1 },
      ]);
      if (units > 0) await shard.agent.receive(delivery(self, units));
      return shard;
    },
    async pool() {
      const pool = await openPool(server, await database(true));
      opened.push(pool);
      return pool;
    },
    async stop() {
      await Promise.all(opened.map((o) => o.close()));
      await server.stop();
    },
  };
}

/** Copies a migrated database, which is faster than migrating one; the copy gets a life of its own. */
async function copyTemplate(server: Postgres, name: string): Promise<void> {
  const root = new pg.Client({ connectionString: server.superuserUrl });
  await root.connect();
  const found = await root.query("SELECT FROM pg_database WHERE datname = 'template'");
  if (found.rowCount === 0) {
    await server.createDatabases(['template']);
    const agent = connectAgentShard(server.address('template'), server.passwordOf('owner'));
    await agent.migrate();
    await agent.close();
  }
  await root.query(`CREATE DATABASE ${name} TEMPLATE template OWNER flashsale_owner`);
  await root.end();
  const client = await superuser(server, name);
  await client.query('UPDATE instance SET peer_incarnation = gen_random_uuid()');
  await client.end();
}

/** Joins as an agent does: by a call that names the database which it has read. */
export async function joinSale(
  { agent }: Pick<TestShard, 'agent'>,
  incarnation: Incarnation,
  self: StockHolderId,
  epochs: { node: NodeId; epoch: Epoch }[] = [],
): Promise<void> {
  await agent.join(incarnation, self, (await agent.state()).peerIncarnation, epochs);
}

/** Back to how a migration leaves a database; faster than another one. The clients' connections live on. */
export async function reset(shard: TestShard): Promise<void> {
  await shard.sql.query(`
    DELETE FROM ledger; DELETE FROM orders; DELETE FROM nodes; DELETE FROM received; DELETE FROM sent;
    DELETE FROM sale; DELETE FROM registry_nodes; DELETE FROM registry_shards;
    DELETE FROM stock; INSERT INTO stock DEFAULT VALUES;
    UPDATE relay SET version = 0;
    UPDATE instance SET incarnation = NULL, self = NULL`);
}

/** Stock from a pool that is not there. */
export const delivery = (to: StockHolderId, units: Units, version = 1, previous = 0) => ({
  incarnation: SALE,
  from: 'pool' as StockHolderId,
  fromIncarnation: 'pool-1',
  to,
  destination: to,
  units,
  version,
  previous,
});

export async function openShard(server: Postgres, database: string) {
  const address = server.address(database);
  const sql = await superuser(server, database);
  const agent = connectAgentShard(address, server.passwordOf('owner'));
  const storefront = connectStorefrontShard(address, server.passwordOf('storefront'), { timeout: 10_000 });
  const cache = connectCacheShard(address, server.passwordOf('cache'));
  return {
    database,
    address,
    /** As superuser, for looking and for standing in the way; no function under test is called by it. */
    sql,
    agent,
    storefront,
    cache,
    async close() {
      await Promise.all([agent.close(), storefront.close(), cache.close(), sql.end().catch(() => undefined)]);
    },
  };
}

async function openPool(server: Postgres, database: string) {
  const shard = await openShard(server, database);
  const registry = connectAgentRegistry(shard.address, server.passwordOf('owner'));
  const operator = connectOperatorRegistry(shard.address, server.passwordOf('operator'));
  await registry.initialize();
  const view = async () => {
    const found = await registry.read();
    if (!found) throw new Error('the registry was initialized and is gone');
    return found;
  };
  return {
    ...shard,
    registry,
    operator,
    view,
    /** A wish of the newest generation. */
    async wantNodes(count: number): Promise<boolean> {
      const { incarnation, generation } = await view();
      return operator.wantNodes(incarnation, generation, count);
    },
    async setPaused(paused: boolean): Promise<boolean> {
      const { incarnation, generation } = await view();
      return operator.setPaused(incarnation, generation, paused);
    },
    /** The next step of a resize, by an agent that has just looked. */
    async step(from: ResizeStep, to: ResizeStep): Promise<boolean> {
      const { incarnation, layout, nodes } = await view();
      return registry.resize(
        incarnation,
        layout,
        from,
        to,
        Object.fromEntries(nodes.map((n) => [n.id, n.granted - n.revoked])),
      );
    },
    incarnation: (await view()).incarnation,
    async close() {
      await Promise.all([registry.close(), operator.close()]);
      await shard.close();
    },
  };
}

export async function superuser(server: Postgres, database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url(database) });
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SET search_path = flashsale');
  return client;
}

/** A raw connection as a role, for transactions that stay open. */
export async function asRole(
  server: Postgres,
  database: string,
  role: Parameters<Postgres['passwordOf']>[0],
): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url(database, role) });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

let issued = 0;

/** A checkout row with a fresh token; `over` says what is special about it. */
export function row(over: Partial<CheckoutRow> = {}): CheckoutRow {
  issued += 1;
  const token: TokenId = `token-${String(issued).padStart(16, '0')}`;
  return { token, buyer: `buyer-${issued}`, quantity: 1, node: 'c0' as NodeId, epoch: 1, sequence: issued, ...over };
}

/** Waits until `count` connections of the database wait for a lock. */
export async function untilWaiting(sql: pg.Client, database: string, count = 1): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { rows } = await sql.query<{ n: string }>(
      "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'",
      [database],
    );
    if (Number(rows[0]?.n) >= count) return;
    if (Date.now() > deadline) throw new Error(`nobody waits for a lock in ${database}`);
  }
}

/**
 * What must hold of one database at every moment: versions without gaps, the ledger adds up to the stock (R9, R10),
 * one ledger row and one order for each other, totals as the rows say. Answers one sentence for each thing wrong.
 */
export async function wrongWith(sql: pg.Client): Promise<string[]> {
  const { rows } = await sql.query<{ claim: string; holds: boolean }>(`
    WITH l AS (SELECT count(*) AS n, coalesce(min(version), 1) AS low, coalesce(max(version), 0) AS high,
                      coalesce(sum(delta), 0) AS sum FROM ledger)
    SELECT c.claim, c.holds FROM stock s, l, LATERAL (VALUES
      ('stock is not negative', s.available >= 0),
      ('versions are 1…n without gaps', l.low = 1 AND l.high = l.n AND l.n = s.version),
      ('the ledger adds up to the stock', l.sum = s.available),
      ('each order has one ledger row, and the other way round', NOT EXISTS (
         SELECT FROM (SELECT ref, delta, count(*) OVER (PARTITION BY ref) AS n FROM ledger WHERE kind = 'order') x
           FULL JOIN orders o ON o.token = x.ref
          WHERE x.ref IS NULL OR o.token IS NULL OR x.delta <> -o.quantity OR x.n <> 1)),
      ('an order is cancelled exactly if a ledger row gave it back', NOT EXISTS (
         SELECT FROM (SELECT * FROM ledger WHERE kind = 'cancel') x
           FULL JOIN (SELECT * FROM orders WHERE status = 'cancelled') o ON o.token = x.ref
          WHERE x.ref IS NULL OR o.token IS NULL OR x.delta <> o.quantity)),
      ('sold is what was ever ordered', s.sold = (SELECT coalesce(sum(quantity), 0) FROM orders)),
      ('cancelled is what was cancelled of it',
        s.cancelled = (SELECT coalesce(sum(quantity), 0) FROM orders WHERE status = 'cancelled')),
      ('received is what came to stay', s.received = (SELECT coalesce(sum(delta), 0) FROM ledger, instance
        WHERE kind = 'transfer_in' AND destination = self)),
      ('sent is what left from here first', NOT EXISTS (
         SELECT FROM (SELECT destination, -sum(delta) AS units FROM ledger
                       WHERE kind = 'transfer_out' AND ref NOT LIKE '%@%' GROUP BY 1) x
           FULL JOIN sent USING (destination) WHERE x.units IS DISTINCT FROM sent.units)),
      ('what the pool passed on is what it got for others',
        (SELECT coalesce(sum(delta), 0) FROM ledger, instance WHERE kind = 'transfer_in' AND destination <> self) =
        (SELECT coalesce(-sum(delta), 0) FROM ledger WHERE kind = 'transfer_out' AND ref LIKE '%@%')),
      ('each transfer names the one to the same hop before', NOT EXISTS (
         SELECT FROM (SELECT previous, coalesce(lag(version) OVER (PARTITION BY peer ORDER BY version), 0) AS before
                        FROM ledger WHERE kind = 'transfer_out') x WHERE previous <> before)),
      ('supplied is the sum of supply rows', coalesce((SELECT supplied FROM sale), 0) =
        (SELECT coalesce(sum(delta), 0) FROM ledger WHERE kind = 'supply'))
    ) AS c (claim, holds)`);
  return rows.filter((r) => !r.holds).map((r) => r.claim);
}
