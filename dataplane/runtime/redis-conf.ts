// Renders the redis.conf of one cache node: durability, memory policy and access control. Pure; drivers write the
// text to a file. A node must never drop a key on its own (a key that vanishes takes stock with it), so there is no
// eviction and no expiry; and every user but the agent's starts off, so that nobody reads or sells from data that
// has not been found fit (protocol: "Losing a cache node").
//
// The users' state lives in the running server only: a restart always comes back to this file.

import { createHash } from 'node:crypto';
import { GATED_REDIS_USERS, type RedisUser, type SaleConfig } from '../protocol/config.ts';

export interface RedisConf {
  /** Addresses to listen on. */
  bind: string[];
  port: number;
  /** Where the append-only file lives. */
  folder: string;
  durability: SaleConfig['cache']['durability'];
  /** In clear; only their SHA-256 is written. */
  passwords: Record<RedisUser, string>;
}

/** A script runs with its caller's rights, so each user may do what its scripts do, to the keys they use. */
const RIGHTS: Record<RedisUser, string> = {
  agent: '~* &* +@all',
  storefront:
    '~node ~pinned ~sequences ~b:* +evalsha +eval +time +get +mget +set +mset +hget +hmget +hincrby +llen +rpush',
  pool: '~node %R~pinned %R~sequences +evalsha +eval +hget +hmget +hgetall +hset +hincrby +llen',
  audit: '%R~* +evalsha +eval +mget +hgetall +llen +scan',
};

const hash = (password: string): string => createHash('sha256').update(password).digest('hex');

export function redisConf(conf: RedisConf): string {
  const user = (name: RedisUser) =>
    `user ${name} reset ${name === 'agent' ? 'on' : 'off'} #${hash(conf.passwords[name])} ${RIGHTS[name]}`;
  return `${[
    `bind ${conf.bind.join(' ')}`,
    `port ${conf.port}`,
    `dir ${JSON.stringify(conf.folder)}`,
    'daemonize no',
    'logfile ""',
    'databases 1',
    'protected-mode no',
    'tcp-keepalive 30',
    '# Every write is in the file before it is answered (always), or at most a second later (everysec).',
    'appendonly yes',
    `appendfsync ${conf.durability === 'Always' ? 'always' : 'everysec'}`,
    'no-appendfsync-on-rewrite no',
    'aof-load-truncated yes',
    'save ""',
    '# No maxmemory: a script refused halfway would leave half its writes; a node that is full ends whole, and recovers.',
    'maxmemory-policy noeviction',
    // Nobody can log in as this user. But the server replays the transactions of its file in this user's name, and
    // silently leaves out what the user may not do: with fewer rights, a restart would lose every script's writes.
    'user default reset off ~* &* +@all',
    ...(['agent', ...GATED_REDIS_USERS] as const).map(user),
  ].join('\n')}\n`;
}
