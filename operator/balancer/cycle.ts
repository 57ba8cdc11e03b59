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

export interface Measures {
  shardTimes: readonly Millis[];
  delays: readonly Millis[];
  arrivals: readonly Arrival[];
}

export interface Cycle {
  shards: number;
  shardTime: Millis;
  delay: Millis;
  length: Millis;
}

export const nothingMeasured: Measures = { shardTimes: [], delays: [], arrivals: [] };

const NEWEST = 31;
/** What did not arrive by then tells of a failure, not of a delay. */
const GIVE_UP: Millis = 10_000;

/** `done`: commands whose sources just reported them carried out. Repeated ones measure the loss of messages: left out. */
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

/** `shards`: how many there are; `shardTime`, `delay`: as configured. */
export function cycleOf(measures: Measures, shards: number, shardTime: Millis, delay: Millis): Cycle {
  const k = median(measures.shardTimes) ?? shardTime;
  const m = median(measures.delays) ?? delay;
  return { shards, shardTime: k, delay: m, length: shards * k + m };
}

function median(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
