// Brings one database to the newest schema: applies the numbered files of dataplane/stores/shard/sql/migrations in
// order, each in a transaction that records it. Several runs may happen at once; a file is applied once. A file that
// has shipped must never be renamed or renumbered: a database that has it is then refused.

import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { SchemaMismatch } from '../errors.ts';
import { connectionConfig, type DatabaseAddress, translate } from '../postgres.ts';

const FOLDER = new URL('./sql/migrations/', import.meta.url);
/** The key of the advisory lock that one run holds in its database: "flash" in ASCII. */
const LOCK = 0x666c617368;

interface Migration {
  number: number;
  name: string;
  sql: string;
}

function migrations(): Migration[] {
  return readdirSync(FOLDER)
    .filter((file) => /^\d{3}_\w+\.sql$/.test(file))
    .sort()
    .map((name, i) => {
      const number = Number(name.slice(0, 3));
      if (number !== i + 1)
        throw new SchemaMismatch(`migrations are numbered without gaps, but ${name} comes as number ${i + 1}`);
      return { number, name, sql: readFileSync(new URL(name, FOLDER), 'utf8') };
    });
}

const BOOTSTRAP = `
  CREATE SCHEMA IF NOT EXISTS flashsale;
  CREATE TABLE IF NOT EXISTS flashsale.migrations (
    number integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;

async function run(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
  await client.query(BOOTSTRAP);
  await client.query('SET search_path = flashsale, pg_temp');
  const { rows } = await client.query<{ number: number; name: string }>('SELECT number, name FROM migrations');
  const applied = new Map(rows.map((r) => [r.number, r.name]));
  const wanted = migrations();
  const newest = Math.max(0, ...applied.keys());
  if (newest > wanted.length)
    throw new SchemaMismatch(`this database has migration ${newest}, newer than this program's ${wanted.length}`);
  for (const { number, name, sql } of wanted) {
    const before = applied.get(number);
    if (before === name) continue;
    if (before !== undefined)
      throw new SchemaMismatch(`migration ${number} was applied as ${before}, and is ${name} now`);
    await client.query('BEGIN');
    await client.query(sql);
    await client.query('INSERT INTO migrations (number, name) VALUES ($1, $2)', [number, name]);
    await client.query('COMMIT');
  }
}

/**
 * Migrates as flashsale_owner. Rejects with StoreUnknown when the database is away. A file that failed leaves nothing
 * behind.
 */
export async function migrate(address: DatabaseAddress, password: string): Promise<void> {
  const client = new pg.Client(
    connectionConfig(address, 'owner', password, { timeout: 60_000, connectTimeout: 2_000 }),
  );
  client.on('error', () => undefined);
  try {
    await client.connect();
    await run(client);
  } catch (error) {
    throw translate(error);
  } finally {
    await client.end().catch(() => undefined);
  }
}
