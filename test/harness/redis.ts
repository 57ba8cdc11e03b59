// Starts a real cache node for a test: redis-server in a folder of its own, on a free port, with the configuration
// the drivers use. Whoever starts one stops it.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisOptions as ConnectionOptions, Redis } from 'ioredis';
import { GATED_REDIS_USERS, type RedisUser } from '../../dataplane/protocol/config.ts';
import { redisConf } from '../../dataplane/runtime/redis-conf.ts';
import { freePort } from './ports.ts';
import { until } from './until.ts';

export interface RedisOptions {
  durability?: 'Always' | 'EverySecond';
  /** Turn every user on at once, as if an agent had found the node fit; again after each restart. */
  enabled?: boolean;
}

export interface TestRedis {
  host: string;
  port: number;
  passwordOf(user: RedisUser): string;
  /** Ends the server and removes its data. */
  stop(): Promise<void>;
  /** The server dies on the spot; `restart` brings it back. */
  kill9(): Promise<void>;
  /** Starts the server again on the same port (ending it first if it runs), with or without its data. */
  restart(how?: { wipe?: boolean }): Promise<void>;
  /** A plain connection, for looking around; ended by `stop`. One per user, unless it is to have options. */
  raw(user?: RedisUser, options?: Pick<ConnectionOptions, 'retryStrategy'>): Redis;
}

const HOST = '127.0.0.1';

export async function startRedis(options: RedisOptions = {}): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'flashsale-redis-'));
  const port = await freePort();
  const passwordOf = (user: RedisUser) => `${user}-secret`;
  const conf = redisConf({
    bind: [HOST],
    port,
    folder,
    durability: options.durability ?? 'Always',
    passwords: {
      agent: passwordOf('agent'),
      storefront: passwordOf('storefront'),
      pool: passwordOf('pool'),
      audit: passwordOf('audit'),
    },
  });
  const file = join(folder, 'redis.conf');
  await writeFile(file, conf);
  const connections: Redis[] = [];
  const plain = new Map<RedisUser, Redis>();
  let child: ChildProcess | undefined;

  const raw: TestRedis['raw'] = (user = 'agent', options) => {
    const known = options === undefined ? plain.get(user) : undefined;
    if (known) return known;
    const connection = new Redis({
      host: HOST,
      port,
      username: user,
      password: passwordOf(user),
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
      enableReadyCheck: false,
      ...options,
    });
    connection.on('error', () => {});
    connections.push(connection);
    if (options === undefined) plain.set(user, connection);
    return connection;
  };

  const start = async () => {
    child = spawn('redis-server', [file], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.on('data', (text) => {
      output += text;
    });
    child.stderr?.on('data', (text) => {
      output += text;
    });
    const died = new Promise<never>((_, reject) => {
      child?.once('error', reject);
      child?.once('exit', (code) => reject(new Error(`redis-server ended with ${code}:\n${output}`)));
    });
    died.catch(() => {});
    const connection = raw('agent', {});
    const answers = () => connection.ping().then(Boolean, () => false);
    await Promise.race([until('redis-server to answer', answers), died]);
    if (options.enabled) for (const user of GATED_REDIS_USERS) await connection.call('ACL', 'SETUSER', user, 'on');
    connection.disconnect();
  };

  const end = async (signal: NodeJS.Signals) => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null || running.signalCode !== null) return;
    const gone = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await gone;
  };

  // A test run that ends before `stop` leaves no server behind.
  const killNow = () => child?.kill('SIGKILL');
  process.once('exit', killNow);
  await start();
  return {
    host: HOST,
    port,
    passwordOf,
    raw,
    stop: async () => {
      for (const connection of connections) connection.disconnect();
      await end('SIGKILL');
      process.off('exit', killNow);
      await rm(folder, { recursive: true, force: true });
    },
    kill9: () => end('SIGKILL'),
    restart: async (how = {}) => {
      await end('SIGTERM');
      if (how.wipe) await rm(join(folder, 'appendonlydir'), { recursive: true, force: true });
      await start();
    },
  };
}
