// The balancer on a real Kafka: it rebuilds its table from the compacted topics after a restart, two at once do no
// harm, and a Kafka that lost everything is filled again by what everybody repeats.

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { ShardId } from '../../../dataplane/protocol/units.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import { connectBus } from '../../../dataplane/runtime/bus-kafka.ts';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { type Balancer, startBalancer } from '../../../operator/balancer/loop.ts';
import { busSecret, startKafka, type TestKafka } from '../../harness/kafka.ts';
import { until } from '../../harness/until.ts';
import { level, Stage, type Start } from '../../unit/balancer/stage.ts';

const log = pino({ level: 'silent' });
let kafka: TestKafka;
let sales = 0;
const cleanup: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  kafka = await startKafka();
});
afterEach(async () => {
  for (const step of cleanup.splice(0).reverse()) await step();
});
afterAll(() => kafka.destroy());

/** A sale whose shards obey what they read from Kafka and say so there; its terms outlive its balancers. */
class Sale {
  readonly stage: Stage;
  readonly #config = kafka.config(`sale${sales++}`);
  #terms = 0;

  constructor(start: Start) {
    this.stage = new Stage(start, false);
  }

  bus(): Bus {
    const bus = connectBus(this.#config, busSecret, log, new Registry());
    cleanup.push(() => bus.close());
    return bus;
  }

  /** Reports every 100 ms for as long as the test lasts. */
  async work(pinned: Partial<Record<ShardId, number>> = {}): Promise<void> {
    const bus = this.bus();
    await bus.subscribe(['commands'], { beginning: false }, (_, command) => {
      this.stage.execute(command);
      this.stage.land();
    });
    const report = () => {
      void bus.publish(
        'deltas',
        [...this.stage.peers.values()].map((value) => ({ key: value.peer, value })),
      );
      void bus.publish('levels', [{ key: 'c0', value: level('c0', pinned) }]);
    };
    const timer = setInterval(report, 100);
    cleanup.push(() => clearInterval(timer));
  }

  async balancer(): Promise<Balancer> {
    const registry = {
      read: async () => ({ incarnation: 'sale' }) as RegistryView,
      nextTerm: async () => ++this.#terms,
    };
    const shards = this.stage.ids
      .filter((id): id is ShardId => id !== 'pool')
      .map((id) => ({ id, host: '127.0.0.1', port: 1, database: id }));
    const balancer = await startBalancer(
      { bus: this.bus(), registry, clock: systemClock, log, metrics: new Registry() },
      { balancer: { rule: 'Average', deadBand: 0, summaryPeriod: 100, shardTime: 30, delay: 20 }, shards },
    );
    cleanup.push(() => balancer.stop());
    return balancer;
  }

  even(stocks: readonly number[]): Promise<boolean> {
    return until(`stocks are ${stocks}`, () => this.stage.stocks().join() === stocks.join());
  }

  term(): number {
    return Math.min(...this.stage.ids.map((id) => this.stage.at(id).command.term));
  }
}

test('R13: restarted, it rebuilds the table from the compacted topics and goes on under a higher term', async () => {
  const sale = new Sale({ shards: [0, 0, 0], pool: 90 });
  await sale.work({ s1: 7 });
  const first = await sale.balancer();
  // Promised units are covered, and the 83 others spread.
  await until('everything is allocated', () => sale.stage.at('pool').available === 0);
  await until('the promised units are counted', () => first.table.shard('s1')?.pinned === 7);
  await first.stop();
  const term = sale.term();

  sale.stage.change('s0', { available: 0, sold: sale.stage.at('s0').available });
  const left = sale.stage.total();
  const second = await sale.balancer();
  await until('the second one is at work', () => sale.term() > term);
  await until('the shards are even again', () => {
    const [a = 0, b = 0, c = 0] = sale.stage.stocks();
    return Math.max(a, b - 7, c) - Math.min(a, b - 7, c) <= 1;
  });
  expect(sale.stage.total()).toBe(left);
  await until('its table says what the shards say', () =>
    sale.stage.ids.every((id) => id === 'pool' || second.table.shard(id)?.available === sale.stage.at(id).available),
  );
  expect(second.table.disagreements).toBe(0);
});

test('two at once do no harm: nothing is moved twice, and the stock is spread', async () => {
  const sale = new Sale({ shards: [40, 0], pool: 10 });
  await sale.work();
  await Promise.all([sale.balancer(), sale.balancer()]);
  await sale.even([25, 25]);
  expect(sale.stage.total()).toBe(50);
});

test('a Kafka that lost everything is filled again, and balancing goes on', async () => {
  const sale = new Sale({ shards: [10, 0] });
  await sale.work();
  await sale.balancer();
  await sale.even([5, 5]);
  await kafka.restart({ wipe: true });
  sale.stage.change('s0', { available: 1, sold: 4 });
  await until('stock moves again', () => sale.stage.stocks().join() === '3,3', 45_000);
  expect(sale.stage.total()).toBe(6);
}, 60_000);
