// What the API server refused, in a form that can be acted upon and said. A body that was sent is never in it: bodies
// hold secrets.

import type { Millis } from '../../dataplane/protocol/units.ts';

/** A field that a server-side apply wanted to set, and whose it is. */
export interface Conflict {
  /** Who set it: `kubectl-edit`, `helm`, … */
  manager: string;
  /** `.spec.replicas` */
  field: string;
}

interface Details {
  retryAfter?: Millis;
  conflicts?: Conflict[];
  cause?: unknown;
}

export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** Of HTTP; 0: there was no answer, so a write may have been done or not. */
  readonly status: number;
  /** `Conflict`, `Invalid`, `Expired`, …; with status 0 `Timeout`, `Unreachable` or `Idle`. */
  readonly reason: string;
  /** How long the server asks to wait. */
  readonly retryAfter: Millis | undefined;
  /** Of an apply without force; empty otherwise. */
  readonly conflicts: Conflict[];

  constructor(message: string, status: number, reason: string, { retryAfter, conflicts = [], cause }: Details = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.conflicts = conflicts;
  }
}

/** The resource version asked for is too old: what happened since is forgotten, so list again. */
export const isGone = (error: unknown): boolean => error instanceof KubeError && error.status === 410;

export const isConflict = (error: unknown): error is KubeError => error instanceof KubeError && error.status === 409;
