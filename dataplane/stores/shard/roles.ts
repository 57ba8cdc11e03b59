// Makes the database roles of one PostgreSQL server, by roles.sql. It can be repeated: roles that are there stay, and get
// the passwords that are given.

import { readFileSync } from 'node:fs';
import type { ClientBase } from 'pg';
import { DATABASE_USERS, type DatabaseUser } from '../../protocol/config.ts';

const ROLES = new URL('./sql/roles.sql', import.meta.url);

/** `client` is a superuser's, in no transaction. Rejects with PostgreSQL's error, and then has changed nothing. */
export async function makeRoles(client: ClientBase, passwordOf: (user: DatabaseUser) => string): Promise<void> {
  await client.query('BEGIN');
  try {
    for (const user of DATABASE_USERS)
      await client.query('SELECT set_config($1, $2, true)', [`flashsale.${user}_password`, passwordOf(user)]);
    await client.query(readFileSync(ROLES, 'utf8'));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
