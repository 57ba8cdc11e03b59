// Not asking an API server more than its share: a token bucket, kept as the one number that the generic cell rate
// algorithm needs. Pure: time comes in.

import type { Millis } from '../../dataplane/protocol/units.ts';

export interface Rate {
  /** Requests a second in the long run. */
  qps: number;
  /** As many at once after a pause. */
  burst: number;
}

/**
 * Takes the next token, in the order of asking. `fullAt` is when the bucket will be full again, 0 at first; `wait` is how
 * long until the token is there.
 */
export function takeToken(fullAt: Millis, now: Millis, { qps, burst }: Rate): { fullAt: Millis; wait: Millis } {
  const interval = 1000 / qps;
  const next = Math.max(fullAt, now) + interval;
  const wait = next - now - interval * Math.max(1, burst);
  // Sums of fractions come out a hair above: a billionth of a second is nobody's wait.
  return { fullAt: next, wait: wait > 1e-6 ? wait : 0 };
}
