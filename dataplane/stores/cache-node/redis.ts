// The interfaces of cache-node.ts on Redis: each method is one script of dataplane/stores/cache-node/lua or one plain
// command. Connecting never fails: while the server is away, or has this user off, calls reject with StoreUnknown, and
// the connection comes back by itself.

import type { Redis } from 'ioredis';
import { type Address, GATED_REDIS_USERS } from '../../protocol/config.ts';
import type {
  AgentNode,
  AuditNode,
  BuyerRecord,
  NodeServer,
  NodeState,
  PoolNode,
  StorefrontNode,
} from './cache-node.ts';
import { type RedisClientOptions, RedisConnection, redisOptions } from './connection.ts';
import {
  epochPrefix,
  layoutPrefix,
  parseBuyer,
  parseDue,
  parseIdentity,
  parseReserve,
  parseState,
  reserveArguments,
} from './replies.ts';
import { luaScript } from './scripts.ts';

const reserve = luaScript('reserve');
const settle = luaScript('settle');
const state = luaScript('state');
const revoke = luaScript('revoke');
const grant = luaScript('grant');
const mode = luaScript('mode');
const due = luaScript('due');
const finish = luaScript('finish');
const recoverBegin = luaScript('recover-begin');
const recoverBuyers = luaScript('recover-buyers');
const recoverEnd = luaScript('recover-end');

export function connectStorefrontNode(
  address: Address,
  password: string,
  options: RedisClientOptions = {},
): StorefrontNode {
  const connection = new RedisConnection(redisOptions(address, 'storefront', password, options));
  return {
    identity: async () =>
      parseIdentity(await connection.command((redis) => redis.hmget('node', 'identity', 'node', 'count'))),
    reserve: async (terms, requests) =>
      parseReserve(terms, requests, await connection.script(reserve, reserveArguments(terms, requests))),
    tokens: async (buyers) => {
      const texts = await connection.command((redis) => redis.mget(buyers.map((buyer) => `b:${buyer}`)));
      return buyers.map((buyer, i) => {
        const text = texts[i];
        return text ? parseBuyer(buyer, text).token : undefined;
      });
    },
    settle: async (expected, tokens) => {
      const names = tokens.flatMap(({ sequence, id, buyer }) => [sequence, id, buyer]);
      await connection.script(settle, [epochPrefix(expected), ...names]);
    },
    close: () => connection.close(),
  };
}

export function connectPoolNode(address: Address, password: string, options: RedisClientOptions = {}): PoolNode {
  return poolNode(new RedisConnection(redisOptions(address, 'pool', password, options)));
}

const readState = async (connection: RedisConnection): Promise<NodeState | undefined> =>
  parseState(await connection.script(state, []));

function poolNode(connection: RedisConnection): PoolNode {
  return {
    state: () => readState(connection),
    revoke: async (expected, units) => {
      const reply = (await connection.script(revoke, [epochPrefix(expected), units])) as [number, number] | null;
      return reply === null ? undefined : { revoked: reply[0], virtual: reply[1] };
    },
    grant: async (expected, grantedTotal) =>
      (await connection.script(grant, [epochPrefix(expected), grantedTotal])) !== null,
    close: () => connection.close(),
  };
}

export function connectAgentNode(address: Address, password: string, options: RedisClientOptions = {}): AgentNode {
  const wanted = redisOptions(address, 'agent', password, options);
  const connection = new RedisConnection(wanted);
  return {
    ...poolNode(connection),
    server: () => connection.command(readServer),
    enable: async (run, identity) => {
      // This connection does not reconnect, so all its answers are from one run of the server.
      const once = new RedisConnection({ ...wanted, lazyConnect: true, retryStrategy: () => null });
      try {
        return await once.command(async (redis) => {
          await redis.connect();
          const found = await redis.hget('node', 'identity');
          if ((await runOf(redis)) !== run || !found?.startsWith(layoutPrefix(identity))) return false;
          for (const user of GATED_REDIS_USERS) await redis.call('ACL', 'SETUSER', user, 'on');
          return true;
        });
      } finally {
        await once.close();
      }
    },
    disable: () =>
      connection.command(async (redis) => {
        // Turning a user off ends no connection it already has.
        for (const user of GATED_REDIS_USERS) {
          await redis.call('ACL', 'SETUSER', user, 'off');
          await redis.call('CLIENT', 'KILL', 'USER', user);
        }
      }),
    setMode: async (identity, wantedMode) =>
      (await connection.script(mode, [layoutPrefix(identity), wantedMode])) === 1,
    due: async (expected, after, limit) =>
      parseDue(await connection.script(due, [epochPrefix(expected), after, limit])),
    finish: async (expected, tokens) => {
      const names = tokens.flatMap(({ sequence, id, buyer, ordered }) => [sequence, id, buyer, ordered ? 1 : 0]);
      return (await connection.script(finish, [epochPrefix(expected), ...names])) !== null;
    },
    beginRecovery: async (incarnation, epoch) => (await connection.script(recoverBegin, [incarnation, epoch])) === 1,
    recoverBuyers: async (incarnation, epoch, ordered) =>
      (await connection.script(recoverBuyers, [`${incarnation} ${epoch}`, ...ordered.flat()])) === 1,
    endRecovery: async (identity, wantedMode, { granted, revoked, ordered }) =>
      (await connection.script(recoverEnd, [
        `${identity.incarnation} ${identity.epoch}`,
        identity.layout,
        wantedMode,
        identity.node,
        identity.count,
        granted,
        revoked,
        ordered,
      ])) === 1,
  };
}

async function runOf(redis: Redis): Promise<string> {
  const run = /run_id:(\S+)/.exec(await redis.info('server'))?.[1];
  if (run === undefined) throw new Error('the server does not say which run it is');
  return run;
}

async function readServer(redis: Redis): Promise<NodeServer> {
  const [run, recoveredIn, ...users] = await Promise.all([
    runOf(redis),
    redis.hget('node', 'run'),
    ...GATED_REDIS_USERS.map((user) => redis.call('ACL', 'GETUSER', user) as Promise<[string, string[]]>),
  ]);
  const on = users.filter(([, flags]) => flags.includes('on')).length;
  return {
    run,
    recoveredIn: recoveredIn ?? undefined,
    users: on === 0 ? 'none' : on === users.length ? 'all' : 'some',
  };
}

/** Connects as the audit. Records are read in pages of about `page` buyers. */
export function connectAuditNode(
  address: Address,
  password: string,
  options: RedisClientOptions & { page?: number } = {},
): AuditNode {
  const connection = new RedisConnection(redisOptions(address, 'audit', password, options));
  return {
    state: () => readState(connection),
    async *buyers() {
      let cursor = '0';
      do {
        const [next, keys] = await connection.command((redis) =>
          redis.scan(cursor, 'MATCH', 'b:*', 'COUNT', options.page ?? 1000),
        );
        cursor = next;
        if (keys.length > 0) yield await readBuyers(connection, keys);
      } while (cursor !== '0');
    },
    close: () => connection.close(),
  };
}

async function readBuyers(connection: RedisConnection, keys: string[]): Promise<BuyerRecord[]> {
  const texts = await connection.command((redis) => redis.mget(keys));
  return keys.flatMap((key, i) => {
    const text = texts[i];
    return text ? [parseBuyer(key.slice(2), text)] : [];
  });
}
