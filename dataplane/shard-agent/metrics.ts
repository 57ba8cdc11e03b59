// Every metric of the agents of shards and of the pool. There are few labels, and none is ever a buyer (R25).

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { REFILL_OUTCOMES, type RefillOutcome } from '../protocol/refill.ts';
import type { Millis, Version } from '../protocol/units.ts';
import type { ShardState } from '../stores/shard/shard.ts';

const LATENCY = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];

const makers = (metricsRegistry: Registry) => {
  const registers = [metricsRegistry];
  return {
    gauge: (name: string, help: string) => {
      const gauge = new Gauge({ name: `flashsale_${name}`, help, registers });
      return (value: number) => gauge.set(value);
    },
    counter: (name: string, help: string) => {
      const counter = new Counter({ name: `flashsale_${name}`, help, registers });
      return (by = 1) => counter.inc(by);
    },
    seconds: (name: string, help: string) => {
      const histogram = new Histogram({ name: `flashsale_${name}`, help, buckets: LATENCY, registers });
      return (took: Millis) => histogram.observe(took / 1000);
    },
  };
};

export type StockHolderMetrics = ReturnType<typeof stockHolderMetrics>;

/** Makes the metrics of a stock holder: a shard, or the pool. */
export function stockHolderMetrics(metricsRegistry: Registry) {
  const { gauge, counter, seconds } = makers(metricsRegistry);
  const available = gauge('shard_available_units', 'Stock that is not sold.');
  const sold = gauge('shard_sold_units', 'Units ever ordered.');
  const cancelled = gauge('shard_cancelled_units', 'Of those, cancelled.');
  const missed = gauge('shard_missed_units', 'Units that valid tokens asked for and that were not there.');
  const version = gauge('shard_ledger_version', 'Version of the newest ledger row.');
  const failures = new Counter({
    name: 'flashsale_shard_loop_failures_total',
    help: 'Steps of the agent that failed and were tried again, by loop.',
    labelNames: ['loop'] as const,
    registers: [metricsRegistry],
  });
  const lag = gauge('shard_report_lag_versions', 'Ledger versions that no report has covered yet.');
  return {
    state(state: ShardState, reported: Version | undefined) {
      available(state.available);
      sold(state.sold);
      cancelled(state.cancelled);
      missed(state.missed);
      version(state.version);
      lag(state.version - (reported ?? 0));
    },
    loopFailed: (loop: string) => failures.inc({ loop }),
    reports: counter('shard_reports_total', 'Deltas that the queue has.'),
    events: counter('shard_order_events_total', 'Order events that the queue has.'),
    commandTook: seconds('shard_command_seconds', 'From reading a command to its transfers being handed to the queue.'),
    transferTook: seconds('shard_transfer_seconds', 'From reading a transfer to its being applied.'),
    commandRefused: counter('shard_refused_commands_total', 'Commands of a term that the registry never gave.'),
    inFlight: gauge('shard_in_flight_units', 'Units that left here and that the next hop has not reported.'),
    transfersSent: counter('shard_transfers_sent_total', 'Transfers handed to the queue for the first time.'),
    transfersResent: counter('shard_transfers_resent_total', 'Transfers sent again, because nobody reported them.'),
    overdue: counter('shard_overdue_orders_total', 'Orders cancelled because their payment deadline had passed.'),
  };
}

export type PoolMetrics = ReturnType<typeof poolMetrics>;

/** Makes the metrics that only the pool's agent has. */
export function poolMetrics(metricsRegistry: Registry) {
  const { gauge, counter, seconds } = makers(metricsRegistry);
  const refills = new Counter({
    name: 'flashsale_pool_refills_total',
    help: 'Refills that storefronts asked for, by outcome.',
    labelNames: ['outcome'] as const,
    registers: [metricsRegistry],
  });
  for (const outcome of REFILL_OUTCOMES) refills.labels(outcome);
  return {
    refill: (outcome: RefillOutcome) => refills.inc({ outcome }),
    refillTook: seconds('pool_refill_seconds', 'From a refill’s arrival to its answer.'),
    moved: counter('pool_moved_units_total', 'Virtual units moved from one cache node to another.'),
    withdrawn: counter('pool_withdrawn_units_total', 'Virtual units taken back for a lowered supply.'),
    credited: counter('pool_credited_units_total', 'Cancelled units that became virtual stock again.'),
    paid: counter('pool_paid_units_total', 'Units that left the sale.'),
    active: gauge('pool_agent_active', '1 while this instance acts, 0 while another one does.'),
    supplied: gauge('sale_supplied_units', 'Units ever supplied.'),
    target: gauge('sale_target_units', 'Units that should be supplied.'),
    owed: gauge('sale_owed_units', 'Units taken back from the nodes that have not left the sale yet.'),
    reachable: gauge('pool_reachable_nodes', 'Cache nodes that answer and are fit for use.'),
    resizing: gauge('sale_resizing', '1 while the number of cache nodes is being changed.'),
  };
}
