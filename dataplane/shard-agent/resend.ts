// Decides which transfers are sent again. Pure. A receiver applies transfers in order, and reports the version it
// applied last of each sender. So if the oldest unreported transfer has been the same one for a second, it or its
// report was lost, and everything from it on is sent again.

import type { Transfer } from '../protocol/messages.ts';
import type { Millis, Version } from '../protocol/units.ts';

const RESEND_AFTER: Millis = 1000;

/** The oldest transfer that one receiving hop has not reported, and since when it has been waited for. */
export interface Unreported {
  version: Version;
  since: Millis;
}

/** Decides for one hop. `transfers` are those above what the hop reported, oldest first. */
export function decideResend(
  before: Unreported | undefined,
  transfers: readonly Transfer[],
  now: Millis,
): { memory: Unreported | undefined; send: readonly Transfer[] } {
  const oldest = transfers[0];
  if (!oldest) return { memory: undefined, send: [] };
  if (before?.version !== oldest.version) return { memory: { version: oldest.version, since: now }, send: [] };
  if (now - before.since < RESEND_AFTER) return { memory: before, send: [] };
  return { memory: { version: oldest.version, since: now }, send: transfers };
}
