// Decides which cache nodes there are, by the nodes' own identities (decision 0001). The highest layout number wins, so
// that a node that missed a change cannot lead anybody back. Pure.

import type { Incarnation } from '../protocol/units.ts';
import type { NodeIdentity } from '../stores/cache-node/cache-node.ts';

export interface Layout {
  incarnation: Incarnation;
  number: number;
  /** The number of nodes: buyers' owner nodes are computed over c0 … c(count − 1). */
  count: number;
}

/**
 * Returns the layout to go by, after the identities read so far. The incarnation is kept as long as any node still has
 * it: a sale that was created anew changes all of its nodes. The layout's number of one incarnation only ever rises.
 */
export function layoutOf(known: Layout | undefined, identities: readonly NodeIdentity[]): Layout | undefined {
  const [any] = identities;
  if (any === undefined) return known;
  const incarnation =
    known !== undefined && identities.some((s) => s.incarnation === known.incarnation)
      ? known.incarnation
      : any.incarnation;
  let best = known?.incarnation === incarnation ? known : undefined;
  for (const identity of identities)
    if (identity.incarnation === incarnation && (best === undefined || identity.layout > best.number))
      best = { incarnation, number: identity.layout, count: identity.count };
  return best;
}
