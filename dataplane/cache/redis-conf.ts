// Renders the redis.conf of one cache node: durability, memory policy and access control. Pure; drivers write the
// text to a file. A node must never drop a key on its own (a key that vanishes takes stock with it), so there is no
// eviction and no expiry; and every user but the agent's starts off, so that nobody reads or sells from data that
// has not been found fit (protocol: "Losing and changing cache nodes").
//
// The users' state lives in the running server only: a restart always comes back to this file.

import { createHash } from 'node:crypto';
import type { RedisUser, SaleConfig } from '../protocol/config.ts';

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

/** The users an agent turns on and off. */
export const GATED_USERS = ['storefront', 'pool', 'audit'] as const satisfies RedisUser[];

/** What every script of dataplane/cache/lua may be made of; a script runs with its caller's rights. */
const SCRIPTS = '+evalsha +eval +get +set +del +hget +hmget +hgetall +hset +hincrby +time';

const RIGHTS: Record<RedisUser, string> = {
  agent: '~* &* +@all',
  storefront: `~node ~t:* ~b:* ${SCRIPTS} +mset`,
  pool: `~node ${SCRIPTS}`,
  audit: '%R~* +get +mget +hgetall +hmget +scan +dbsize +memory|usage +info +time +evalsha_ro +eval_ro',
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
    '# A full node refuses writes; it never makes room by forgetting.',
    'maxmemory-policy noeviction',
    'user default reset',
    ...(['agent', ...GATED_USERS] as const).map(user),
  ].join('\n')}\n`;
}
