// How the PostgreSQL servers of a sale are set, wherever a driver runs them. Pure. Durability is never traded for speed
// here: orders are money.

export const SUPERUSER = 'flashsale_superuser';
/** Name of its password among the secrets; no role of the data plane gets it. */
export const SUPERUSER_SECRET = 'postgres-superuser';

/** Arguments of initdb besides the folder and the password's file. Everybody proves a password, from everywhere. */
export const INITDB = ['-U', SUPERUSER, '-A', 'scram-sha-256', '-E', 'UTF8', '--locale=C'] as const;

/** What we set and why it is not the default. Nothing here may weaken a commit. */
const SETTINGS = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  password_encryption: 'scram-sha-256',
  // Reached over TCP by everyone alike.
  unix_socket_directories: '',
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

export interface ServerSettings {
  /** The data folder, as the server sees it. */
  data: string;
  listen: string;
  port: number;
  /** The most connections of all roles together. */
  connections: number;
  /** Memory for pages, such as `256MB`. */
  sharedBuffers: string;
}

/** The arguments for the command line of `postgres`. */
export function serverArguments({ data, listen, port, connections, sharedBuffers }: ServerSettings): string[] {
  const settings = {
    listen_addresses: listen,
    port: String(port),
    max_connections: String(connections),
    shared_buffers: sharedBuffers,
    ...SETTINGS,
  };
  return ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

export interface Users {
  /** The most storefronts that may run at once. */
  storefronts: number;
  nodes: number;
  shards: number;
  /** How many of the sale's databases this server holds. */
  databases: number;
}

/**
 * Connections enough for every role of a sale of this size; in powers of two, so that growing seldom asks for a restart.
 */
export function connectionsFor({ storefronts, nodes, shards, databases }: Users): number {
  const needed = storefronts * databases * 8 + nodes * databases * 2 + shards * 6 + 50;
  return Math.max(512, 2 ** Math.ceil(Math.log2(needed)));
}
