// The pool's agent as a process: it connects the real stores, and serves refills on --listen.

import { databaseSecret, redisSecret, type SaleConfig, SECRETS } from '../../protocol/config.ts';
import type { Millis } from '../../protocol/units.ts';
import { connectBus } from '../../runtime/bus-kafka.ts';
import { systemClock } from '../../runtime/clock.ts';
import { watchConfig } from '../../runtime/config.ts';
import type { Role } from '../../runtime/role.ts';
import { connectPoolNode } from '../../stores/cache-node/redis.ts';
import { acquireLock } from '../../stores/registry/lock.ts';
import { connectAgentRegistry } from '../../stores/registry/postgres.ts';
import { connectAgentShard, connectCacheShard } from '../../stores/shard/postgres.ts';
import { poolMetrics, stockHolderMetrics } from '../metrics.ts';
import { startPoolAgent } from './agent.ts';
import { openNodes } from './nodes.ts';
import { serveRefills } from './server.ts';

const NODE_TIMEOUT: Millis = 500;

export async function runPoolAgent(role: Role): Promise<void> {
  const { log, secret } = role;
  if (!role.listen) throw new Error('the pool needs --listen HOST:PORT for refills');
  let config: SaleConfig = role.config;
  const password = secret(databaseSecret('owner'));
  const passwords = { fence: secret(databaseSecret('cache')), node: secret(redisSecret('pool')) };
  const registry = connectAgentRegistry(config.pool, password, { timeout: 2000 });
  const shard = connectAgentShard(config.pool, password);
  const connectNode = (at: { host: string; port: number }) =>
    connectPoolNode({ host: at.host, port: at.port }, passwords.node, { timeout: NODE_TIMEOUT });
  const nodes = openNodes(registry, connectNode, systemClock);
  nodes.configure(config.cache.nodes);
  const metrics = poolMetrics(role.metrics);
  const bus = connectBus(config.kafka, secret, log, role.metrics);
  role.onStop(() => bus.close());
  role.onStop(() => Promise.all([shard.close(), registry.close(), nodes.close()]).then(() => undefined));
  role.onStop(
    watchConfig(role, (edited) => {
      config = edited;
      nodes.configure(config.cache.nodes);
    }),
  );
  const agent = startPoolAgent({
    shard,
    registry,
    nodes,
    fenceShard(id) {
      const address = config.shards.find((known) => known.id === id);
      return address && connectCacheShard(address, passwords.fence, { connections: 1 });
    },
    lock: (stop, waiting) => acquireLock(config.pool, password, stop, waiting),
    bus,
    summaryPeriod: () => config.balancer.summaryPeriod,
    metrics: stockHolderMetrics(role.metrics),
    poolMetrics: metrics,
    clock: systemClock,
    log,
  });
  role.onStop(() => agent.stop());
  const server = await serveRefills(role.listen, secret(SECRETS.internal), agent.refill, metrics, log);
  role.onStop(() => {
    server.close();
    server.closeAllConnections();
  });
  role.ready = () => {
    const waitsFor = agent.waitsFor();
    return waitsFor && `waits for ${waitsFor}`;
  };
  await agent.started;
}
