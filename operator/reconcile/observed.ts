// What the cluster shows of one sale, taken from the informer cache: its workloads and pods in the few words that
// decisions need. Pure.

import type { KubeObject } from '../kube/objects.ts';

export type Component = 'cache' | 'shard' | 'pool' | 'storefront';

export interface ContainerView {
  name: string;
  ready: boolean;
  /** `ImagePullBackOff`, `CrashLoopBackOff`, …; absent: it is not waiting. */
  waiting?: { reason: string; message: string };
  restarts: number;
}

export interface PodView {
  name: string;
  uid: string;
  component: Component;
  /** The ordinal of a StatefulSet's pod; absent for a storefront's. */
  index?: number;
  ready: boolean;
  /** It is being deleted. */
  leaving: boolean;
  /** Why it has no machine yet; absent: it has one. */
  unscheduled?: string;
  containers: ContainerView[];
}

export interface WorkloadView {
  /** The uid of a StatefulSet, which says only in Events what it could not create; absent: a Deployment, which has a condition for it. */
  set?: string;
  /** The number of pods that the workload asks for. */
  wanted: number;
  /** Its pods are being replaced by pods of a newer template. */
  rolling: boolean;
  /** What its controller could not create, and why. */
  refused?: string;
}

export interface Observed {
  workloads: Partial<Record<Component, WorkloadView>>;
  pods: PodView[];
}

type Fields = Record<string, unknown>;
const at = (value: unknown, ...path: (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Fields | undefined)?.[key], value);
const list = (value: unknown): Fields[] => (Array.isArray(value) ? (value as Fields[]) : []);
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const COMPONENTS: readonly string[] = ['cache', 'shard', 'pool', 'storefront'];
export const componentOf = (object: KubeObject): Component | undefined => {
  const label = object.metadata.labels?.['app.kubernetes.io/component'] ?? '';
  return COMPONENTS.includes(label) ? (label as Component) : undefined;
};

/** Puts the view together. `owned` is everything that the operator made for the sale, without its pods. */
export function observe(owned: readonly KubeObject[], pods: readonly KubeObject[]): Observed {
  const found: Observed = { workloads: {}, pods: pods.flatMap((pod) => podView(pod) ?? []) };
  for (const workload of owned) {
    if (workload.kind !== 'StatefulSet' && workload.kind !== 'Deployment') continue;
    const component = componentOf(workload);
    if (component) found.workloads[component] = workloadView(workload);
  }
  found.pods.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return found;
}

export function workloadView(workload: KubeObject): WorkloadView {
  const wanted = number(at(workload, 'spec', 'replicas') ?? 1);
  const status = at(workload, 'status');
  const seen = number(at(status, 'observedGeneration')) >= (workload.metadata.generation ?? 0);
  const failure = list(at(status, 'conditions')).find(
    ({ type, status: is }) => type === 'ReplicaFailure' && is === 'True',
  );
  return {
    ...(workload.kind === 'StatefulSet' ? { set: workload.metadata.uid ?? '' } : {}),
    wanted,
    rolling:
      !seen || (workload.kind === 'StatefulSet' ? isRollingSet(workload) : isRollingDeployment(workload, wanted)),
    ...(failure ? { refused: text(failure.message) } : {}),
  };
}

/** A set that only grows, or waits for a pod to become ready, rolls nothing. */
function isRollingSet(set: KubeObject): boolean {
  const { currentRevision, updateRevision } = (at(set, 'status') ?? {}) as Fields;
  return currentRevision !== undefined && currentRevision !== updateRevision;
}

/** Decides as `kubectl rollout status` does: a Deployment rolls also while one pod of the former template is left. */
function isRollingDeployment(deployment: KubeObject, wanted: number): boolean {
  const { replicas, updatedReplicas } = (at(deployment, 'status') ?? {}) as Fields;
  return number(updatedReplicas) < wanted || number(replicas) > number(updatedReplicas);
}

function podView(pod: KubeObject): PodView | undefined {
  const component = componentOf(pod);
  if (!component) return undefined;
  const status = at(pod, 'status');
  const conditions = list(at(status, 'conditions'));
  const condition = (wanted: string) => conditions.find(({ type }) => type === wanted);
  const scheduled = condition('PodScheduled');
  const index = pod.metadata.labels?.['apps.kubernetes.io/pod-index'];
  return {
    name: pod.metadata.name,
    uid: pod.metadata.uid ?? '',
    component,
    ...(index === undefined ? {} : { index: Number(index) }),
    ready: condition('Ready')?.status === 'True',
    leaving: pod.metadata.deletionTimestamp !== undefined,
    ...(scheduled?.status === 'False' ? { unscheduled: text(scheduled.message) } : {}),
    containers: [...list(at(status, 'initContainerStatuses')), ...list(at(status, 'containerStatuses'))].map(
      (container) => {
        const waiting = at(container, 'state', 'waiting');
        const last = at(container, 'lastState', 'terminated');
        return {
          name: text(container.name),
          ready: container.ready === true,
          restarts: number(container.restartCount),
          ...(waiting
            ? {
                waiting: {
                  reason: text(at(waiting, 'reason')),
                  message: text(at(waiting, 'message')) || text(at(last, 'message')),
                },
              }
            : {}),
        };
      },
    ),
  };
}
