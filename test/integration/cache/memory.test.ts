// How much memory a sale takes: an assertion about size, on a real Redis, everything the server uses included.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TokenRef } from '../../../dataplane/stores/cache-node/cache-node.ts';
import { type CacheNodeClients, connectAll, prepare, purchase } from '../../harness/cache-node.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';

const TOKENS = 50_000;
const MOST_PER_TOKEN = 400;

let redis: TestRedis;
let node: CacheNodeClients;
beforeAll(async () => {
  redis = await startRedis({ enabled: true, durability: 'EverySecond' });
  node = await connectAll(redis);
});
afterAll(async () => {
  await node?.close();
  await redis?.stop();
});

/** 12 to 36 characters. */
const buyer = (n: number) => String(n).padStart(12 + (n % 25), 'buyer-');

test(`a token takes at most ${MOST_PER_TOKEN} bytes of Redis, its buyer’s record included, live or sold`, async () => {
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.raw().info('memory'))?.[1]);
  const identity = await prepare(node.agent, { granted: TOKENS });
  const before = await used();
  const refs: TokenRef[] = [];
  for (let first = 0; first < TOKENS; first += 500)
    refs.push(
      ...(await Promise.all(
        Array.from({ length: 500 }, (_, i) =>
          purchase(node.storefront, identity, { buyer: buyer(first + i), shard: `s${i % 4}` }),
        ),
      )),
    );
  const live = ((await used()) - before) / TOKENS;
  for (let first = 0; first < TOKENS; first += 500)
    await node.storefront.settle(identity, refs.slice(first, first + 500));
  const sold = ((await used()) - before) / TOKENS;
  expect({ live, sold }).toSatisfy((bytes) => bytes.live <= MOST_PER_TOKEN && bytes.sold <= MOST_PER_TOKEN);
  if (process.env.FLASHSALE_SHOW) console.info({ live, sold });
});
