// Which cache nodes there are, as their own stamps say (decision 0001): the highest layout number wins, so that a
// node that sleeps through a change cannot lead anybody back. Pure.

import type { Stamp } from '../clients/cache-node.ts';
import type { Incarnation } from '../protocol/units.ts';

export interface Layout {
  incarnation: Incarnation;
  number: number;
  /** Buyers' homes are computed over c0 … c(count − 1). */
  count: number;
}

/**
 * What to go by, after the stamps heard so far. The incarnation is kept as long as any node still has it: a sale that
 * was created anew changes all of its nodes. The layout of one incarnation only ever rises.
 */
export function layoutOf(known: Layout | undefined, stamps: readonly Stamp[]): Layout | undefined {
  const [any] = stamps;
  if (any === undefined) return known;
  const incarnation =
    known !== undefined && stamps.some((s) => s.incarnation === known.incarnation)
      ? known.incarnation
      : any.incarnation;
  let best = known?.incarnation === incarnation ? known : undefined;
  for (const stamp of stamps)
    if (stamp.incarnation === incarnation && (best === undefined || stamp.layout > best.number))
      best = { incarnation, number: stamp.layout, count: stamp.count };
  return best;
}
