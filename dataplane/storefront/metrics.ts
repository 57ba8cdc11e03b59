// Every metric of a storefront. There are few labels, and none is ever a buyer (R25). Counting adds to a number of our
// own; the metrics registry is told only when it is scraped, because telling it costs as much as a twentieth of a
// refusal.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { CUTS } from '../http/connections.ts';
import { type Operation, problemsOf } from '../http/openapi.ts';
import type { Millis } from '../protocol/units.ts';
import { OPERATIONS } from './openapi.ts';

const LATENCY = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
/** How many durations are told to the metrics registry in one go: told that way, each costs a third. */
const MOST_UNTOLD = 1024;
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Returns the problems that some operations may refuse with; every outcome is shown from the start, at 0. */
const refusals = (which: (operation: Operation) => boolean): string[] => [
  ...new Set(OPERATIONS.filter(which).flatMap(problemsOf)),
];

export type Metrics = ReturnType<typeof storefrontMetrics>;

export interface Watched {
  /** Returns how many checkouts wait for each shard. */
  queued(): Iterable<[shard: string, rows: number]>;
  /** Returns how many purchases are under way. */
  purchasing(): number;
  /** Returns how many connections are open. */
  connections(): number;
}

export function storefrontMetrics(metricsRegistry: Registry, { queued, purchasing, connections }: Watched) {
  const registers = [metricsRegistry];
  const name = (rest: string) => `flashsale_storefront_${rest}`;
  const counter = (rest: string, help: string, label: string, values: readonly string[]) => {
    const since: Record<string, number> = Object.fromEntries(values.map((value) => [value, 0]));
    new Counter({
      name: name(rest),
      help,
      labelNames: [label],
      registers,
      collect() {
        for (const value of values) {
          this.inc({ [label]: value }, since[value]);
          since[value] = 0;
        }
      },
    });
    return (value: string, by = 1) => {
      if (since[value] !== undefined) since[value] += by;
    };
  };
  const plain = (rest: string, help: string) => {
    const total = new Counter({ name: name(rest), help, registers });
    return (by = 1) => total.inc(by);
  };
  const seconds = (rest: string, help: string) => {
    const since = new Float64Array(MOST_UNTOLD);
    let untold = 0;
    const tell = (histogram: Histogram) => {
      for (let i = 0; i < untold; i++) histogram.observe(since[i] ?? 0);
      untold = 0;
    };
    const histogram: Histogram = new Histogram({
      name: name(rest),
      help,
      buckets: LATENCY,
      registers,
      collect: () => tell(histogram),
    });
    return (took: Millis) => {
      since[untold++] = took / 1000;
      if (untold === MOST_UNTOLD) tell(histogram);
    };
  };
  const batch = new Histogram({ name: name('batch_rows'), help: 'Checkouts in one batch.', buckets: ROWS, registers });
  new Gauge({
    name: name('queued_checkouts'),
    help: 'Checkouts that wait for their shard.',
    labelNames: ['shard'],
    registers,
    collect() {
      for (const [shard, rows] of queued()) this.set({ shard }, rows);
    },
  });

  new Gauge({
    name: name('purchases_under_way'),
    help: 'Purchases that wait for an answer; too many, and the next ones are told to come back.',
    registers,
    collect() {
      this.set(purchasing());
    },
  });

  new Gauge({
    name: name('connections'),
    help: 'Connections of clients that are open.',
    registers,
    collect() {
      this.set(connections());
    },
  });

  return {
    connectionCut: counter(
      'connections_cut_total',
      'Connections cut because of what they cost, by reason.',
      'reason',
      CUTS,
    ),
    purchase: counter('purchases_total', 'Purchases by outcome.', 'outcome', [
      'fresh',
      'again',
      ...refusals((o) => o.path === '/purchase'),
    ]),
    checkout: counter('checkouts_total', 'Checkouts by outcome.', 'outcome', [
      'sold',
      'known',
      ...refusals((o) => o.path === '/checkout'),
    ]),
    order: counter('orders_total', 'Payments, cancellations and looks at orders by outcome.', 'outcome', [
      'shown',
      'paid',
      'cancelled',
      ...refusals((o) => o.path.startsWith('/orders/')),
    ]),
    purchaseTook: seconds(
      'purchase_seconds',
      'From a purchase’s body to its answer, of those a cache node was asked for.',
    ),
    checkoutTook: seconds('checkout_seconds', 'From a checkout’s body to its answer.'),
    batchRows: (rows: number) => batch.observe(rows),
    connectionHeld: seconds('connection_held_seconds', 'How long a batch holds a shard’s connection.'),
    resent: plain('resent_checkouts_total', 'Checkouts sent again because the shard did not answer.'),
    refill: counter('refills_total', 'Refills asked for, by outcome.', 'outcome', [
      'granted',
      'sold-out',
      'unavailable',
    ]),
    settled: plain('settled_total', 'Tokens that a cache node was told are orders.'),
    settleLag: seconds('settle_lag_seconds', 'From an order to its cache node’s answer.'),
    settleDropped: plain('settles_dropped_total', 'Tokens left to expiry to be found as orders.'),
    storeError: counter('store_errors_total', 'Calls of a store that got no answer.', 'store', STORES),
    webhookFailed: plain('webhook_failures_total', 'Risk checks that gave no answer.'),
  };
}

export const STORES = ['cache', 'shard', 'pool'] as const;
export type Store = (typeof STORES)[number];
