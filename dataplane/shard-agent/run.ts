// The agent of one shard as a process: it connects the real stores.

import { databaseSecret, type SaleConfig } from '../protocol/config.ts';
import type { ShardId } from '../protocol/units.ts';
import { connectBus } from '../runtime/bus-kafka.ts';
import { systemClock } from '../runtime/clock.ts';
import { watchConfig } from '../runtime/config.ts';
import type { Role } from '../runtime/role.ts';
import { connectAgentRegistry } from '../stores/registry/postgres.ts';
import { connectAgentShard } from '../stores/shard/postgres.ts';
import { startShardAgent } from './agent.ts';
import { stockHolderMetrics } from './metrics.ts';

export async function runShardAgent(role: Role, id: ShardId): Promise<void> {
  const { log } = role;
  let config: SaleConfig = role.config;
  const address = config.shards.find((shard) => shard.id === id);
  if (!address) throw new Error(`the configuration has no shard ${id}`);
  const password = role.secret(databaseSecret('owner'));
  const shard = connectAgentShard(address, password);
  const registry = connectAgentRegistry(config.pool, password, { connections: 1 });
  const bus = connectBus(config.kafka, role.secret, log, role.metrics);
  role.onStop(() => bus.close());
  role.onStop(() => Promise.all([shard.close(), registry.close()]).then(() => undefined));
  role.onStop(
    watchConfig(role, (edited) => {
      config = edited;
    }),
  );
  const agent = startShardAgent({
    id,
    sale: config,
    shard,
    registry,
    bus,
    summaryPeriod: () => config.balancer.summaryPeriod,
    metrics: stockHolderMetrics(role.metrics),
    clock: systemClock,
    log,
  });
  role.onStop(() => agent.stop());
  role.ready = () => {
    const waitsFor = agent.waitsFor();
    return waitsFor && `waits for ${waitsFor}`;
  };
  await agent.started;
}
