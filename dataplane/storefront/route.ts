// Decides which shard a purchase is to be sold on (R8): at random, weighted by the units a shard has that no token
// names yet. The weights come from the distribution view; nothing is asked. They are prepared when the view changes, so
// that a pick costs one binary search. Pure: randomness comes in as an argument.

import type { Millis, ShardId } from '../protocol/units.ts';

/** What routing needs of the distribution view. */
export interface StockView {
  /** This number grows whenever a weight may have changed. */
  readonly revision: number;
  /** Returns the shard's units that are available and not pinned, at least 0; 0 for a shard that never reported. */
  weight(shard: ShardId): number;
  /** Returns false when the view is too old to go by. */
  isFresh(now: Millis): boolean;
}

export interface Routes {
  readonly shards: readonly ShardId[];
  /** At place i stands the sum of the weights of the shards 0 … i. */
  readonly upTo: Float64Array;
}

/**
 * Prepares the routes. Where no shard has any weight (no view yet, or no stock known), all are alike: the balancer
 * brings stock.
 */
export function routesFor(shards: readonly ShardId[], weight: (shard: ShardId) => number): Routes {
  const weights = shards.map((shard) => Math.max(0, weight(shard)));
  const even = weights.every((w) => w === 0);
  const upTo = new Float64Array(shards.length);
  let sum = 0;
  weights.forEach((w, i) => {
    sum += even ? 1 : w;
    upTo[i] = sum;
  });
  return { shards, upTo };
}

/** Picks a shard by `random`, a number from 0 up to and without 1. Returns undefined when there is no shard. */
export function pick({ shards, upTo }: Routes, random: number): ShardId | undefined {
  const target = random * (upTo[upTo.length - 1] ?? 0);
  let low = 0;
  let high = shards.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((upTo[middle] ?? 0) > target) high = middle;
    else low = middle + 1;
  }
  return shards[low];
}
