// How long to wait after failures in a row. Pure.

import type { Millis } from '../protocol/units.ts';

export interface Backoff {
  /** The wait after the first failure. Each further failure doubles it. */
  first: Millis;
  /** No wait is longer. */
  longest: Millis;
}

/** The wait after this many failures in a row. `failures` counts from 1. */
export const backoff = (failures: number, { first, longest }: Backoff): Millis =>
  // Beyond 2^40 every wait is the longest one; the bound keeps the power finite.
  Math.min(longest, first * 2 ** Math.min(failures - 1, 40));
