// What the operator's own pod says of it: a label, by which the console's Service finds the pod that leads. Pure.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Backoff } from '../../dataplane/runtime/backoff.ts';
import { jitteredBackoff } from './backoff.ts';

export type Role = 'leader' | 'standby';

/** The chart's Service of the console selects it. */
export const ROLE_LABEL = 'flashsale.dev/role';

export interface OwnPod {
  namespace: string;
  name: string;
}

/** Reads the pod from what the chart puts into the environment. Returns undefined when this process is in no pod. */
export const ownPod = ({ POD_NAMESPACE: namespace, POD_NAME: name }: NodeJS.ProcessEnv): OwnPod | undefined =>
  namespace && name ? { namespace, name } : undefined;

/** The merge patch that sets the label. A pod that stands by has none, like a pod that was just made. */
export const rolePatch = (role: Role): object => ({
  metadata: { labels: { [ROLE_LABEL]: role === 'leader' ? role : null } },
});

/** Somebody may have changed it. One that says what it said is not written by the API server. */
const EVERY: Millis = 30_000;
const AFTER_FAILURE: Backoff = { first: 500, longest: EVERY };

/** How long until the label is written again; `failures`: in a row, up to now. */
export const untilNextWrite = (failures: number, random: number): Millis =>
  failures === 0 ? EVERY : jitteredBackoff(failures, AFTER_FAILURE, random);
