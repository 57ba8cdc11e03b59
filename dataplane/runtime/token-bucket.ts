// A token bucket, kept as the one number that the generic cell rate algorithm (GCRA) needs: when the bucket will be
// full again. Buyers' purchases and requests to an API server are limited by it. Pure: time comes in as an argument.

import type { Millis } from '../protocol/units.ts';

export interface Rate {
  /** How many tokens come back in a second. */
  perSecond: number;
  /** How many tokens a full bucket holds: what may be taken at once after a pause. */
  burst: number;
}

/**
 * Takes the next token. `fullAt` is when the bucket will be full again, 0 for a bucket that was never used. The answer
 * has the time after the taking, and how long to wait until the token is there; whoever does not want to wait keeps the
 * time from before, and nothing was taken.
 */
export function takeToken(fullAt: Millis, now: Millis, { perSecond, burst }: Rate): { fullAt: Millis; wait: Millis } {
  const interval = 1000 / perSecond;
  const next = Math.max(fullAt, now) + interval;
  const wait = next - now - interval * Math.max(1, burst);
  // Sums of fractions come out a hair above: a billionth of a second is nobody's wait.
  return { fullAt: next, wait: wait > 1e-6 ? wait : 0 };
}
