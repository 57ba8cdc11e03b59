// The conditions of a sale (docs/conditions.md has every reason). Pure. `lastTransitionTime` moves only when a status
// does.

import { type AuthConfig, isInsecure } from '../../dataplane/protocol/config.ts';
import type { ConditionStatus, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { absenceReason, type DegradedReason, type Readiness } from './degraded-reasons.ts';
import type { ConditionType, ReasonOf, StatusOf } from './reasons.ts';

/** What is still under way. */
export interface Progress {
  reason: ReasonOf<'Progressing', 'True'>;
  /** What the sale waits for, in words. */
  message: string;
}

/** How a sale stands: everything that its conditions are decided from. */
export interface Standing {
  phase: NonNullable<FlashSaleStatus['phase']>;
  /** What is wrong, most important first. */
  degradedReasons: readonly DegradedReason[];
  readiness: Readiness;
  /** What is still under way; undefined: everything is as the resource says. */
  progress: Progress | undefined;
  balance: Balance;
  auth: AuthConfig;
}

export type Balance =
  | { status: 'True'; reason: ReasonOf<'Balanced', 'True'>; message: string }
  | { status: 'False'; reason: ReasonOf<'Balanced', 'False'>; message: string }
  | { status: 'Unknown'; reason: ReasonOf<'Balanced', 'Unknown'>; message: string };

type Condition = Omit<ConditionStatus, 'lastTransitionTime'>;

function condition<T extends ConditionType, S extends StatusOf<T>>(
  type: T,
  status: S,
  reason: ReasonOf<T, S>,
  message: string,
): Condition {
  return { type, status: status as Condition['status'], reason, message: message.slice(0, 4096) };
}

/** Returns the conditions. `before` is what the resource has now; `now` is a time as in RFC 3339. */
export function conditionsOf(standing: Standing, before: readonly ConditionStatus[], now: string): ConditionStatus[] {
  const { progress, balance } = standing;
  const found = [
    ready(standing),
    progress
      ? condition('Progressing', 'True', progress.reason, sentence(progress.message))
      : condition('Progressing', 'False', 'Settled', 'Everything is as the resource says.'),
    degraded(standing),
    { type: 'Balanced', ...balance } as Condition,
    authenticated(standing.auth),
  ];
  return timed(found, before, now);
}

/** The conditions before anything was looked at, so that nobody who waits for Ready goes on early. */
export const firstConditions = (now: string): ConditionStatus[] => [
  {
    ...condition('Ready', 'Unknown', 'Reconciling', 'The operator has begun to look at this edit.'),
    lastTransitionTime: now,
  },
];

/** The conditions of a sale that is being deleted and drains. `blocked`: something is in the way of it. */
export function drainingConditions(
  message: string,
  blocked: boolean,
  before: readonly ConditionStatus[],
  now: string,
): ConditionStatus[] {
  const found = [
    blocked
      ? condition('Ready', 'False', 'OrdersNotRelayed', sentence(message))
      : condition('Ready', 'False', 'Deleting', 'The sale is being deleted.'),
    condition('Progressing', 'True', 'Draining', sentence(message)),
    blocked
      ? condition('Degraded', 'True', 'OrdersNotRelayed', sentence(message))
      : condition('Degraded', 'False', 'AsExpected', 'Nothing is known to be wrong.'),
  ];
  return timed([...found, ...before.filter(({ type }) => !found.some((next) => next.type === type))], before, now);
}

/** Adds since when each condition has its status. */
const timed = (found: readonly Condition[], before: readonly ConditionStatus[], now: string): ConditionStatus[] =>
  found.map((next) => {
    const last = before.find(({ type }) => type === next.type);
    return { ...next, lastTransitionTime: last?.status === next.status ? last.lastTransitionTime : now };
  });

const SERVING = {
  Selling: 'Buyers are served.',
  Scheduled: 'Everything runs; purchases begin when the window opens.',
  Paused: 'Purchases are paused; live tokens can be checked out.',
  SoldOut: 'Every unit is sold.',
  Closed: 'The window has closed.',
} as const;

function ready({ phase, degradedReasons, readiness, progress }: Standing): Condition {
  // Whatever is wrong with a sale that nobody can buy from yet is the reason for that.
  const blocking =
    degradedReasons.find(({ blocks }) => blocks) ?? (phase === 'Pending' ? degradedReasons[0] : undefined);
  if (blocking) return condition('Ready', 'False', blocking.reason, sentence(blocking.message));
  if (phase === 'Resizing')
    return condition(
      'Ready',
      'False',
      'Resizing',
      sentence(progress?.message ?? 'the number of cache nodes is changing'),
    );
  const [absent] = readiness.absent;
  if (absent !== undefined && progress?.reason !== 'Starting')
    return condition('Ready', 'False', absenceReason(absent), sentence(`not ready: ${readiness.missing.join(', ')}`));
  if (absent !== undefined || phase === 'Pending' || progress?.reason === 'Starting')
    return condition('Ready', 'False', 'Starting', sentence(progress?.message ?? readiness.missing.join(', ')));
  return condition('Ready', 'True', phase, SERVING[phase]);
}

function degraded({ degradedReasons, readiness, progress }: Standing): Condition {
  const [first] = degradedReasons;
  if (first)
    return condition(
      'Degraded',
      'True',
      first.reason,
      degradedReasons.map(({ message }) => sentence(message)).join(' '),
    );
  // What is being started or replaced is not expected to be ready.
  if (readiness.missing.length > 0 && progress?.reason !== 'Starting' && progress?.reason !== 'RollingOut')
    return condition('Degraded', 'True', 'PartlyReady', sentence(`not ready: ${readiness.missing.join(', ')}`));
  return condition('Degraded', 'False', 'AsExpected', 'Nothing is known to be wrong.');
}

function authenticated(auth: AuthConfig): Condition {
  const is = <S extends 'True' | 'False'>(status: S, reason: ReasonOf<'Authenticated', S>, message: string) =>
    condition('Authenticated', status, reason, message);
  if (auth.kind === 'none') return is('False', 'NoWay', 'spec.auth says no way to know a buyer: nobody is let in.');
  if (isInsecure(auth))
    return is(
      'False',
      'Insecure',
      'spec.auth.trustedHeader.insecure: whoever reaches a storefront can buy as anybody.',
    );
  if (auth.kind === 'jwt') return is('True', 'SignedTokens', 'A buyer is known by a signed token.');
  return is('True', 'ProxySecret', `A buyer is known by ${auth.header}, beside the secret of the proxy.`);
}

/** Writes a text as a sentence: with a capital letter and a full stop. */
const sentence = (text: string): string => {
  const trimmed = text.trim();
  if (trimmed === '') return '';
  return `${trimmed[0]?.toUpperCase()}${trimmed.slice(1)}${/[.!?…]$/.test(trimmed) ? '' : '.'}`;
};
