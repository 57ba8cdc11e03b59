// Every metric of a cache agent. Its labels are a reason, an outcome or a loop, and never a buyer (R25).

import { Counter, Gauge, type Registry } from 'prom-client';
import type { Millis } from '../protocol/units.ts';
import type { NodeState } from '../stores/cache-node/cache-node.ts';

export type CacheMetrics = ReturnType<typeof cacheMetrics>;

export function cacheMetrics(metricsRegistry: Registry) {
  const registers = [metricsRegistry];
  const gauge = (name: string, help: string) => {
    const made = new Gauge({ name: `flashsale_cache_${name}`, help, registers });
    return (value: number) => made.set(value);
  };
  const counter = (name: string, help: string, label?: string) => {
    const made = new Counter({
      name: `flashsale_cache_${name}`,
      help,
      labelNames: label === undefined ? [] : [label],
      registers,
    });
    return (by: number, value?: string) =>
      label === undefined ? made.inc(by) : made.inc({ [label]: value ?? '' }, by);
  };
  const virtual = gauge('virtual_units', 'Virtual stock: units that purchases can still take here.');
  const liveTokens = gauge('live_tokens', 'Tokens that are neither settled nor returned.');
  const liveUnits = gauge('live_units', 'Units of live tokens.');
  const granted = gauge('granted_units', 'Units ever granted to this node and applied.');
  const revoked = gauge('revoked_units', 'Units ever taken from this node.');
  const issued = gauge('issued_tokens', 'Tokens issued in this epoch.');
  const settled = gauge('settled_units', 'Units ordered in this epoch.');
  const returned = gauge('returned_units', 'Units of tokens that ended unsold in this epoch.');
  const epoch = gauge('epoch', 'Lives of the node’s data.');
  const paused = gauge('paused', 'Whether the identity lets no purchase through.');
  const waitingTokens = gauge('expiry_waiting_tokens', 'Tokens due whose shard has not confirmed their end.');
  const lag = gauge('expiry_lag_seconds', 'How long the oldest of those has been due, by the node’s clock.');
  return {
    state(state: NodeState) {
      virtual(state.virtual);
      liveTokens(state.liveTokens);
      liveUnits(state.liveUnits);
      granted(state.granted);
      revoked(state.revoked);
      issued(state.issued);
      settled(state.settledUnits);
      returned(state.returnedUnits);
      epoch(state.identity.epoch);
      paused(state.identity.paused ? 1 : 0);
    },
    waiting(waiting: { tokens: number; lag: Millis }) {
      waitingTokens(waiting.tokens);
      lag(waiting.lag / 1000);
    },
    enabled: gauge('enabled', 'Whether storefronts may use the node.'),
    ended: counter('expired_tokens_total', 'Tokens that expiry ended, by what they had become.', 'as'),
    recovered: counter('recoveries_total', 'Recoveries, by the objection that led to them.', 'reason'),
    reportsFailed: counter('reports_failed_total', 'Levels the queue did not take; they are repeated.'),
    loopFailed: counter('loop_failures_total', 'Steps of the agent that failed and were tried again, by loop.', 'loop'),
  };
}
