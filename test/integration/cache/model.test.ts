// The model of a cache node, held to the real scripts on a real Redis: random sequences of every call, in any order and
// with any mark, identity or token; after each of them both have answered the same and hold the same.

import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import {
  connectAgentNode,
  connectAuditNode,
  connectPoolNode,
  connectStorefrontNode,
} from '../../../dataplane/stores/cache-node/redis.ts';
import { answers, PATIENT } from '../../harness/cache-node.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';
import { anyCall } from '../../models/cache-node-calls.ts';
import { type RealNode, World } from '../../models/cache-node-world.ts';
import { withAll } from '../../models/sentences.ts';

let redis: TestRedis;
let node: RealNode;
beforeAll(async () => {
  redis = await startRedis();
  node = realNode(redis);
  await answers(node.clients.agent.state);
});
afterAll(async () => {
  for (const client of Object.values(node?.clients ?? {})) await client.close();
  await redis?.stop();
});

/** Its users are off, as after each start of its server. */
function realNode(redis: TestRedis): RealNode {
  const clients = {
    storefront: connectStorefrontNode(redis, redis.passwordOf('storefront'), PATIENT),
    pool: connectPoolNode(redis, redis.passwordOf('pool'), PATIENT),
    agent: connectAgentNode(redis, redis.passwordOf('agent'), PATIENT),
    audit: connectAuditNode(redis, redis.passwordOf('audit'), { page: 10, ...PATIENT }),
  };
  return {
    clients,
    async restart(wipe) {
      await redis.restart({ wipe });
      await answers(clients.agent.state);
    },
    async usersAnswer() {
      for (const ask of [clients.storefront.identity, clients.pool.state, clients.audit.state]) await answers(ask);
    },
    async issuedLater(buyer, by) {
      const record = await redis.raw().get(`b:${buyer}`);
      const words = record?.split(' ') ?? [];
      if (words.length < 9) return;
      words[6] = String(Number(words[6]) + by / 1000);
      await redis.raw().set(`b:${buyer}`, words.join(' '));
    },
  };
}

test('R4, R5, R27, R28, R32: the scripts do what the model does, in any order; granted − revoked = V + live + ordered', async () => {
  const property = fc.asyncProperty(fc.array(anyCall, { maxLength: 60, size: 'max' }), async (calls) => {
    const world = new World(node, withAll);
    await world.begin();
    await world.compare();
    for (const call of calls) {
      await call.run(world);
      await world.compare();
    }
  });
  // A busy machine makes fewer runs, rather than none in time.
  await fc.assert(property, { numRuns: 80, interruptAfterTimeLimit: 40_000 });
}, 120_000);
