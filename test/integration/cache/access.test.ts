// Who may do what on a cache node, and when: nobody but the agent until the node is found fit, on a real Redis.

import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GATED_REDIS_USERS } from '../../../dataplane/protocol/config.ts';
import type { AgentNode } from '../../../dataplane/stores/cache-node/cache-node.ts';
import { connectAgentNode } from '../../../dataplane/stores/cache-node/redis.ts';
import { prepare } from '../../harness/cache-node.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';
import { until } from '../../harness/until.ts';

let redis: TestRedis;
let agent: AgentNode;
beforeEach(async () => {
  redis = await startRedis();
  agent = connectAgentNode(redis, redis.passwordOf('agent'));
  await until('the agent to be connected', () => agent.server().catch(() => undefined));
});
afterEach(async () => {
  await agent?.close();
  await redis?.stop();
});

const open = (user: (typeof GATED_REDIS_USERS)[number]) => redis.raw(user, { retryStrategy: () => null });
const answer = (connection: Redis, ...command: [string, ...(string | number)[]]): Promise<unknown> =>
  connection.call(...command).then(
    (reply) => reply,
    (error: Error) => error.message,
  );

describe('R32: until the agent turns them on', () => {
  test.each(GATED_REDIS_USERS)('%s cannot even log in', async (user) => {
    await expect(open(user).get('node')).rejects.toThrow();
    expect(await answer(redis.raw(), 'AUTH', user, redis.passwordOf(user))).toMatch('WRONGPASS');
  });

  test('nor can the user without a name', async () => {
    expect(await answer(redis.raw(), 'AUTH', 'default', '')).toMatch('WRONGPASS');
    const anonymous = new Redis({
      host: redis.host,
      port: redis.port,
      protocol: 2,
      enableReadyCheck: false,
      disableClientInfo: true,
    });
    expect(await answer(anonymous, 'GET', 'node')).toMatch('NOAUTH');
    anonymous.disconnect();
  });
});

test('R32: enabling takes the run of the server and the identity that were judged, nothing else', async () => {
  const identity = await prepare(agent, { granted: 1, layout: 2 });
  const { run } = await agent.server();
  expect(await agent.enable('another run', identity)).toBe(false);
  expect(await agent.enable(run, { ...identity, epoch: identity.epoch - 1 })).toBe(false);
  expect(await agent.enable(run, { ...identity, layout: 1 })).toBe(false);
  expect(await agent.server()).toMatchObject({ users: 'none' });
  expect(await agent.enable(run, identity)).toBe(true);
  expect(await agent.server()).toMatchObject({ users: 'all', run, recoveredIn: run });
});

test('R32: a restart turns everybody off, and what was judged before it enables nobody after it', async () => {
  const identity = await prepare(agent, { granted: 1 });
  const { run } = await agent.server();
  await agent.enable(run, identity);
  await redis.restart();
  await until('the agent to be connected again', () => agent.server().catch(() => undefined));
  expect(await agent.enable(run, identity)).toBe(false);
  const after = await agent.server();
  expect(after).toMatchObject({ users: 'none', recoveredIn: run });
  expect(after.run).not.toBe(run);
});

test('R32: disabling ends the connections that are open', async () => {
  const identity = await prepare(agent, { granted: 1 });
  await agent.enable((await agent.server()).run, identity);
  const connections = GATED_REDIS_USERS.map(open);
  for (const connection of connections)
    await connection.hgetall('node').catch(() => connection.hget('node', 'identity'));
  const ended = connections.map((connection) => new Promise((resolve) => connection.once('end', resolve)));
  await agent.disable();
  await Promise.all(ended);
  expect(await agent.server()).toMatchObject({ users: 'none' });
});

describe('least privilege', () => {
  const refused: Record<string, ['storefront' | 'pool' | 'audit', ...[string, ...(string | number)[]]][]> = {
    'nobody runs what is for administrators': GATED_REDIS_USERS.flatMap((user) =>
      [['FLUSHALL'], ['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['SHUTDOWN'], ['KEYS', '*'], ['CLIENT', 'LIST']].map(
        (command): [typeof user, string, ...string[]] => [user, command[0] ?? '', ...command.slice(1)],
      ),
    ),
    'a storefront touches the keys of purchases only, in scripts too': [
      ['storefront', 'SET', 'elsewhere', 'x'],
      ['storefront', 'EVAL', "return redis.call('SET', 'elsewhere', 'x')", 0],
      ['storefront', 'DEL', 'node'],
      ['storefront', 'EVAL', "return redis.call('FLUSHDB')", 0],
    ],
    'the pool’s agent sees no buyer and changes no pin': [
      ['pool', 'GET', 'b:x'],
      ['pool', 'EVAL', "return redis.call('HGET', 'b:x', 'y')", 0],
      ['pool', 'HINCRBY', 'pinned', 's0', 1],
    ],
    'the audit writes nothing': [
      ['audit', 'SET', 'b:x', '1'],
      ['audit', 'EVAL', "return redis.call('HSET', 'node', 'virtual', '9')", 0],
    ],
  };

  test.each(Object.entries(refused))('%s', async (_, commands) => {
    const identity = await prepare(agent, { granted: 1 });
    await agent.enable((await agent.server()).run, identity);
    for (const [user, ...command] of commands)
      expect(await answer(open(user), ...command), `${user}: ${command.join(' ')}`).toMatch(
        /NOPERM|can't run this command|can't access/,
      );
  });
});
