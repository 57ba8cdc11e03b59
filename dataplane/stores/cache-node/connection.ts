// One connection to one Redis server, as every caller here wants it: nothing is ever sent twice, nothing waits for a
// server that is away, and it reconnects for ever. A call that was not answered rejects with StoreUnknown: it may have
// been carried out.
//
// The timeout belongs to the connection, not to the command: Redis answers in order, so a command that waits too long
// means that nothing at all came back for that long. Then the connection is destroyed with everything in flight. A
// timer for each command would cost as much as a tenth of a purchase.

import { Redis, type RedisOptions, ReplyError } from 'ioredis';
import type { Address } from '../../protocol/config.ts';
import type { Millis } from '../../protocol/units.ts';
import { StoreUnknown } from '../errors.ts';
import type { LuaScript } from './scripts.ts';

export interface RedisClientOptions {
  /**
   * How long a connection with calls in flight may be silent before it is given up. It is also the time for connecting.
   */
  timeout?: Millis;
}

/** The type of ioredis's options without the one by which the library types its constructor. */
export type ConnectionOptions = Omit<RedisOptions, 'replyMapping'>;

const TIMEOUT: Millis = 1000;
const RECONNECT_FIRST: Millis = 20;
const RECONNECT_MOST: Millis = 500;

/**
 * Returns a wait that doubles up to half a second, and is spread, because all storefronts lose a node at the same
 * moment.
 */
const reconnectAfter = (attempt: number): Millis =>
  Math.min(RECONNECT_MOST, RECONNECT_FIRST * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);

export const redisOptions = (
  { host, port }: Address,
  username: string,
  password: string,
  { timeout = TIMEOUT }: RedisClientOptions,
): ConnectionOptions => ({
  host,
  port,
  username,
  password,
  protocol: 2,
  connectTimeout: timeout,
  socketTimeout: timeout,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: reconnectAfter,
  // A server that still loads answers LOADING, which is refused like any other failure; no INFO, for least privilege.
  enableReadyCheck: false,
  disableClientInfo: true,
});

/**
 * Returns true for `ERR …`, a mistake in a script or a call. Every other error is about the server or the user (off,
 * loading, full).
 */
const isMistake = (error: unknown): boolean =>
  error instanceof ReplyError && (error as Error).message.startsWith('ERR ');

const isUnloaded = (error: unknown): boolean =>
  error instanceof ReplyError && (error as Error).message.startsWith('NOSCRIPT');

export class RedisConnection {
  readonly redis: Redis;

  constructor(options: ConnectionOptions) {
    this.redis = new Redis(options);
    // Every failure already rejects the calls it concerns; without a listener it would be printed as well.
    this.redis.on('error', () => undefined);
  }

  /** Runs a script. It passes no KEYS: a script's header names the keys it uses, and one node is one server. */
  async script(script: LuaScript, args: (string | number)[]): Promise<unknown> {
    try {
      return await this.redis.evalsha(script.sha, 0, ...args);
    } catch (error) {
      // The server was restarted and has not seen this script: it did not run, so sending it whole is no repeat.
      if (isUnloaded(error)) return this.command((redis) => redis.eval(script.lua, 0, ...args));
      throw this.#unknown(error);
    }
  }

  async command<T>(call: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await call(this.redis);
    } catch (error) {
      throw this.#unknown(error);
    }
  }

  async close(): Promise<void> {
    this.redis.disconnect();
  }

  #unknown(error: unknown): unknown {
    if (isMistake(error)) return error;
    const { host, port } = this.redis.options;
    const why = this.redis.status === 'ready' && error instanceof Error ? error.message : `it is ${this.redis.status}`;
    return new StoreUnknown(`the cache node at ${host}:${port} did not answer: ${why}`, { cause: error });
  }
}
