// What the API server refused, in a form that can be acted upon and said. A body that was sent is never in it: bodies
// hold secrets. Pure.

import type { Millis } from '../../dataplane/protocol/units.ts';

/** A field that a server-side apply wanted to set, and whose it is. */
export interface Conflict {
  /** The field manager that set it, such as `kubectl-edit` or `helm`. */
  manager: string;
  /** The field, such as `.spec.replicas`. */
  field: string;
}

/** What is wrong with one field of what was sent. */
export interface Cause {
  /** The field, such as `spec.stock`; empty: the object as a whole. */
  field: string;
  message: string;
}

interface Details {
  retryAfter?: Millis | undefined;
  conflicts?: Conflict[];
  causes?: Cause[];
  cause?: unknown;
}

export class KubeError extends Error {
  override readonly name = 'KubeError';
  /** The HTTP status; 0: there was no answer, so a write may have been done or not. */
  readonly status: number;
  /**
   * `Conflict`, `Invalid`, `Expired`, …; with status 0 `Unreachable` (nothing was sent), `Timeout`, `Disconnected`,
   * `Idle` (a watch fell silent), `Malformed` or `Closed` (by us).
   */
  readonly reason: string;
  /** How long the server asks to wait. */
  readonly retryAfter: Millis | undefined;
  /** The fields that somebody else has set, after an apply without force; empty otherwise. */
  readonly conflicts: Conflict[];
  /** The fields of an object that were found wrong; empty otherwise. */
  readonly causes: Cause[];

  constructor(message: string, status: number, reason: string, details: Details = {}) {
    const { retryAfter, conflicts = [], causes = [], cause } = details;
    super(message, cause === undefined ? {} : { cause });
    this.status = status;
    this.reason = reason;
    this.retryAfter = retryAfter;
    this.conflicts = conflicts;
    this.causes = causes;
  }
}

/** The resource version asked for is too old: what happened since is forgotten, so list again. */
export const isGone = (error: unknown): boolean => error instanceof KubeError && error.status === 410;

export const isConflict = (error: unknown): error is KubeError => error instanceof KubeError && error.status === 409;

/** How the API server says what is wrong (meta/v1 Status), as far as it is read here. */
interface Status {
  kind: 'Status';
  message?: string;
  reason?: string;
  code?: number;
  details?: { retryAfterSeconds?: number; causes?: { reason?: string; message?: string; field?: string }[] };
}

const isStatus = (value: unknown): value is Status =>
  typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status';

/** Makes the error of an answer. `what` is the request, such as `GET /api/v1/pods`; `body` is the answer as it came, which a proxy on the way may have written in HTML. */
export function errorOfAnswer(what: string, status: number, body: string, retryAfter: string | undefined): KubeError {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  if (isStatus(parsed)) return errorOfStatus(what, { ...parsed, code: status }, secondsOf(retryAfter));
  const said = body.replace(/\s+/g, ' ').trim().slice(0, 200);
  return new KubeError(`${what}: ${[status, said].join(' ').trim()}`, status, '', {
    retryAfter: secondsOf(retryAfter),
  });
}

/** Makes the error of a Status that came as a body, or as the object of a watch's ERROR event. */
export function errorOfStatus(what: string, value: unknown, retryAfter?: Millis): KubeError {
  const { message = '', reason = '', code = 0, details }: Partial<Status> = isStatus(value) ? value : {};
  const after = details?.retryAfterSeconds;
  const conflicts = (details?.causes ?? []).flatMap((cause) =>
    cause.reason === 'FieldManagerConflict'
      ? [{ manager: managerOf(cause.message ?? ''), field: cause.field ?? '' }]
      : [],
  );
  const causes = (details?.causes ?? []).flatMap(({ reason: why, field = '', message: wrong = '' }) =>
    why === 'FieldManagerConflict' ? [] : [{ field, message: wrong }],
  );
  return new KubeError(`${what}: ${[code, reason, message].filter(Boolean).join(' ')}`, code, reason, {
    retryAfter: retryAfter ?? (after ? after * 1000 : undefined),
    conflicts,
    causes,
  });
}

/** Reads the field manager from a message such as `conflict with "kubectl-edit" using apps/v1`. */
const managerOf = (message: string): string => /"((?:[^"\\]|\\.)*)"/.exec(message)?.[1] ?? 'somebody';

/** Kubernetes writes seconds; a date, which a proxy may write, is left to the usual waits. */
const secondsOf = (header: string | undefined): Millis | undefined =>
  header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
