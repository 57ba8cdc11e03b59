// How waits are spread, so that what failed for everybody at the same time is not asked for again at the same time.
// Pure: `random` is a number from 0 up to 1.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { type Backoff, backoff } from '../../dataplane/runtime/backoff.ts';

/** The wait after this many failures in a row, between half of the full wait and the whole of it. `failures` counts from 1. */
export const jitteredBackoff = (failures: number, timing: Backoff, random: number): Millis =>
  backoff(failures, timing) * (0.5 + 0.5 * random);

/** A time between `time` and twice as long. */
export const spread = (time: Millis, random: number): Millis => time * (1 + random);
