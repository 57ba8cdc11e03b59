// The roles and databases of a sale in a PostgreSQL server, wherever a driver runs it. Idempotent, and safe to cut off:
// what is there already stays, and passwords become those of the sale's secrets.

import { Client } from 'pg';
import { type Address, databaseRole, databaseSecret } from '../../dataplane/protocol/config.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import { makeRoles } from '../../dataplane/stores/shard/roles.ts';

/** A user of the server who may make roles and databases, and the server's address. */
export interface Administrator extends Address {
  user: string;
  password: string;
}

/** Makes the roles with their passwords, and a database for each name. Resolves with the names of those it made; rejects when the server cannot be asked. */
export async function provision(by: Administrator, databases: string[], secret: Secret): Promise<string[]> {
  const client = new Client({
    ...by,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
    query_timeout: 30_000,
  });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await makeRoles(client, (user) => secret(databaseSecret(user)));
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database');
    const missing = databases.filter((name) => !rows.some(({ datname }) => datname === name));
    for (const name of missing)
      await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)} OWNER ${databaseRole('owner')}`);
    return missing;
  } finally {
    await client.end().catch(() => undefined);
  }
}
