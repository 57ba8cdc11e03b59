// Classifies what a look at the cache tier means for a node that ran short. Pure. "Sold out" is the one answer that
// cannot be taken back, so it needs everything: every node of the layout was asked, none is about to change, and
// nothing is revoked but unbooked or granted but unapplied (R29).

import type { RefillRequest } from '../../protocol/refill.ts';
import type { NodeId, Units } from '../../protocol/units.ts';
import { type FitReading, isFit, isMember, type Look, unapplied, unbooked } from './reading.ts';

export type Classification =
  | { kind: 'granted' | 'sold-out' | 'unavailable' }
  /** There is enough elsewhere: `needed` units more are to come from `donors`, richest first. */
  | { kind: 'gather'; asker: FitReading; needed: Units; donors: FitReading[] };

export function classify({ view, readings }: Look, { node, quantity }: RefillRequest): Classification {
  const fit = readings.filter(isFit);
  const members = fit.filter((reading) => isMember(view, reading.node.id));
  const asker = members.find((reading) => reading.node.id === node);
  if (!asker) return { kind: 'unavailable' };
  if (asker.state.virtual >= quantity) return { kind: 'granted' };
  const donors = members
    .filter((reading) => reading !== asker && reading.state.virtual > 0)
    .sort((a, b) => b.state.virtual - a.state.virtual);
  const needed = quantity - asker.state.virtual;
  if (donors.reduce((sum, { state }) => sum + state.virtual, 0) >= needed)
    return { kind: 'gather', asker, needed, donors };
  const certain =
    members.length === view.count &&
    view.resize === 'none' &&
    fit.every((reading) => unbooked(reading) === 0 && unapplied(reading) === 0);
  return { kind: certain ? 'sold-out' : 'unavailable' };
}

/** Returns the units that may come back, on all nodes of the layout that could be asked. */
export const liveUnits = ({ view, readings }: Look): Units =>
  readings
    .filter(isFit)
    .filter(({ node }: { node: { id: NodeId } }) => isMember(view, node.id))
    .reduce((sum, { state }) => sum + state.liveUnits, 0);
