// Connects the clients of shards and of the sale's registry to PostgreSQL: a few connections to one database as one
// database role, made when first needed and again after a loss. It never retries a statement, and never keeps a
// connection whose last answer is unknown.

import pg from 'pg';
import { type DatabaseUser, databaseRole } from '../protocol/config.ts';
import type { Millis } from '../protocol/units.ts';
import { SchemaMismatch, StoreUnknown, WrongIncarnation } from './errors.ts';

export interface DatabaseAddress {
  host: string;
  port: number;
  database: string;
}

export interface DatabaseOptions {
  /** The time for one statement, kept by the server. The client waits a little longer, then gives the connection up. */
  timeout: Millis;
  /** The time for TCP, authentication, and for a connection to become free. */
  connectTimeout: Millis;
  connections: number;
}

export const DEFAULTS: DatabaseOptions = { timeout: 5_000, connectTimeout: 2_000, connections: 4 };

/** How much longer than the server the client waits for an answer. */
const SLACK: Millis = 1_000;
/** How long calls fail at once after a failed connect. It doubles with each failure. */
const BACKOFF: { first: Millis; most: Millis } = { first: 50, most: 1_000 };

/** Parses an int8 into a number. A value that a number cannot hold is an error, never a wrong number. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`${text} is not a safe integer`);
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => (oid === pg.types.builtins.INT8 ? parseInt8 : pg.types.getTypeParser(oid, format)),
};

/**
 * SQLSTATEs after which asking again later may help: connection (08), resources (53), shutdown, a server starting up
 * (57), locks and timeouts (40, 55P03), a standby (25006), a database, schema or function that is not there yet, a plan
 * of before a migration (0A000).
 * FS003 is our own "not ready yet".
 */
const UNKNOWN = /^(08|0A000|53|57|40|55P03|25006|3D000|3F000|42883|42P01|28|FS003)/;

export function translate(error: unknown): Error {
  if (error instanceof pg.DatabaseError) {
    const code = error.code ?? '';
    if (code === 'FS001') return new WrongIncarnation(error.message);
    return UNKNOWN.test(code) ? new StoreUnknown(error.message, { cause: error }) : error;
  }
  if (error instanceof RangeError || error instanceof TypeError || error instanceof SchemaMismatch) return error;
  return new StoreUnknown(error instanceof Error ? error.message : String(error), { cause: error });
}

export function connectionConfig(
  address: DatabaseAddress,
  user: DatabaseUser,
  password: string,
  options: Pick<DatabaseOptions, 'timeout' | 'connectTimeout'>,
): pg.ClientConfig {
  return {
    host: address.host,
    port: address.port,
    database: address.database,
    user: databaseRole(user),
    password,
    application_name: databaseRole(user),
    statement_timeout: options.timeout,
    lock_timeout: options.timeout,
    query_timeout: options.timeout + SLACK,
    connectionTimeoutMillis: options.connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // An answer means: on disk. And each statement reads what was committed before it.
    options: '-c synchronous_commit=on -c default_transaction_isolation=read\\ committed',
    types,
  };
}

export class Database {
  readonly #connections: pg.Pool;
  #closed: Promise<void> | undefined;
  #downUntil = 0;
  #backoff: Millis = 0;

  constructor(address: DatabaseAddress, user: DatabaseUser, password: string, options: Partial<DatabaseOptions>) {
    const all = { ...DEFAULTS, ...options };
    this.#connections = new pg.Pool({
      ...connectionConfig(address, user, password, all),
      max: all.connections,
      idleTimeoutMillis: 60_000,
    });
    // An idle connection that ends is replaced by the next call.
    this.#connections.on('error', () => undefined);
  }

  /**
   * Runs one prepared statement. `name` must always name the same text. Rejects with StoreUnknown or WrongIncarnation;
   * any other error is a mistake in the call.
   */
  async rows<Row extends object>(name: string, text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = await this.#connect();
    let failure: Error | undefined;
    // A connection lost between two of its queries is reported by event only.
    const lost = (error: Error): void => {
      failure ??= translate(error);
    };
    client.on('error', lost);
    try {
      return (await client.query<Row>({ name, text, values: [...values] })).rows;
    } catch (error) {
      failure = translate(error);
      throw failure;
    } finally {
      client.removeListener('error', lost);
      client.release(failure !== undefined && !(failure instanceof WrongIncarnation));
    }
  }

  /**
   * Runs a function with one result: resolves to the first column of the only row, or to undefined for null or no row.
   */
  async value<T>(name: string, text: string, values: readonly unknown[] = []): Promise<T | undefined> {
    const [row] = await this.rows<Record<string, T | null>>(name, text, values);
    return (row && Object.values(row)[0]) ?? undefined;
  }

  /** Closes all connections. Calls after it are refused; it may be called again. */
  close(): Promise<void> {
    this.#closed ??= this.#connections.end();
    return this.#closed;
  }

  async #connect(): Promise<pg.PoolClient> {
    if (performance.now() < this.#downUntil) throw new StoreUnknown('the database could not be reached a moment ago');
    try {
      const client = await this.#connections.connect();
      this.#backoff = 0;
      return client;
    } catch (error) {
      this.#backoff = Math.min(BACKOFF.most, this.#backoff * 2 || BACKOFF.first);
      this.#downUntil = performance.now() + this.#backoff;
      throw translate(error);
    }
  }
}
