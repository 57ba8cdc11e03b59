// Turns a rule's aims into moves (R15, R16). Only a shard that is further from its target than the rule tolerates
// starts a move; where such shards on one side find no counterpart, those within tolerance give or take the rest.
// Promised units and units still on their way are never given.

import { type Draft, type Offer, type Place, spare } from './draft.ts';
import type { Aim } from './rules/rule.ts';

/** Units that a rule moves: a place's stock beyond its promises. */
export const unpromised = (place: Place): number => Math.max(0, place.stock - place.promised);

/** Plans in `draft` what the rule aims at. `aims` are in the order of the draft's shards. */
export function spread(draft: Draft, aims: readonly Aim[]): void {
  const sides = draft.shards.map((place, i) => {
    const { target, tolerance } = aims[i] ?? { target: unpromised(place), tolerance: 0 };
    return { place, target, outside: Math.abs(unpromised(place) - target) > tolerance };
  });
  const excess = (outside: boolean): Offer[] =>
    sides
      .filter((side) => side.outside === outside)
      .map(({ place, target }) => ({ place, units: Math.min(spare(place), Math.max(0, unpromised(place) - target)) }));
  const deficit = (outside: boolean): Offer[] =>
    sides
      .filter((side) => side.outside === outside)
      .map(({ place, target }) => ({ place, units: Math.max(0, target - unpromised(place)) }));
  draft.pour(excess(true), deficit(true), 'spread');
  draft.pour(excess(true), deficit(false), 'spread');
  draft.pour(excess(false), deficit(true), 'spread');
}
