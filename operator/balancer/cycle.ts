// The balance cycle `n·k + m` (R21) with measured k and m: k, from the moment a command is issued until its source has
// reported that it handed the stock over; m, from then until the destination has reported it stored. Medians of the
// newest measurements, by the balancer's own clock alone; until there are any, the configured values.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, StockHolderId, Units } from '../../dataplane/protocol/units.ts';
import type { Pending } from './pending.ts';

/** A hand-over whose storing is awaited: done when the destination has received this lifetime total. */
interface Arrival {
  destination: StockHolderId;
  total: Units;
  since: Millis;
}

/** The newest measurements, oldest first. */
export interface Measures {
  /** Measured k: from a command's issue to its source's report. */
  shardTimes: readonly Millis[];
  /** Measured m: from that report to the destination's. */
  delays: readonly Millis[];
  /** Hand-overs whose m is still being measured. */
  arrivals: readonly Arrival[];
}

/** The balance cycle and what it is made of. */
export interface Cycle {
  /** n: the number of shards. */
  shards: number;
  /** k: how long a shard takes to carry a command out. */
  shardTime: Millis;
  /** m: how long stock is on its way. */
  delay: Millis;
  /** n·k + m. */
  length: Millis;
}

export const nothingMeasured: Measures = { shardTimes: [], delays: [], arrivals: [] };

/** The number of measurements that are kept of each kind. */
const NEWEST = 31;
/** Stock that did not arrive within this time tells of a failure, not of a delay. */
const GIVE_UP: Millis = 10_000;

/** Adds measurements. `done` are commands whose sources have just reported them carried out; repeated ones measure the loss of messages, and are left out. */
export function measure(before: Measures, done: readonly Pending[], table: ResourceTable, now: Millis): Measures {
  const handed = done.filter(({ times }) => times === 1);
  const shardTimes = handed.map(({ issuedAt }) => now - issuedAt);
  const awaited = handed.flatMap(({ command }) =>
    command.legs.map(({ destination }) => ({ destination, total: table.sentTo(destination), since: now })),
  );
  const stored = ({ destination, total }: Arrival) => table.received(destination) >= total;
  const delays = before.arrivals.filter(stored).map(({ since }) => now - since);
  const arrivals = before.arrivals.filter((arrival) => !stored(arrival) && now - arrival.since < GIVE_UP);
  return {
    shardTimes: [...before.shardTimes, ...shardTimes].slice(-NEWEST),
    delays: [...before.delays, ...delays].slice(-NEWEST),
    arrivals: [...arrivals, ...awaited].slice(-NEWEST),
  };
}

/** Works the cycle out. `shardTime` and `delay` are the configured values, for as long as nothing was measured. */
export function cycleOf(measures: Measures, shards: number, shardTime: Millis, delay: Millis): Cycle {
  const k = median(measures.shardTimes) ?? shardTime;
  const m = median(measures.delays) ?? delay;
  return { shards, shardTime: k, delay: m, length: shards * k + m };
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
