// What a reflector does after a watch has ended, however it did. Pure: time and randomness come in.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Backoff } from '../../dataplane/runtime/backoff.ts';
import { jitteredBackoff } from './backoff.ts';
import { isGone, KubeError } from './errors.ts';

/** What came of one attempt: a list, if one was due, and a watch. */
export interface Outcome {
  /** Why the attempt failed; absent: the watch ended as watches do. */
  error?: unknown;
  /** How long the watch was open, 0: it never was. */
  lived: Millis;
  /** Events that came, bookmarks too. */
  heard: number;
}

export interface Next {
  /** The API server no longer knows where the watch was, so everything is listed again. */
  relist: boolean;
  /** Failures in a row, to be given back next time. */
  failures: number;
  wait: Millis;
  why: 'ended' | 'too-short' | 'gone' | 'idle' | 'failed';
}

/** A watch that lived less long and said nothing was no watch: a server that closes each one must not be asked in a loop. */
const SHORT: Millis = 1000;

export function afterWatch({ error, lived, heard }: Outcome, before: number, timing: Backoff, random: number): Next {
  const worked = heard > 0 || lived >= SHORT;
  if (error === undefined && worked) return { relist: false, failures: 0, wait: 0, why: 'ended' };
  const failures = (worked ? 0 : before) + 1;
  const wait = jitteredBackoff(failures, timing, random);
  if (error === undefined) return { relist: false, failures, wait, why: 'too-short' };
  // The first time it helps to list at once.
  if (isGone(error)) return { relist: true, failures, wait: failures === 1 ? 0 : wait, why: 'gone' };
  const [asked, reason] = error instanceof KubeError ? [error.retryAfter, error.reason] : [];
  return { relist: false, failures, wait: Math.max(wait, asked ?? 0), why: reason === 'Idle' ? 'idle' : 'failed' };
}
