// The balancer's one loop: reports in, `decide`, commands out. It decides nothing and keeps nothing: started anew, it
// takes a new term from the registry and rebuilds its table from the compacted topics (R13). Off the buyer's path:
// without it, or without Kafka, shards sell what they hold.

import type { Registry } from 'prom-client';
import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Delta, Level } from '../../dataplane/protocol/messages.ts';
import { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Incarnation, Millis } from '../../dataplane/protocol/units.ts';
import type { Bus } from '../../dataplane/runtime/bus.ts';
import type { Clock } from '../../dataplane/runtime/clock.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { startLoop } from '../../dataplane/runtime/loop.ts';
import type { OperatorRegistry } from '../../dataplane/stores/registry/registry.ts';
import type { Cycle } from './cycle.ts';
import { decide, type Memory, startMemory } from './decide.ts';
import { type BalancerMetrics, balancerMetrics } from './metrics.ts';
import { policyOf } from './policy.ts';

/** What the loop works with. */
export interface BalancerPorts {
  bus: Bus;
  registry: Pick<OperatorRegistry, 'read' | 'nextTerm'>;
  clock: Clock;
  log: Logger;
  /** The metrics registry that shows the balancer. */
  metrics: Registry;
  /** Is called when the resource table has changed. */
  heard?(): void;
}

/** The part of a sale's configuration that the balancer reads. */
export type BalancerConfig = Pick<SaleConfig, 'balancer' | 'shards'>;

export interface Balancer {
  /** What shards, pool and cache nodes have reported. */
  readonly table: ResourceTable;
  /** The balance cycle as last measured; undefined: nothing was planned yet. */
  cycle(): Cycle | undefined;
  /** Takes an edited configuration into use, from the next plan on. */
  update(config: BalancerConfig): void;
  /** Resolves when the running plan has ended; nothing is published afterwards. */
  stop(): Promise<void>;
}

/** Plans follow each other no faster than SHORTEST and no slower than LONGEST: repeats and cycles need no news. */
const SHORTEST: Millis = 20;
const LONGEST: Millis = 100;
/** How long a balancer with a lower term leaves the work to the other one, before it takes a term of its own again. */
const STAND_BACK: Millis = 5000;
/** The wait before a registry that did not answer is asked again. */
const RETRY: Millis = 500;

/**
 * Starts the balancer. `known` is the sale's incarnation; without it the registry is asked until it tells. Everything else
 * may become available while the balancer runs.
 */
export async function startBalancer(
  ports: BalancerPorts,
  config: BalancerConfig,
  known?: Incarnation,
): Promise<Balancer> {
  const { bus, clock, log, metrics } = ports;
  const { now } = clock;
  const table = new ResourceTable(known ?? (await incarnationOf(ports)));
  const planner = startPlanner(ports, table, balancerMetrics([metrics], table, now), config);
  await bus.subscribe(['deltas', 'levels'], { beginning: true }, (topic, value) => {
    const changed =
      topic === 'deltas' ? table.applyDelta(value as Delta, now()) : table.applyLevel(value as Level, now());
    if (!changed) return;
    planner.news();
    ports.heard?.();
  });
  log.info({ incarnation: table.incarnation, rule: config.balancer.rule }, 'balancing');
  return { table, cycle: planner.cycle, update: planner.update, stop: planner.stop };
}

function startPlanner(ports: BalancerPorts, table: ResourceTable, shown: BalancerMetrics, config: BalancerConfig) {
  const { bus, clock, log, registry } = ports;
  const { now } = clock;
  let policy = policyOf(config);
  /** Undefined: this balancer has no term, so it must not command. */
  let memory: Memory | undefined;
  let cycle: Cycle | undefined;
  let idleUntil: Millis = 0;

  async function plan(before: Memory): Promise<void> {
    const decision = decide(table, policy, now(), before);
    memory = decision.memory;
    cycle = decision.cycle;
    shown.planned(decision);
    if (decision.superseded) {
      log.warn({ term: before.term }, 'a balancer with a higher term is at work; standing back for a while');
      shown.superseded();
      memory = undefined;
      idleUntil = now() + STAND_BACK;
    }
    const { commands } = decision;
    if (commands.length === 0) return;
    log.debug({ moved: decision.moved, commands }, 'commands');
    const messages = commands.map((value) => ({ key: value.source, value }));
    if (!(await bus.publish('commands', messages))) shown.publishFailed(commands.length);
  }

  async function step(): Promise<void> {
    const began = now();
    if (began < idleUntil) return;
    if (memory === undefined) memory = startMemory(await registry.nextTerm(), began);
    else await plan(memory);
    await clock.sleep(Math.max(0, began + SHORTEST - now()));
  }

  const loop = startLoop(clock, 'balancer', LONGEST, log, step, shown.failed);
  return {
    news: loop.wake,
    cycle: () => cycle,
    update(edited: BalancerConfig) {
      policy = policyOf(edited);
      log.info({ rule: policy.rule.name, shards: edited.shards.length }, 'configuration taken into use');
    },
    stop: loop.stop,
  };
}

/** Asks until the registry answers with a sale. */
async function incarnationOf({ registry, clock, log }: BalancerPorts): Promise<Incarnation> {
  for (let said = false; ; said = true) {
    try {
      const view = await registry.read();
      if (view) return view.incarnation;
      if (!said) log.info('the sale has no registry yet; waiting');
    } catch (error) {
      if (!said) log.warn({ err: error }, 'the registry does not answer; asking until it does');
    }
    await clock.sleep(RETRY);
  }
}
