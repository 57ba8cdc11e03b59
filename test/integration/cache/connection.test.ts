// The Redis clients when things go wrong, on a real server: what is lost is unknown, nothing is sent twice, and the
// connection comes back by itself.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectStorefrontNode } from '../../../dataplane/stores/cache-node/redis.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import {
  answers,
  type CacheNodeClients,
  connectAll,
  connected,
  PATIENT_TERMS,
  prepare,
  purchase,
  request,
  reserve,
  stateOf,
  stored,
} from '../../harness/cache-node.ts';
import { freePort } from '../../harness/ports.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';

let redis: TestRedis;
let node: CacheNodeClients;
beforeAll(async () => {
  redis = await startRedis({ enabled: true });
  node = await connectAll(redis);
});
afterAll(async () => {
  await node?.close();
  await redis?.stop();
});

test('R34: with the server gone every call is unknown at once, and works again when it is back', async () => {
  const identity = await prepare(node.agent, { granted: 5 });
  const token = await purchase(node.storefront, identity, { buyer: 'b' });
  await redis.kill9();
  for (const call of [
    node.storefront.identity(),
    reserve(node.storefront, request(identity)),
    stored(node.storefront, token),
    node.storefront.settle(identity, [token]),
    node.pool.state(),
    node.agent.server(),
  ])
    await expect(call).rejects.toBeInstanceOf(StoreUnknown);
  await redis.restart();
  await connected(node);
  // The new process knows no script yet.
  expect(await purchase(node.storefront, identity, { buyer: 'b' })).toEqual(token);
});

test('R27, R34: calls in flight when the server dies are unknown as a whole; each buyer’s retry finds at most one token', async () => {
  const identity = await prepare(node.agent, { granted: 1000 });
  const buyers = Array.from({ length: 300 }, (_, i) => `b${i}`);
  const terms = { ...identity, ttl: 60_000, perBuyer: 1, ...PATIENT_TERMS };
  const calls = Array.from({ length: 30 }, (_, i) => buyers.slice(10 * i, 10 * i + 10));
  const attempts = Promise.allSettled(
    calls.map((some) =>
      node.storefront.reserve(
        terms,
        some.map((buyer) => request(identity, { buyer })),
      ),
    ),
  );
  await redis.kill9();
  for (const attempt of await attempts)
    if (attempt.status === 'rejected') expect(attempt.reason).toBeInstanceOf(StoreUnknown);
  await redis.restart();
  await connected(node);
  for (const buyer of buyers) await purchase(node.storefront, identity, { buyer });
  expect(await stateOf(node.agent)).toMatchObject({ virtual: 700, issued: 300, liveTokens: 300 });
});

test('R34: a server that holds its tongue is unknown after the timeout, and its connection is not trusted again', async () => {
  const identity = await prepare(node.agent, { granted: 5 });
  const client = connectStorefrontNode(redis, redis.passwordOf('storefront'), { timeout: 100 });
  await answers(client.identity);
  await redis.raw().call('CLIENT', 'PAUSE', '1000', 'ALL');
  await expect(reserve(client, request(identity, { buyer: 'held' }))).rejects.toBeInstanceOf(StoreUnknown);
  await answers(client.identity);
  // By another one, which may take its time.
  await purchase(node.storefront, identity, { buyer: 'held' });
  expect((await stateOf(node.agent)).virtual).toBe(4);
  await client.close();
});

test('scripts forgotten by the server are sent again, whole', async () => {
  const identity = await prepare(node.agent, { granted: 50 });
  await redis.raw().script('FLUSH');
  const tokens = await Promise.all(Array.from({ length: 50 }, () => purchase(node.storefront, identity)));
  expect(new Set(tokens.map(({ sequence }) => sequence)).size).toBe(50);
  expect((await stateOf(node.agent)).virtual).toBe(0);
});

describe('connecting never fails', () => {
  test('to a server that is not there', async () => {
    const client = connectStorefrontNode({ host: '127.0.0.1', port: await freePort() }, 'x');
    await expect(client.identity()).rejects.toBeInstanceOf(StoreUnknown);
    await client.close();
    await expect(client.identity()).rejects.toBeInstanceOf(StoreUnknown);
  });

  test('with a wrong password', async () => {
    const client = connectStorefrontNode(redis, 'wrong');
    await expect(client.identity()).rejects.toBeInstanceOf(StoreUnknown);
    await client.close();
  });
});
