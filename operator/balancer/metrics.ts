// What the balancer tells of itself, as Prometheus metrics. Gauges are read from the table when they are asked for.

import { Counter, Gauge, type Registry } from 'prom-client';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, StockHolderId } from '../../dataplane/protocol/units.ts';
import type { Decision } from './decide.ts';

export interface BalancerMetrics {
  /** Counts what a plan has commanded. */
  planned(decision: Decision): void;
  /** Counts commands that Kafka did not take. */
  publishFailed(commands: number): void;
  /** Counts that a balancer with a higher term was found at work. */
  superseded(): void;
  /** Counts a step that failed and is tried again: the registry gave no term, or a plan could not be made. */
  failed(): void;
}

export function balancerMetrics(registers: Registry[], table: ResourceTable, now: () => Millis): BalancerMetrics {
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `flashsale_balancer_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    collect: (g: Gauge<Label>) => void,
  ) =>
    new Gauge({
      name: `flashsale_balancer_${name}`,
      help,
      labelNames,
      registers,
      collect() {
        collect(this);
      },
    });
  const holders = (): StockHolderId[] => [
    ...(table.pool() ? (['pool'] as const) : []),
    ...table.shards().map((s) => s.shard),
  ];

  const commands = counter('commands_total', 'Commands published, by whether they were new or repeated.', ['kind']);
  const units = counter('planned_units_total', 'Units commands asked to move, by reason.', ['reason']);
  const failures = counter('publish_failures_total', 'Commands Kafka did not take; they are repeated.');
  const failedSteps = counter('loop_failures_total', 'Steps of the balancer that failed and were tried again.');
  const takeovers = counter('superseded_total', 'Times a balancer with a higher term was found at work.');

  let cycle: Decision['cycle'] | undefined;
  gauge('cycle_seconds', 'The balance cycle n·k + m (R21), and the k and m it is made of.', ['part'], (g) => {
    if (!cycle) return;
    g.set({ part: 'length' }, cycle.length / 1000);
    g.set({ part: 'shard_time' }, cycle.shardTime / 1000);
    g.set({ part: 'delay' }, cycle.delay / 1000);
  });
  gauge('dispersion', 'How uneven the stock of the shards is (R14).', ['measure'], (g) => {
    const { coefficientOfVariation, min, max, mean } = table.dispersion();
    g.set({ measure: 'coefficient_of_variation' }, coefficientOfVariation);
    g.set({ measure: 'min' }, min);
    g.set({ measure: 'max' }, max);
    g.set({ measure: 'mean' }, mean);
  });
  gauge('available_units', 'Stock as last reported.', ['peer'], (g) => {
    for (const { shard, available } of table.shards()) g.set({ peer: shard }, available);
    g.set({ peer: 'pool' }, table.pool()?.available ?? 0);
  });
  gauge('in_flight_units', 'Stock on its way, by where it will end.', ['peer'], (g) => {
    for (const peer of holders()) g.set({ peer }, table.inFlight(peer));
  });
  gauge('report_age_seconds', 'Time since a shard or the pool was last heard of.', ['peer'], (g) => {
    for (const peer of holders()) g.set({ peer }, (now() - (table.heardAt(peer) ?? now())) / 1000);
  });
  gauge('reports_dropped', 'Reports that were old, or of another life of the sale.', [], (g) => g.set(table.dropped));
  gauge(
    'reports_disagreeing',
    'Reports whose change and result did not fit together; more than 0 is a fault.',
    [],
    (g) => g.set(table.disagreements),
  );

  return {
    planned(decision) {
      cycle = decision.cycle;
      commands.inc({ kind: 'new' }, decision.commands.length - decision.repeats);
      commands.inc({ kind: 'repeated' }, decision.repeats);
      for (const [reason, amount] of Object.entries(decision.moved)) units.inc({ reason }, amount);
    },
    publishFailed: (count) => failures.inc(count),
    superseded: () => takeovers.inc(),
    failed: () => failedSteps.inc(),
  };
}
