// Decides the next step of a resize, a change of the number of cache nodes. It is asked again and again with a fresh
// look. Pure.
//
//   none ──(wanted ≠ count, all that are wanted fit)──▶ draining ──(all paused, no live token, leaving ones empty)──▶
//   rebuilding ──(every node of the new layout has taken it)──▶ none
//
// While it drains, every identity pauses purchases until a newer layout, live tokens end, and a leaving node gives back
// what it holds. A leaving node that cannot be asked is fenced on every shard instead, so that its unsold units can be
// taken over.

import { type Epoch, type Millis, type NodeId, nodeNumber, type Units } from '../../protocol/units.ts';
import type { HeldUnits, ResizeStep } from '../../stores/registry/registry.ts';
import { isFit, isMember, isStaying, type Look, type Reading, unapplied, unbooked } from './reading.ts';

export type ResizeAction =
  /** `layout`: the one it was decided by. `held`: what leaving nodes still account for (granted − revoked). */
  | { kind: 'step'; layout: number; from: ResizeStep; to: ResizeStep; held: HeldUnits }
  /** Revokes all that a leaving node holds. */
  | { kind: 'empty'; node: NodeId; units: Units }
  | { kind: 'fence'; node: NodeId; epoch: Epoch }
  | { kind: 'wait'; reason: string };

/** A leaving node has this long to be found again, before its tokens are given up. */
const FENCE_AFTER: Millis = 5000;

/**
 * `absentFor`: how long a node has not been fit. `fenced`: the units ordered through it, if this epoch of it is fenced
 * and booked.
 * Empty: nothing is to be done.
 */
export function decideResize(
  look: Look,
  absentFor: (node: NodeId) => Millis,
  fenced: (node: NodeId, epoch: Epoch) => Units | undefined,
): ResizeAction[] {
  const { view } = look;
  switch (view.resize) {
    case 'none':
      return view.count === 0 || view.wantedCount === view.count ? [] : begin(look);
    case 'draining':
      return drain(look, absentFor, fenced);
    case 'rebuilding':
      return finish(look);
  }
}

function begin({ view, readings }: Look): ResizeAction[] {
  const missing = readings.filter((reading) => nodeNumber(reading.node.id) < view.wantedCount && !isFit(reading));
  // Purchases pause from the next step on, so every node that has to be waited for is waited for here.
  if (missing.length > 0) return [wait(missing, 'to come up')];
  return [{ kind: 'step', layout: view.layout, from: 'none', to: 'draining', held: {} }];
}

function drain(
  { view, readings }: Look,
  absentFor: (node: NodeId) => Millis,
  fenced: (node: NodeId, epoch: Epoch) => Units | undefined,
): ResizeAction[] {
  const held: HeldUnits = {};
  const actions = readings
    .filter(({ node }) => isMember(view, node.id))
    .flatMap((reading): ResizeAction[] => {
      const { node } = reading;
      const leaving = !isStaying(view, node.id);
      if (!isFit(reading)) {
        if (!leaving) return [wait([reading], 'to be fit')];
        const ordered = fenced(node.id, node.epoch);
        if (ordered !== undefined) {
          held[node.id] = ordered;
          return [];
        }
        if (absentFor(node.id) < FENCE_AFTER) return [wait([reading], 'to be found again')];
        return [{ kind: 'fence', node: node.id, epoch: node.epoch }];
      }
      const { state } = reading;
      if (!state.draining) return [wait([reading], 'to pause')];
      if (state.liveTokens > 0) return [wait([reading], 'until its live tokens end')];
      if (!leaving) return [];
      if (unapplied(reading) > 0 || unbooked(reading) > 0) return [wait([reading], 'to be balanced with the registry')];
      if (state.virtual > 0) return [{ kind: 'empty', node: node.id, units: state.virtual }];
      held[node.id] = state.granted - state.revoked;
      return [];
    });
  if (actions.length > 0) return actions;
  return [{ kind: 'step', layout: view.layout, from: 'draining', to: 'rebuilding', held }];
}

function finish({ view, readings }: Look): ResizeAction[] {
  const missing = readings.filter(
    (reading) => isMember(view, reading.node.id) && reading.state?.identity.layout !== view.layout,
  );
  return missing.length > 0
    ? [wait(missing, 'to take the new layout')]
    : [{ kind: 'step', layout: view.layout, from: 'rebuilding', to: 'none', held: {} }];
}

const wait = (readings: Reading[], what: string): ResizeAction => ({
  kind: 'wait',
  reason: `waits for ${readings.map(({ node }) => node.id).join(', ')} ${what}`,
});
