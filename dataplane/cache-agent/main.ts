// The cache agent as a process, one for each cache node: --id c0 --config FILE --secrets FOLDER --metrics HOST:PORT.
// Two for one node do no harm. The addresses of its own node and of the sale's registry are those it was started with;
// shards come and move with the configuration.

import { databaseSecret, redisSecret } from '../protocol/config.ts';
import type { Millis } from '../protocol/units.ts';
import { connectBus } from '../runtime/bus-kafka.ts';
import { systemClock } from '../runtime/clock.ts';
import { watchConfig } from '../runtime/config.ts';
import { failpoint } from '../runtime/failpoint.ts';
import { runRole } from '../runtime/role.ts';
import { connectAgentNode } from '../stores/cache-node/redis.ts';
import { connectCacheRegistry } from '../stores/registry/postgres.ts';
import { connectCacheShard } from '../stores/shard/postgres.ts';
import { cacheMetrics } from './metrics.ts';
import { Shards } from './shards.ts';
import { startCacheAgent } from './start.ts';

/**
 * The registry's timeout is short, so that one that hangs does not hold up the look at the node. A shard's is long,
 * because it may take long to say what everybody ordered.
 */
const REGISTRY_TIMEOUT: Millis = 2_000;
const SHARD_TIMEOUT: Millis = 15_000;

await runRole('cache-agent', process.argv.slice(2), async (role) => {
  const { secret, log } = role;
  let config = role.config;
  const own = config.cache.nodes.find(({ id }) => id === role.id);
  if (own === undefined)
    throw new Error(`--id must name a cache node of the configuration, not ${role.id ?? 'nothing'}`);

  const password = secret(databaseSecret('cache'));
  const node = connectAgentNode(own, secret(redisSecret('agent')));
  role.onStop(() => node.close());
  const registry = connectCacheRegistry(config.pool, password, { timeout: REGISTRY_TIMEOUT });
  role.onStop(() => registry.close());
  const shards = new Shards((shard) => connectCacheShard(shard, password, { timeout: SHARD_TIMEOUT }), config.shards);
  role.onStop(() => shards.close());
  const bus = connectBus(config.kafka, secret, log, role.metrics);
  role.onStop(() => bus.close());

  const agent = startCacheAgent({
    self: own.id,
    durability: () => config.cache.durability,
    node,
    registry,
    shard: (id) => shards.get(id),
    bus,
    metrics: cacheMetrics(role.metrics),
    log,
    passed: (step) => failpoint('cache-agent', own.id, step),
    clock: systemClock,
    random: Math.random,
  });
  role.ready = () => agent.unready();
  role.onStop(() => agent.stop());
  role.onStop(
    watchConfig(role, (edited) => {
      config = edited;
      shards.configure(edited.shards);
    }),
  );
});
