// What is wrong with a sale's parts, from what the cluster shows. Pure. A trouble has a documented reason and a sentence
// that names the part and says what its controller or container said.

import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { Topology } from '../topology/topology.ts';
import type { Component, Observed, PodView } from './observed.ts';
import type { TroubleReason } from './reasons.ts';

export interface DegradedReason {
  reason: TroubleReason;
  message: string;
  /** Nobody can buy while it lasts; otherwise the rest sells on. */
  blocks: boolean;
}

/** Waiting reasons that only a person ends. Not: ContainerCreating, PodInitializing. */
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

const NAMES: Record<Component, { part: string; reason: TroubleReason }> = {
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

/** Without those that only take their time: `missing` of pods is for `readiness`. */
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

/** Of a controller's or the API server's own words. */
export const refusalReason = (message: string): TroubleReason =>
  /exceeded quota|forbidden: .*(limit|quota)|LimitRange|maximum .* usage/i.test(message)
    ? 'QuotaExceeded'
    : 'ApplyConflict';

/**
 * A sale that takes over volumes of one with more shards: what those hold was supplied, and tokens are given for it. Only a
 * new resource can ask for fewer.
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

/** Without the pool a sale sells on. */
const isMissing = (pods: readonly PodView[], component: Component): boolean =>
  component !== 'pool' && !pods.some((pod) => pod.component === component && pod.ready);

const shorten = (message: string): string => {
  const line = message.replaceAll(/\s+/g, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
};

export interface Readiness {
  /** In words, each part that is not ready; none: all are. */
  missing: string[];
  /** By kind, where not one is ready, and nobody can buy without one. */
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

export const absenceReason = (component: Component): TroubleReason => NAMES[component].reason;
