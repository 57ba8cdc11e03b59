// Which shard a purchase is to be sold on (R8): at random, weighted by the units a shard has that no token names yet.
// The weights come from the pushed view; nothing is asked. Prepared when the view changes, so that a pick costs a
// binary search. Pure: randomness comes in.

import type { Millis, ShardId } from '../protocol/units.ts';

/** What routing needs of the distribution view. */
export interface StockView {
  /** Grows whenever a weight may have changed. */
  readonly revision: number;
  /** Units available and not pinned, at least 0; 0 for a shard never heard of. */
  weight(shard: ShardId): number;
  /** False: too old to go by. */
  isFresh(now: Millis): boolean;
}

export interface Routes {
  readonly shards: readonly ShardId[];
  /** `upTo[i]`: the sum of the weights of the shards 0 … i. */
  readonly upTo: Float64Array;
}

/** Without any weight (no view, or nothing left anywhere that is known) all are alike: the balancer brings stock. */
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

/** `random`: from 0 up to and without 1. Undefined: there is no shard. */
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
