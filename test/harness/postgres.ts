// A real PostgreSQL server for one test file: own data folder, own port, scram passwords, fsync on, the roles of
// dataplane/stores/shard/sql/roles.sql. Must never outlive the process that started it.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { DATABASE_USERS, type DatabaseUser, databaseRole } from '../../dataplane/protocol/config.ts';
import { makeRoles } from '../../dataplane/stores/shard/roles.ts';
import { SUPERUSER } from '../../operator/topology/postgres-settings.ts';
import { makeFirstData, POSTGRES_BIN, POSTGRES_USER } from './first-data.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

const HOST = '127.0.0.1';
/** A test run that is killed takes its servers along: the kernel tells them, as nobody else can. */
const DIE_WITH_PARENT = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'INT', '--'] : [];

export interface PostgresOptions {
  /** Off only where a test loads much and proves nothing about crashes. */
  fsync?: boolean;
  /** More lines for the command line, `-c name=value` each. */
  settings?: Record<string, string>;
}

export interface Postgres {
  host: string;
  port: number;
  /** Folder of the PostgreSQL programs (pg_dump, pgbench, …). */
  bin: string;
  /** To the database `postgres`, as superuser. */
  superuserUrl: string;
  passwordOf(user: DatabaseUser): string;
  /** For `pg`, libpq and the programs alike. `user` absent: the superuser. */
  url(database: string, user?: DatabaseUser): string;
  /** What the clients' connect functions take. */
  address(database: string): { host: string; port: number; database: string };
  /** Owned by flashsale_owner; empty until an agent migrates them. */
  createDatabases(names: string[]): Promise<void>;
  dropDatabases(names: string[]): Promise<void>;
  /** Like a power failure of the server: every process of it is gone at once, nothing is flushed. */
  kill9(): Promise<void>;
  /** Starts it again on the same port and data, after `kill9` or from running (then a fast shutdown comes first). */
  restart(): Promise<void>;
  /** Fast shutdown; the data folder is removed. */
  stop(): Promise<void>;
}

/** Backends lead process groups of their own, so they are found as the postmaster's children. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/** Of a process that may be gone already. */
export function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

const alive = (pid: number): boolean => {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-postgres-'));
  const data = join(folder, 'data');
  const secrets = new Map<string, string>([
    [SUPERUSER, makeFirstData(folder)],
    ...DATABASE_USERS.map((u): [string, string] => [databaseRole(u), randomBytes(12).toString('hex')]),
  ]);
  const secretOf = (role: string): string => {
    const secret = secrets.get(role);
    if (secret === undefined) throw new Error(`no such role: ${role}`);
    return secret;
  };
  const port = await freePort();
  const url = (database: string, as?: DatabaseUser): string => {
    const role = as ? databaseRole(as) : SUPERUSER;
    return `postgres://${role}:${secretOf(role)}@${HOST}:${port}/${database}`;
  };

  let server: ChildProcess | undefined;
  let output = '';
  const killAll = (): void => {
    if (server?.pid === undefined) return;
    const children = childrenOf(server.pid);
    killNow(server.pid);
    children.forEach(killNow);
  };
  process.once('exit', killAll);

  async function asSuperuser<T>(database: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: url(database) });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  }

  async function start(): Promise<void> {
    const settings: Record<string, string> = {
      listen_addresses: HOST,
      port: String(port),
      unix_socket_directories: folder,
      fsync: options.fsync === false ? 'off' : 'on',
      max_connections: '200',
      // As a sale has it (operator/topology/postgres-settings.ts): plans for few rows are not worth compiling.
      jit: 'off',
      ...options.settings,
    };
    const command = [
      ...DIE_WITH_PARENT,
      join(POSTGRES_BIN, 'postgres'),
      '-D',
      data,
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const [program = '', ...rest] = command;
    const child = spawn(program, rest, { ...POSTGRES_USER, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    server = child;
    child.stderr?.on('data', (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-8_000);
    });
    await until('PostgreSQL to accept connections', async () => {
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`PostgreSQL ended:\n${output}`);
      return asSuperuser('postgres', () => Promise.resolve(true)).catch(() => false);
    });
  }

  const ended = (child: ChildProcess): Promise<true> =>
    until('PostgreSQL to end', () => child.exitCode !== null || child.signalCode !== null);

  async function shutDown(): Promise<void> {
    if (!server) return;
    server.kill('SIGINT');
    await ended(server);
    server = undefined;
  }

  await start();
  await asSuperuser('postgres', (client) => makeRoles(client, (u) => secretOf(databaseRole(u))));

  return {
    host: HOST,
    port,
    bin: POSTGRES_BIN,
    superuserUrl: url('postgres'),
    passwordOf: (u) => secretOf(databaseRole(u)),
    url,
    address: (database) => ({ host: HOST, port, database }),
    createDatabases: (names) =>
      asSuperuser('postgres', async (client) => {
        for (const name of names)
          await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)} OWNER ${databaseRole('owner')}`);
      }),
    dropDatabases: (names) =>
      asSuperuser('postgres', async (client) => {
        for (const name of names)
          await client.query(`DROP DATABASE IF EXISTS ${client.escapeIdentifier(name)} WITH (FORCE)`);
      }),
    async kill9() {
      if (server?.pid === undefined) return;
      const everyone = [server.pid, ...childrenOf(server.pid)];
      const child = server;
      killAll();
      await ended(child);
      await until('every backend to end', () => !everyone.some(alive));
      server = undefined;
    },
    async restart() {
      await shutDown();
      await start();
    },
    async stop() {
      await shutDown();
      process.removeListener('exit', killAll);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
