// The agent of one shard that serves orders: migrates its database, joins the sale, then relays. May die at any
// moment and may run twice; the shard sells without it.

import { databaseSecret, type SaleConfig } from '../protocol/config.ts';
import type { ShardId } from '../protocol/units.ts';
import { connectBus } from '../runtime/bus-kafka.ts';
import { watchConfig } from '../runtime/config.ts';
import type { Role } from '../runtime/role.ts';
import { connectAgentRegistry } from '../stores/registry/postgres.ts';
import { connectAgentShard } from '../stores/shard/postgres.ts';
import { join, retry } from './join.ts';
import { stockHolderMetrics } from './metrics.ts';
import { cancelOverdue, relayEvents } from './orders.ts';
import { startStockHolder } from './stock-holder.ts';

export async function runShardAgent(role: Role, id: ShardId): Promise<void> {
  const { log } = role;
  let config: SaleConfig = role.config;
  const address = config.shards.find((shard) => shard.id === id);
  if (!address) throw new Error(`the configuration has no shard ${id}`);
  const password = role.secret(databaseSecret('owner'));
  const shard = connectAgentShard(address, password);
  const registry = connectAgentRegistry(config.pool, password, { connections: 1 });
  const bus = connectBus(config.kafka, role.secret, log, role.metrics);
  const metrics = stockHolderMetrics(role.metrics);
  const stop = new AbortController();
  role.onStop(() => bus.close());
  role.onStop(() => Promise.all([shard.close(), registry.close()]).then(() => undefined));
  role.onStop(() => stop.abort());
  role.onStop(
    watchConfig(role, (edited) => {
      config = edited;
    }),
  );

  let waitsFor: string | undefined = 'its database';
  role.ready = () => waitsFor && `waits for ${waitsFor}`;
  await retry('migrating the database', log, stop.signal, async () => {
    await shard.migrate();
    return true;
  });
  if (stop.signal.aborted) return;
  // It may have joined in an earlier life: then it relays at once, with the registry away.
  const summaryPeriod = () => config.balancer.summaryPeriod;
  const peer = await startStockHolder({ id, shard, bus, log, metrics, summaryPeriod, active: () => true });
  const loops = [relayEvents(shard, bus, peer.state, metrics, log), cancelOverdue(shard, metrics, log)];
  role.onStop(() => Promise.all([peer.stop(), ...loops.map((loop) => loop.stop())]).then(() => undefined));
  waitsFor = 'the registry';
  await join(id, shard, registry, log, stop.signal);
  waitsFor = undefined;
  log.info('joined the sale');
}
