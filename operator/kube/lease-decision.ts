// Who may lead, from the Lease as it was read and this machine's own clock. Pure. The times in a Lease are its
// writer's, and are for people: what counts is how long *we* have seen it unchanged, so no two clocks are compared.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { microTime } from './micro-time.ts';
import type { KubeObject } from './objects.ts';

/** Since when, by our clock, the Lease has been as it is. */
export interface Sighting {
  resourceVersion: string;
  since: Millis;
}

export type LeaseAction =
  /** There is none: make it, ours. */
  | 'create'
  /** Nobody holds it, or its holder did not renew it in time. */
  | 'take'
  /** It is ours. */
  | 'renew'
  /** It is somebody's who may be alive. */
  | 'wait';

interface Spec {
  holderIdentity?: string;
  leaseDurationSeconds?: number;
  leaseTransitions?: number;
  acquireTime?: string;
  renewTime?: string;
}

const specOf = (lease: KubeObject): Spec => (lease.spec as Spec | undefined) ?? {};

/** '' for nobody. */
export const holderOf = (lease: KubeObject): string => specOf(lease).holderIdentity ?? '';

export function sighted(before: Sighting | undefined, lease: KubeObject, now: Millis): Sighting {
  const { resourceVersion = '' } = lease.metadata;
  return before?.resourceVersion === resourceVersion ? before : { resourceVersion, since: now };
}

export function decideLease(
  lease: KubeObject | undefined,
  me: string,
  sighting: Sighting | undefined,
  now: Millis,
): LeaseAction {
  if (lease === undefined) return 'create';
  const holder = holderOf(lease);
  if (holder === me) return 'renew';
  if (holder === '') return 'take';
  // Whoever wrote it said for how long; one that says nothing was never a lock.
  const duration = (specOf(lease).leaseDurationSeconds ?? 0) * 1000;
  return now - (sighting?.since ?? now) > duration ? 'take' : 'wait';
}

/** The Lease as we are to write it, held by us; `before` absent: a new one. */
export function leaseOf(
  { namespace, name, me, duration }: { namespace: string; name: string; me: string; duration: Millis },
  before: KubeObject | undefined,
  date: Date,
): KubeObject {
  const spec = before ? specOf(before) : {};
  const ours = spec.holderIdentity === me;
  return {
    ...(before ?? { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }),
    metadata: before?.metadata ?? { namespace, name },
    spec: {
      ...spec,
      holderIdentity: me,
      leaseDurationSeconds: Math.ceil(duration / 1000),
      acquireTime: ours ? spec.acquireTime : microTime(date),
      renewTime: microTime(date),
      leaseTransitions: before === undefined ? 0 : (spec.leaseTransitions ?? 0) + (ours ? 0 : 1),
    },
  } as KubeObject;
}

/** The Lease given back, so that the next one need not wait. */
export const releasedLease = (lease: KubeObject, date: Date): KubeObject => ({
  ...lease,
  spec: { ...specOf(lease), holderIdentity: '', renewTime: microTime(date) },
});
