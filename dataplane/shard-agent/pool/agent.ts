// The agent of the transfer pool and of the registry in its database: a shard's agent without orders, plus refills,
// supply, credits and changes of the number of cache nodes. One instance acts at a time, by a lock in that database;
// the others wait for it. Two that act for a moment do no harm.

import { databaseSecret, redisSecret, type SaleConfig, SECRETS } from '../../protocol/config.ts';
import type { Millis } from '../../protocol/units.ts';
import { connectBus } from '../../runtime/bus-kafka.ts';
import { watchConfig } from '../../runtime/config.ts';
import { startLoop } from '../../runtime/loop.ts';
import { createMutex } from '../../runtime/mutex.ts';
import type { Role } from '../../runtime/role.ts';
import { acquireLock, type HeldLock } from '../../stores/registry/lock.ts';
import { connectAgentRegistry } from '../../stores/registry/postgres.ts';
import { connectAgentShard } from '../../stores/shard/postgres.ts';
import { retry } from '../join.ts';
import { poolMetrics, stockHolderMetrics } from '../metrics.ts';
import { startStockHolder } from '../stock-holder.ts';
import { fenceNode } from './fence.ts';
import { openNodes } from './nodes.ts';
import { poolReconciler } from './reconciler.ts';
import { refiller } from './refill.ts';
import { serveRefills } from './server.ts';
import { virtualStock } from './virtual-stock.ts';

const KEEP: Millis = 100;

export async function runPoolAgent(role: Role): Promise<void> {
  const { log, secret } = role;
  if (!role.listen) throw new Error('the pool needs --listen HOST:PORT for refills');
  let config: SaleConfig = role.config;
  const password = secret(databaseSecret('owner'));
  const fencePassword = secret(databaseSecret('cache'));
  const registry = connectAgentRegistry(config.pool, password, { timeout: 2000 });
  const shard = connectAgentShard(config.pool, password);
  const nodes = openNodes(registry, secret(redisSecret('pool')));
  nodes.configure(config.cache.nodes);
  const metrics = poolMetrics(role.metrics);
  const bus = connectBus(config.kafka, secret, log, role.metrics);
  const stop = new AbortController();
  let lock: HeldLock | undefined;
  const active = () => lock !== undefined && !lock.lost.aborted;

  const stock = virtualStock(nodes, registry);
  const turns = createMutex();
  const refill = refiller(nodes, stock, turns, metrics.moved);
  const server = await serveRefills(
    role.listen,
    secret(SECRETS.internal),
    () => (active() ? refill : undefined),
    metrics,
    log,
  );
  role.onStop(() => bus.close());
  role.onStop(() => Promise.all([shard.close(), registry.close(), nodes.close()]).then(() => undefined));
  role.onStop(() => lock?.release());
  role.onStop(() => {
    server.close();
    server.closeAllConnections();
  });
  role.onStop(() => stop.abort());
  role.onStop(
    watchConfig(role, (edited) => {
      config = edited;
      nodes.configure(config.cache.nodes);
    }),
  );

  let waitsFor: string | undefined = 'its database';
  role.ready = () => waitsFor && `waits for ${waitsFor}`;
  await retry('making the registry', log, stop.signal, async () => {
    await shard.migrate();
    await registry.initialize();
    return true;
  });
  if (stop.signal.aborted) return;
  const peer = await startStockHolder({
    id: 'pool',
    shard,
    bus,
    active,
    metrics: stockHolderMetrics(role.metrics),
    log,
    summaryPeriod: () => config.balancer.summaryPeriod,
  });
  const keep = poolReconciler({
    nodes,
    registry,
    stock,
    reports: peer.reports,
    fence: (node, epoch, heir) => fenceNode(registry, config.shards, fencePassword, node, epoch, heir),
    metrics,
    log,
  });
  const keeping = startLoop('keeping', KEEP, log, async () => {
    if (active()) await turns(keep);
  });
  role.onStop(() => Promise.all([peer.stop(), keeping.stop()]).then(() => undefined));

  while (!stop.signal.aborted) {
    metrics.active(0);
    let said = false;
    lock = await acquireLock(config.pool, password, stop.signal, (error) => {
      waitsFor = error ? 'its database' : 'another instance to end';
      if (!said) log.info({ err: error }, `waits for ${waitsFor}`);
      said = true;
    });
    if (!lock) return;
    waitsFor = undefined;
    metrics.active(1);
    log.info('acts for the pool');
    await ended(lock.lost, stop.signal);
    if (!stop.signal.aborted) log.warn('lost the lock: does nothing until it is held again');
  }
}

const ended = (...signals: AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    if (signals.some(({ aborted }) => aborted)) resolve();
    for (const signal of signals) signal.addEventListener('abort', () => resolve(), { once: true });
  });
