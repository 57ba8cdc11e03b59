// The agent of one shard that serves orders: it migrates its database, joins the sale, and then reports, moves stock
// and relays the outbox. It may die at any moment and may run twice; the shard sells without it. It knows no process,
// no file and no client library: stores come in as arguments, so that a simulation can take their place.

import type { SaleNames } from '../protocol/order-event.ts';
import type { Millis, ShardId } from '../protocol/units.ts';
import type { Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { Loop } from '../runtime/loop.ts';
import type { AgentRegistry } from '../stores/registry/registry.ts';
import type { AgentShard } from '../stores/shard/shard.ts';
import { tellCancelled } from './cancelled.ts';
import { join, retry } from './join.ts';
import type { StockHolderMetrics } from './metrics.ts';
import { cancelOverdue, relayOutbox } from './outbox.ts';
import { type StockHolder, startStockHolder } from './stock-holder.ts';

export interface ShardAgentDeps {
  id: ShardId;
  /** The sale as its events name it. None of it can change during the life of a sale. */
  sale: SaleNames;
  shard: AgentShard;
  registry: AgentRegistry;
  bus: Bus;
  summaryPeriod(): Millis;
  metrics: StockHolderMetrics;
  clock: Clock;
  log: Logger;
}

export interface RunningAgent {
  /** Returns what the agent waits for, or undefined when it does its work. */
  waitsFor(): string | undefined;
  /** Resolves when the agent has begun its work, or was stopped before. */
  started: Promise<void>;
  /** Ends every loop after its running step. */
  stop(): Promise<void>;
}

export function startShardAgent({
  id,
  sale,
  shard,
  registry,
  bus,
  summaryPeriod,
  metrics,
  clock,
  log,
}: ShardAgentDeps) {
  const stop = new AbortController();
  let waitsFor: string | undefined = 'its database';
  let running: (StockHolder | Loop)[] = [];

  async function start(): Promise<void> {
    await retry('migrating the database', clock, log, stop.signal, async () => {
      await shard.migrate();
      return true;
    });
    if (stop.signal.aborted) return;
    // The shard may have joined before: then its agent works at once, even with the sale's registry away.
    const stockHolder = await startStockHolder({
      id,
      shard,
      registry,
      bus,
      clock,
      log,
      metrics,
      summaryPeriod,
      active: () => true,
    });
    running = [
      stockHolder,
      relayOutbox(shard, sale, bus, stockHolder.state, metrics, clock, log),
      cancelOverdue(shard, metrics, clock, log),
      tellCancelled(id, registry, stockHolder.state, metrics, clock, log),
    ];
    waitsFor = 'the registry';
    await join(id, shard, registry, clock, log, stop.signal);
    if (stop.signal.aborted) return;
    waitsFor = undefined;
    log.info('joined the sale');
  }

  const agent: RunningAgent = {
    waitsFor: () => waitsFor,
    started: start(),
    async stop() {
      stop.abort();
      await Promise.all(running.map((each) => each.stop()));
    },
  };
  return agent;
}
