// Whether a request that failed is worth sending again at once, by the client itself. Only what says that it soon
// will be: everything longer is for the callers, who have a backoff of their own. Pure.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { KubeError } from './errors.ts';

/** Sent again at most so often. */
const MOST = 4;
/** Longer waits that a server asks for are handed to the caller. */
const LONGEST: Millis = 10_000;
/** The wait after a 429 that names no time. */
const USUAL: Millis = 1000;

/**
 * How long to wait before the request is sent again; undefined: not again. `sent` counts from 1. `repeatable`: doing it
 * twice is the same as doing it once.
 */
export function waitBeforeRetry(
  error: KubeError,
  sent: number,
  repeatable: boolean,
  random: number,
): Millis | undefined {
  if (sent > MOST) return undefined;
  const asked = (time: Millis | undefined) => {
    if (time === undefined || time > LONGEST) return undefined;
    // Everybody was sent away at the same time: not to come back at the same time.
    return time * (1 + 0.2 * random);
  };
  // Refused before anything was done, so even what may be done only once may be sent again.
  if (error.status === 429) return asked(error.retryAfter ?? USUAL);
  if (error.status >= 500 && repeatable) return asked(error.retryAfter);
  // A kept connection that the server closed at the same moment; a server that is really away is not there next time.
  if (error.reason === 'Disconnected' && repeatable && sent === 1) return 0;
  return undefined;
}
