// The schema: what review reads is what a migration makes, and each role may do what it must and nothing else.

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DatabaseUser } from '../../../dataplane/protocol/config.ts';
import { SchemaMismatch } from '../../../dataplane/stores/errors.ts';
import { connectAgentShard } from '../../../dataplane/stores/shard/postgres.ts';
import { asRole, type Fixture, startFixture, superuser } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
});
afterAll(() => fixture.stop());

const agentOf = (database: string) =>
  connectAgentShard(fixture.server.address(database), fixture.server.passwordOf('owner'));

/** pg_dump without what changes from run to run or from one minor version to the next. */
async function dump(database: string): Promise<string> {
  const { server } = fixture;
  const { stdout } = await promisify(execFile)(
    join(server.bin, 'pg_dump'),
    ['--schema-only', '--no-owner', '--schema=flashsale', server.url(database)],
    { maxBuffer: 10_000_000 },
  );
  const lines = stdout.split('\n').filter((line) => !/^(--|SET |SELECT pg_catalog|\\(un)?restrict)/.test(line));
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

describe('migrations', () => {
  test('make exactly dataplane/stores/shard/sql/schema.sql, however often and by however many they are run', async () => {
    const database = await fixture.database();
    const agents = Array.from({ length: 3 }, () => agentOf(database));
    await Promise.all(agents.map((a) => a.migrate()));
    const before = await agents[0]?.state();
    await agents[1]?.migrate();
    expect(await agents[2]?.state()).toEqual(before);
    await Promise.all(agents.map((a) => a.close()));
    const header =
      '-- What the migrations make, for review in one place. Made by test/integration/shard-sql/schema.test.ts from a\n' +
      '-- freshly migrated database (vitest --update); change the migrations, never this file.\n\n';
    await expect(header + (await dump(database))).toMatchFileSnapshot('../../../dataplane/stores/shard/sql/schema.sql');
  });

  test('give each database a life of its own', async () => {
    const agents = [agentOf(await fixture.database()), agentOf(await fixture.database())];
    await Promise.all(agents.map((a) => a.migrate()));
    const [a, b] = await Promise.all(agents.map((agent) => agent.state()));
    expect(a?.peerIncarnation).toMatch(/^[0-9a-f-]{36}$/);
    expect(a?.peerIncarnation).not.toBe(b?.peerIncarnation);
    expect(a?.incarnation).toBeUndefined();
    await Promise.all(agents.map((agent) => agent.close()));
  });

  test.each([
    ['is newer than the program', "INSERT INTO migrations (number, name) VALUES (999, '999_later.sql')"],
    ['has another history', "UPDATE migrations SET name = '002_other.sql' WHERE number = 2"],
  ])('refuse a database that %s', async (_, change) => {
    const database = await fixture.database(true);
    const sql = await superuser(fixture.server, database);
    await sql.query(change);
    await sql.end();
    const agent = agentOf(database);
    await expect(agent.migrate()).rejects.toThrow(SchemaMismatch);
    await agent.close();
  });

  test('leave nothing of a file behind that fails', async () => {
    const database = await fixture.database(true);
    const sql = await superuser(fixture.server, database);
    await sql.query(
      'DELETE FROM migrations WHERE number >= 4; DROP FUNCTION classify_checkouts; CREATE FUNCTION checkout() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$',
    );
    const agent = agentOf(database);
    await expect(agent.migrate()).rejects.toThrow();
    expect((await sql.query("SELECT FROM pg_proc WHERE proname = 'classify_checkouts'")).rowCount).toBe(0);
    expect((await sql.query('SELECT FROM migrations')).rowCount).toBe(3);
    await Promise.all([agent.close(), sql.end()]);
  });
});

describe('roles', () => {
  const ALLOWED: Record<Exclude<DatabaseUser, 'owner'>, string[]> = {
    storefront: ['cancel', 'checkout', 'info', 'order_of', 'pay'],
    cache: [
      'close_tokens',
      'info',
      'ordered_by_buyer',
      'ordered_through',
      'raise_epoch',
      'raise_node_epoch',
      'registry',
    ],
    operator: ['next_term', 'outbox_backlog', 'registry', 'set_paused', 'set_supply', 'want_nodes'],
    audit: ['orders_page'],
  };
  const users = Object.keys(ALLOWED) as (keyof typeof ALLOWED)[];

  test.each(users)('R25: %s may execute its functions and no other', async (user) => {
    const sql = await superuser(fixture.server, await fixture.database(true));
    const { rows } = await sql.query<{ proname: string }>(
      `SELECT proname FROM pg_proc WHERE pronamespace = 'flashsale'::regnamespace
          AND has_function_privilege($1, oid, 'EXECUTE') ORDER BY 1`,
      [`flashsale_${user}`],
    );
    expect(rows.map((r) => r.proname)).toEqual(ALLOWED[user]);
    await sql.end();
  });

  test('no role but the audit reads a table, and none but the owner writes or creates one', async () => {
    const sql = await superuser(fixture.server, await fixture.database(true));
    const { rows } = await sql.query<{ role: string; rights: string }>(
      `
      SELECT role, string_agg(DISTINCT wish, ',' ORDER BY wish) AS rights
        FROM unnest($1::text[]) role, pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE,TRIGGER}'::text[]) wish
       WHERE c.relnamespace = 'flashsale'::regnamespace AND c.relkind IN ('r', 'v')
         AND has_table_privilege(role, c.oid, wish)
       GROUP BY 1`,
      [users.map((u) => `flashsale_${u}`)],
    );
    expect(rows).toEqual([{ role: 'flashsale_audit', rights: 'SELECT' }]);
    const unread = await sql.query(
      `SELECT relname FROM pg_class c WHERE relnamespace = 'flashsale'::regnamespace AND relkind IN ('r', 'v')
          AND NOT has_table_privilege('flashsale_audit', c.oid, 'SELECT')`,
    );
    expect(unread.rows).toEqual([]);
    for (const user of users)
      for (const schema of ['flashsale', 'public'])
        expect(
          (await sql.query("SELECT has_schema_privilege($1, $2, 'CREATE') AS may", [`flashsale_${user}`, schema])).rows,
        ).toEqual([{ may: false }]);
    await sql.end();
  });

  test('R25: a storefront that tries finds no way to the buyers', async () => {
    const database = await fixture.database();
    const agent = agentOf(database);
    await agent.migrate();
    await agent.close();
    const shop = await asRole(fixture.server, database, 'storefront');
    for (const text of [
      'SELECT * FROM flashsale.orders',
      'SELECT * FROM flashsale.stock FOR UPDATE',
      'UPDATE flashsale.stock SET available = 9',
      "SELECT flashsale.ordered_by_buyer('sale-1')",
      'SELECT flashsale.lock_stock()',
      'CREATE TEMP TABLE stock (available bigint)',
      'SET ROLE flashsale_owner',
    ])
      await expect(shop.query(text)).rejects.toMatchObject({ code: '42501' });
    await shop.end();
  });

  test('functions run as their owner with a search path that no caller can bend', async () => {
    const sql = await superuser(fixture.server, await fixture.database(true));
    const { rows } = await sql.query(
      `SELECT proname FROM pg_proc p
        WHERE pronamespace = 'flashsale'::regnamespace
          AND (pg_get_userbyid(proowner) <> 'flashsale_owner'
            OR EXISTS (SELECT FROM unnest($1::text[]) role WHERE has_function_privilege(role, p.oid, 'EXECUTE'))
               AND NOT (prosecdef AND 'search_path=flashsale, pg_temp' = ANY (coalesce(proconfig, '{}'))))`,
      [users.map((u) => `flashsale_${u}`)],
    );
    expect(rows).toEqual([]);
    await sql.end();
  });

  test('functions that write are volatile, so that each statement sees what was committed before it', async () => {
    const sql = await superuser(fixture.server, await fixture.database(true));
    const { rows } = await sql.query<{ proname: string }>(
      `SELECT proname FROM pg_proc
        WHERE pronamespace = 'flashsale'::regnamespace AND provolatile <> 'v'
          AND prosrc ~* '(lock_stock|lock_sale|INSERT INTO|UPDATE [a-z]+ )'`,
    );
    expect(rows).toEqual([]);
    await sql.end();
  });
});
