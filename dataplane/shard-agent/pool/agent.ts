// The agent of the transfer pool and of the sale's registry in its database: a shard's agent without orders, plus
// refills, supply, credits and changes of the number of cache nodes. One instance acts at a time, by a lock in that
// database; the others wait for it. Two that act for a moment do no harm. It knows no process, no file and no client
// library.

import type { Millis, ShardId } from '../../protocol/units.ts';
import type { Bus } from '../../runtime/bus.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import { type Loop, startLoop } from '../../runtime/loop.ts';
import { createMutex } from '../../runtime/mutex.ts';
import type { HeldLock } from '../../stores/registry/lock.ts';
import type { AgentRegistry } from '../../stores/registry/registry.ts';
import type { AgentShard, CacheShard } from '../../stores/shard/shard.ts';
import type { RunningAgent } from '../agent.ts';
import { retry } from '../join.ts';
import type { PoolMetrics, StockHolderMetrics } from '../metrics.ts';
import { type StockHolder, startStockHolder } from '../stock-holder.ts';
import { fenceNode } from './fence.ts';
import type { Nodes } from './nodes.ts';
import { poolReconciler } from './reconciler.ts';
import { type Refill, refiller } from './refill.ts';
import { virtualStock } from './virtual-stock.ts';

const KEEP: Millis = 100;

export interface PoolAgentDeps {
  shard: AgentShard;
  registry: AgentRegistry;
  nodes: Nodes;
  /** Opens a connection for a fence. Returns undefined when the configuration does not say where the shard is. */
  fenceShard(id: ShardId): CacheShard | undefined;
  /** Waits for the lock, as acquireLock in stores/registry/lock.ts does. */
  lock(stop: AbortSignal, waiting: (error?: unknown) => void): Promise<HeldLock | undefined>;
  bus: Bus;
  summaryPeriod(): Millis;
  metrics: StockHolderMetrics;
  poolMetrics: PoolMetrics;
  clock: Clock;
  log: Logger;
}

export interface PoolAgent extends RunningAgent {
  /** Returns undefined while another instance acts. */
  refill(): Refill | undefined;
}

/**
 * Starts the agent. It acts as long as it holds the lock, and then waits for it again; so `started` resolves only after
 * `stop`.
 */
export function startPoolAgent(deps: PoolAgentDeps): PoolAgent {
  const { shard, registry, nodes, bus, summaryPeriod, poolMetrics: metrics, clock, log } = deps;
  const stop = new AbortController();
  let lock: HeldLock | undefined;
  let waitsFor: string | undefined = 'its database';
  let running: (StockHolder | Loop)[] = [];
  const active = () => lock !== undefined && !lock.lost.aborted;

  const stock = virtualStock(nodes, registry);
  const mutex = createMutex();
  const refill = refiller(nodes, stock, mutex, metrics.moved);

  async function start(): Promise<void> {
    await retry('making the registry', clock, log, stop.signal, async () => {
      await shard.migrate();
      await registry.initialize();
      return true;
    });
    if (stop.signal.aborted) return;
    const peer = await startStockHolder({
      id: 'pool',
      shard,
      registry,
      bus,
      active,
      metrics: deps.metrics,
      clock,
      log,
      summaryPeriod,
    });
    const keep = poolReconciler({
      nodes,
      registry,
      stock,
      fence: (...which) => fenceNode(registry, deps.fenceShard, ...which),
      metrics,
      clock,
      log,
    });
    const keepUp = async () => {
      if (active()) await mutex(keep);
    };
    const keeping = startLoop(clock, 'keeping', KEEP, log, keepUp, deps.metrics.loopFailed);
    running = [peer, keeping];
    while (!stop.signal.aborted) await act();
  }

  /** Waits for the lock, and holds it until it is lost. */
  async function act(): Promise<void> {
    metrics.active(0);
    let said = false;
    lock = await deps.lock(stop.signal, (error) => {
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

  return {
    waitsFor: () => waitsFor,
    started: start(),
    refill: () => (active() ? refill : undefined),
    async stop() {
      stop.abort();
      await Promise.all(running.map((each) => each.stop()));
      await lock?.release();
    },
  };
}

const ended = (...signals: AbortSignal[]): Promise<void> =>
  new Promise((resolve) => {
    if (signals.some(({ aborted }) => aborted)) resolve();
    for (const signal of signals) signal.addEventListener('abort', () => resolve(), { once: true });
  });
