// Decides what is wrong with a sale's parts, from what the cluster shows. Pure. A degraded reason has a name that
// docs/conditions.md explains, and a sentence that names the part and quotes its controller or container.

import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { Topology } from '../topology/topology.ts';
import type { Component, Observed, PodView } from './observed.ts';
import type { DegradedReasonName } from './reasons.ts';

export interface DegradedReason {
  reason: DegradedReasonName;
  /** A sentence for people: which part, and what was said of it. */
  message: string;
  /** Nobody can buy while it lasts; otherwise the rest sells on. */
  blocks: boolean;
}

/** Why a container waits until a person does something. ContainerCreating and PodInitializing end by themselves. */
const CANNOT_START = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'CreateContainerError',
  'CreateContainerConfigError',
  'RunContainerError',
  'CrashLoopBackOff',
]);

const NAMES: Record<Component, { part: string; reason: DegradedReasonName }> = {
  cache: { part: 'cache node', reason: 'CachesNotReady' },
  shard: { part: 'shard', reason: 'ShardsNotReady' },
  pool: { part: 'the transfer pool', reason: 'ShardsNotReady' },
  storefront: { part: 'storefront', reason: 'StorefrontsNotReady' },
};

const partOf = ({ component, index, name }: PodView): string => {
  if (component === 'cache') return `cache node c${index}`;
  if (component === 'shard') return `shard s${index}`;
  return component === 'pool' ? 'the transfer pool' : `storefront ${name}`;
};

/** Returns what is wrong. Pods that only take their time are not; those are in `readinessOf`. */
export function degradedReasonsOf({ workloads, pods }: Observed): DegradedReason[] {
  const present = pods.filter(({ leaving }) => !leaving);
  return [
    ...Object.entries(workloads).flatMap(([component, { refused }]) =>
      refused === undefined
        ? []
        : [
            {
              ...{ reason: refusalReason(refused), message: `${NAMES[component as Component].part}: ${refused}` },
              blocks: isMissing(present, component as Component),
            },
          ],
    ),
    ...present.flatMap((pod) => {
      const stuck = pod.containers.find(({ waiting }) => waiting && CANNOT_START.has(waiting.reason));
      if (stuck?.waiting)
        return [
          {
            reason: 'ImageCannotStart' as const,
            message: `${partOf(pod)}: container ${stuck.name} of pod ${pod.name} does not start: ${stuck.waiting.reason}${stuck.waiting.message ? `, ${shorten(stuck.waiting.message)}` : ''}`,
            blocks: isMissing(present, pod.component),
          },
        ];
      if (pod.unscheduled === undefined) return [];
      return [
        {
          reason: /volume|PersistentVolumeClaim|storageclass/i.test(pod.unscheduled)
            ? ('VolumePending' as const)
            : NAMES[pod.component].reason,
          message: `${partOf(pod)}: pod ${pod.name} has no node: ${shorten(pod.unscheduled)}`,
          blocks: isMissing(present, pod.component),
        },
      ];
    }),
  ];
}

/** Names the reason from the words of a controller or of the API server. */
export const refusalReason = (message: string): DegradedReasonName =>
  /exceeded quota|forbidden: .*(limit|quota)|LimitRange|maximum .* usage/i.test(message)
    ? 'QuotaExceeded'
    : 'ApplyConflict';

/**
 * Says so when a sale has taken over the volumes of one with more shards. What the further shards hold was supplied, and
 * tokens are given for it. Only a new resource can ask for fewer shards, because an edit of it is refused.
 */
export function tooFewShards(
  registry: Pick<RegistryView, 'shards'> | undefined,
  { shards }: Topology,
): DegradedReason[] {
  const held = registry?.shards.length ?? 0;
  const { length } = shards.members;
  if (held <= length) return [];
  const message = `the volumes that were taken over are of ${held} shards, and the resource asks for ${length}: set spec.shards.count to ${held} or more`;
  return [{ reason: 'ShardsNotReady', message, blocks: true }];
}

/** Whether buyers cannot be served for want of this component. Without the pool a sale sells on. */
const isMissing = (pods: readonly PodView[], component: Component): boolean =>
  component !== 'pool' && !pods.some((pod) => pod.component === component && pod.ready);

const shorten = (message: string): string => {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
};

export interface Readiness {
  /** Each part that is not ready, in words; empty: all are. */
  missing: string[];
  /** The components of which not one is ready, and without which nobody can buy. */
  absent: Component[];
}

export function readinessOf({ workloads, pods }: Observed): Readiness {
  const missing: string[] = [];
  const absent: Component[] = [];
  for (const component of ['pool', 'shard', 'cache', 'storefront'] as const) {
    const { wanted = 0 } = workloads[component] ?? {};
    const { part } = NAMES[component];
    // By the pods themselves: a controller's count comes later.
    const ready = pods.filter((pod) => pod.component === component && pod.ready && !pod.leaving).length;
    const isAbsent = workloads[component] === undefined || (ready === 0 && wanted > 0);
    if (isAbsent && component !== 'pool') absent.push(component);
    if (workloads[component] === undefined) missing.push(`${part}: not made yet`);
    else if (ready < wanted) {
      const names = pods.filter((pod) => pod.component === component && !pod.ready).map(({ name }) => name);
      missing.push(
        `${component === 'pool' ? part : `${wanted - ready} of ${wanted} ${part}s`} (${names.join(', ') || 'no pod yet'})`,
      );
    }
  }
  return { missing, absent };
}

export const absenceReason = (component: Component): DegradedReasonName => NAMES[component].reason;
