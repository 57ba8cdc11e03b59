// The sale's one PostgreSQL server: how it is started (pure), and the steps that make its data folder, its roles and
// its databases, each idempotent. Durability is never traded for speed here: orders are money.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Address } from '../../dataplane/protocol/config.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './files.ts';
import type { Tools } from './tools.ts';

export const SUPERUSER = 'flashsale_superuser';

/**
 * The server gets its folder as an open file descriptor and reaches it by this name: when it runs as another user
 * (root's servers do), the folders above stay closed to that user.
 */
const HANDED_OVER = '/proc/self/fd/3';

/** What we set and why it is not the default. Nothing here may weaken a commit. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  // Reached over TCP by everyone alike.
  unix_socket_directories: '',
  shared_buffers: '256MB',
  // One hot row per shard: many small commits, and few checkpoints, each of which makes full pages of hot rows again.
  wal_compression: 'on',
  wal_buffers: '16MB',
  min_wal_size: '256MB',
  max_wal_size: '2GB',
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  // The stock row is updated thousands of times a second: its dead versions must go before they are walked through.
  autovacuum_naptime: '5s',
  autovacuum_vacuum_cost_delay: '1ms',
  // Every statement is short: planning more than it is worth only adds to it.
  jit: 'off',
  max_parallel_workers_per_gather: '0',
  // Nobody replicates from it.
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Lost clients are noticed while a statement of theirs waits for a lock.
  client_connection_check_interval: '1s',
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',
  log_checkpoints: 'off',
  log_line_prefix: '%m [%p] %u@%d ',
} as const;

export interface PostgresServer extends Address {
  /** Everything the server keeps is in `data` below it. */
  folder: string;
  /** Of all roles together, at most. */
  connections: number;
}

/** Connections enough for every role of a sale of this size; in powers of two, so that growing seldom asks for a restart. */
export function connectionsFor(sale: { storefronts: number; nodes: number; shards: number }): number {
  const needed = sale.storefronts * (sale.shards + 1) * 8 + sale.nodes * (sale.shards + 1) * 2 + sale.shards * 6 + 50;
  return Math.max(512, 2 ** Math.ceil(Math.log2(needed)));
}

const seenBy = (server: PostgresServer, user: Tools['postgresUser']): string => (user ? HANDED_OVER : server.folder);

export function postgresArguments(server: PostgresServer, user: Tools['postgresUser']): string[] {
  const settings = {
    listen_addresses: server.host,
    port: String(server.port),
    max_connections: String(server.connections),
    ...SETTINGS,
  };
  const data = join(seenBy(server, user), 'data');
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** Makes the data folder, unless there is one. Cut off half-way, it begins anew. */
export async function initialize(
  server: PostgresServer,
  tools: Tools,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const { folder } = server;
  const user = tools.postgresUser;
  const own = (path: string) => (user ? chownSync(path, user.uid, user.gid) : undefined);
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  chmodSync(folder, PRIVATE_FOLDER);
  own(folder);
  if (existsSync(join(folder, 'data'))) return;
  const unfinished = join(folder, 'data.unfinished');
  const passwordFile = join(folder, 'password');
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: PRIVATE_FILE });
  own(passwordFile);
  const inside = seenBy(server, user);
  try {
    await run(
      join(tools.postgresBin, 'initdb'),
      [
        ...['-D', join(inside, 'data.unfinished'), '-U', SUPERUSER, '--pwfile', join(inside, 'password')],
        ...['-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'],
      ],
      folder,
      user,
      signal,
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(unfinished, join(folder, 'data'));
}

/** Resolves on success, rejects with the last line it said. `folder` is handed over as file descriptor 3. */
function run(
  command: string,
  args: string[],
  folder: string,
  user: Tools['postgresUser'],
  signal: AbortSignal,
): Promise<void> {
  const handle = openSync(folder, 'r');
  return new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', signal, stdio: ['ignore', 'ignore', 'pipe', handle], ...user });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(said.trim().split('\n').at(-1) || `${command} ended with ${code}`)),
    );
  }).finally(() => closeSync(handle));
}
