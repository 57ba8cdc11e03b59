// Makes a node's report for the topic `levels`, and decides when it is due: at once when something changed, else once a
// second. Pure.

import type { Level } from '../protocol/messages.ts';
import type { Millis } from '../protocol/units.ts';
import type { NodeState } from '../stores/cache-node/cache-node.ts';

/** Unchanged levels are repeated, because any message may be lost. */
const REPEAT_AFTER: Millis = 1000;

export const levelOf = ({ identity, ...state }: NodeState): Level => ({
  incarnation: identity.incarnation,
  node: identity.node,
  epoch: identity.epoch,
  sequence: state.sequence,
  layout: identity.layout,
  paused: identity.paused,
  virtual: state.virtual,
  liveTokens: state.liveTokens,
  liveUnits: state.liveUnits,
  pinned: state.pinned,
  granted: state.granted,
  revoked: state.revoked,
  issued: state.issued,
  settledUnits: state.settledUnits,
  returnedUnits: state.returnedUnits,
});

export interface Reported {
  level: Level;
  at: Millis;
}

/**
 * Returns true when a report is due. Levels of the same epoch and sequence are the same in everything: see
 * NodeState.sequence.
 */
export const shouldReport = (last: Reported | undefined, level: Level, now: Millis): boolean =>
  last === undefined ||
  last.level.epoch !== level.epoch ||
  last.level.sequence !== level.sequence ||
  last.level.incarnation !== level.incarnation ||
  now - last.at >= REPEAT_AFTER;
