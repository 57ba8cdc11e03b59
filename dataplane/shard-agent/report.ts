// Decides when a stock holder reports, and makes the report. Pure. A report is due a summary period after the last one
// when anything changed (R12), at once when others wait for it, and every second for those who missed the last one.

import { type Delta, newer } from '../protocol/messages.ts';
import type { Millis, StockHolderId } from '../protocol/units.ts';
import type { ShardState } from '../stores/shard/shard.ts';

/** A report is repeated after so long even when nothing changed. */
const REPEAT: Millis = 1000;
/** Reports are not closer together than this, however urgent. */
const CLOSEST: Millis = 30;
/** How often the state is read while it changes: a report can be late by this much. */
const LOOK: Millis = 20;
/**
 * How often the state is read once it has not changed for a second. The first report after that can be late by this
 * much.
 */
const IDLE_LOOK: Millis = 100;
const IDLE_AFTER: Millis = 1000;

/** Returns how long to wait before the state is read again, when it was last seen to change `quiet` ms ago. */
export const lookAgainIn = (quiet: Millis): Millis => (quiet < IDLE_AFTER ? LOOK : IDLE_LOOK);

export interface Reported {
  /** The last state that the queue certainly has; undefined when it has none yet. */
  state: ShardState | undefined;
  /** When the last report was tried. */
  at: Millis;
}

export function reportDue(last: Reported, state: ShardState, now: Millis, summaryPeriod: Millis): boolean {
  const waited = now - last.at;
  if (last.state === undefined) return waited >= CLOSEST;
  if (waited >= REPEAT) return true;
  if (waited < CLOSEST || !changed(last.state, state)) return false;
  return waited >= summaryPeriod || urgent(last.state, state);
}

/**
 * Returns true when somebody waits: the balancer for missed units or the end of a command, a sender for its
 * acknowledgement.
 */
function urgent(last: ShardState, state: ShardState): boolean {
  return (
    state.missed > last.missed ||
    newer(state.command, last.command) ||
    !same(state.receivedVersions, last.receivedVersions) ||
    ranLow(last, state)
  );
}

/**
 * Returns true when half of what was reported is gone, so that routing by the report is wrong by more than a factor of
 * two.
 */
const ranLow = (last: ShardState, state: ShardState): boolean =>
  state.available < last.available && state.available <= last.available / 2;

/** Returns true when something that a report tells has changed. */
export const changed = (last: ShardState, state: ShardState): boolean =>
  state.version !== last.version ||
  state.missed !== last.missed ||
  newer(state.command, last.command) ||
  !same(state.pool, last.pool);

/** Returns true when two small flat records have the same fields and numbers. */
function same(a: object | undefined, b: object | undefined): boolean {
  const before = Object.entries(b ?? {});
  const entries = new Map(Object.entries(a ?? {}));
  return entries.size === before.length && before.every(([key, value]) => entries.get(key) === value);
}

/**
 * Makes a report with the signed sum of what changed since `last` (R9, R13); without `last`, since the beginning, where
 * stock and version were 0. Returns undefined when the stock holder has not joined a sale.
 */
export function deltaOf(id: StockHolderId, last: ShardState | undefined, state: ShardState): Delta | undefined {
  const { incarnation } = state;
  if (incarnation === undefined) return undefined;
  return {
    incarnation,
    peer: id,
    peerIncarnation: state.peerIncarnation,
    version: state.version,
    fromVersion: last?.version ?? 0,
    delta: state.available - (last?.available ?? 0),
    available: state.available,
    sold: state.sold,
    cancelled: state.cancelled,
    missed: state.missed,
    missedMax: state.missedMax,
    sent: state.sent,
    received: state.received,
    receivedVersions: state.receivedVersions,
    command: state.command,
    ...(state.pool ? { pool: state.pool } : {}),
  };
}
