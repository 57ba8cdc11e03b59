// The balancer's loop on a bus in memory and a clock of the test's: what it publishes when, and how it goes on.

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Command } from '../../../dataplane/protocol/messages.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { type Balancer, type BalancerConfig, startBalancer } from '../../../operator/balancer/loop.ts';
import { Stage } from './stage.ts';

const log = pino({ level: 'silent' });
const shards = [0, 1].map((n) => ({ id: `s${n}` as const, host: '127.0.0.1', port: 1, database: `s${n}` }));
const config = (rule: 'Average' | 'Threshold' | 'None'): BalancerConfig => ({
  balancer: { rule, deadBand: 0.1, summaryPeriod: 100, shardTime: 30, delay: 20 },
  shards,
});

/** Kafka, the registry, and shards that carry commands out, as far as the balancer can tell. */
class Surroundings {
  readonly stage: Stage;
  readonly metrics = new Registry();
  readonly published: Command[] = [];
  terms = 7;
  registryUp = true;
  kafkaUp = true;
  #hear: (topic: 'deltas' | 'levels', value: never) => void = () => undefined;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  get ports() {
    const bus: Bus = {
      publish: async (_topic, messages) => {
        if (!this.kafkaUp) return false;
        for (const { value } of messages) this.published.push(value as Command);
        return true;
      },
      subscribe: async (_topics, _from, handler) => {
        this.#hear = handler as never;
      },
      close: async () => undefined,
    };
    const ask = async <T>(answer: () => T): Promise<T> => {
      if (!this.registryUp) throw new StoreUnknown('the registry is away');
      return answer();
    };
    const registry = {
      read: () => ask(() => ({ incarnation: 'sale' }) as RegistryView),
      nextTerm: () => ask(() => this.terms++),
    };
    return { bus, registry, clock: systemClock, log, metrics: this.metrics };
  }

  report(): void {
    for (const delta of this.stage.peers.values()) this.#hear('deltas', delta as never);
  }

  hear(topic: 'deltas' | 'levels', value: unknown): void {
    this.#hear(topic, value as never);
  }

  /** Everybody carries out what was published, and says so. */
  async obey(): Promise<void> {
    for (const command of this.published) this.stage.execute(command);
    this.stage.land();
    this.report();
    await vi.advanceTimersByTimeAsync(150);
  }

  async metric(name: string, labels: Record<string, string> = {}): Promise<number | undefined> {
    const values = (await this.metrics.getSingleMetric(`flashsale_balancer_${name}`)?.get())?.values ?? [];
    return values.find((v) => Object.entries(labels).every(([key, value]) => v.labels[key] === value))?.value;
  }
}

let balancer: Balancer | undefined;
const start = async (around: Surroundings, rule: 'Average' | 'Threshold' | 'None' = 'None') => {
  const starting = startBalancer(around.ports, config(rule));
  void starting.then((started) => {
    balancer = started;
  });
  await vi.advanceTimersByTimeAsync(150);
  return starting;
};

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(async () => {
  const stopping = balancer?.stop();
  await vi.advanceTimersByTimeAsync(1000);
  await stopping;
  balancer = undefined;
  vi.useRealTimers();
});

describe('the loop', () => {
  test('shakes hands with everybody, then allocates what the pool has', async () => {
    const around = new Surroundings(new Stage({ shards: [0, 0], pool: 11 }, false));
    await start(around);
    around.report();
    await vi.advanceTimersByTimeAsync(150);
    expect(around.published.map(({ source, term, legs }) => [source, term, legs.length])).toEqual([
      ['pool', 7, 0],
      ['s0', 7, 0],
      ['s1', 7, 0],
    ]);
    await around.obey();
    await around.obey();
    expect(around.stage.stocks()).toEqual([6, 5]);
    expect(await around.metric('planned_units_total', { reason: 'allocate' })).toBe(11);
    expect(await around.metric('commands_total', { kind: 'new' })).toBe(4);
    expect(await around.metric('available_units', { peer: 's0' })).toBe(6);
    expect(await around.metric('dispersion', { measure: 'max' })).toBe(6);
    expect(await around.metric('cycle_seconds', { part: 'length' })).toBeGreaterThan(0);
    expect(await around.metric('in_flight_units', { peer: 's0' })).toBe(0);
    expect(await around.metric('report_age_seconds', { peer: 's1' })).toBeCloseTo(0.15, 1);
    expect(await around.metric('reports_disagreeing')).toBe(0);
  });

  test('takes an edited rule into use while it runs', async () => {
    const around = new Surroundings(new Stage({ shards: [20, 0] }, false));
    const running = await start(around, 'None');
    around.report();
    await vi.advanceTimersByTimeAsync(150);
    for (let i = 0; i < 4; i++) await around.obey();
    expect(around.stage.stocks()).toEqual([20, 0]);
    running.update(config('Average'));
    for (let i = 0; i < 4; i++) await around.obey();
    expect(around.stage.stocks()).toEqual([10, 10]);
  });

  test('waits for the registry, and for a term', async () => {
    const around = new Surroundings(new Stage({ shards: [0, 0], pool: 2 }, false));
    around.registryUp = false;
    const starting = startBalancer(around.ports, config('None'));
    await vi.advanceTimersByTimeAsync(3000);
    around.registryUp = true;
    await vi.advanceTimersByTimeAsync(1000);
    balancer = await starting;
    around.report();
    await vi.advanceTimersByTimeAsync(1000);
    expect(around.published[0]?.term).toBe(7);
  });

  test('what Kafka did not take is said again, and counted', async () => {
    const around = new Surroundings(new Stage({ shards: [0, 0], pool: 2 }, false));
    await start(around);
    around.kafkaUp = false;
    around.report();
    await vi.advanceTimersByTimeAsync(150);
    expect(await around.metric('publish_failures_total')).toBe(3);
    around.kafkaUp = true;
    await vi.advanceTimersByTimeAsync(400);
    expect(around.published.map(({ source }) => source)).toEqual(['pool', 's0', 's1']);
    expect(await around.metric('commands_total', { kind: 'repeated' })).toBe(3);
  });

  test('a report that no plan can be made from ends nothing: it is counted, and the next one is planned from', async () => {
    const around = new Surroundings(new Stage({ shards: [0, 0], pool: 2 }, false));
    await start(around);
    around.hear('levels', { incarnation: 'sale', node: 'c0', epoch: 1, sequence: 1, layout: 1 });
    around.report();
    await vi.advanceTimersByTimeAsync(2000);
    expect(around.published).toEqual([]);
    expect(await around.metric('loop_failures_total')).toBeGreaterThan(1);
    around.hear('levels', { incarnation: 'sale', node: 'c0', epoch: 1, sequence: 2, layout: 1, pinned: {} });
    await vi.advanceTimersByTimeAsync(2000);
    expect(new Set(around.published.map(({ source }) => source))).toEqual(new Set(['pool', 's0', 's1']));
  });

  test('R32: restarted, it takes a higher term, and nothing of the former one is carried out any more', async () => {
    const stage = new Stage({ shards: [0, 0], pool: 8 }, false);
    const first = new Surroundings(stage);
    const before = await start(first);
    first.report();
    await vi.advanceTimersByTimeAsync(150);
    await first.obey();
    // Its last command was published and not carried out when it died.
    const late = first.published.splice(0);
    const stopping = before.stop();
    await vi.advanceTimersByTimeAsync(1000);
    await stopping;

    const second = new Surroundings(stage);
    second.terms = 8;
    await start(second);
    second.report();
    await vi.advanceTimersByTimeAsync(150);
    for (let i = 0; i < 3; i++) await second.obey();
    expect(stage.stocks()).toEqual([4, 4]);
    for (const command of late) stage.execute(command);
    stage.land();
    expect(stage.stocks()).toEqual([4, 4]);
    expect(stage.total()).toBe(8);
  });

  test('stands back while a balancer with a higher term is at work, and takes a new term later', async () => {
    const around = new Surroundings(new Stage({ shards: [0, 0], pool: 2 }, false));
    await start(around);
    around.stage.change('s0', { command: { term: 9, sequence: 1 } });
    around.report();
    await vi.advanceTimersByTimeAsync(150);
    expect(around.published).toEqual([]);
    expect(await around.metric('superseded_total')).toBe(1);
    around.terms = 10;
    around.registryUp = false;
    await vi.advanceTimersByTimeAsync(5000);
    around.registryUp = true;
    await vi.advanceTimersByTimeAsync(1500);
    expect(around.published[0]?.term).toBe(10);
  });
});
