// How long to wait after failures in a row, and how to spread what would else happen at the same time everywhere. Pure:
// `random` is a number from 0 up to 1.

import type { Millis } from '../../dataplane/protocol/units.ts';

export interface Backoff {
  /** About the wait after the first failure; doubled by each further one. */
  first: Millis;
  /** At most. */
  longest: Millis;
}

/** Between half of the full wait and the whole of it. `failures` counts from 1. */
export function backoff(failures: number, { first, longest }: Backoff, random: number): Millis {
  // Beyond 2^40 every wait is the longest one; the bound keeps the power finite.
  const full = Math.min(longest, first * 2 ** Math.min(failures - 1, 40));
  return full * (0.5 + 0.5 * random);
}

/** From `time` up to twice as long. */
export const spread = (time: Millis, random: number): Millis => time * (1 + random);
