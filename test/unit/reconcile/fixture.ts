// A sale's workloads and pods as a cluster would show them.

import type { KubeObject } from '../../../operator/kube/objects.ts';
import { observe } from '../../../operator/reconcile/observed.ts';

type Component = 'cache' | 'shard' | 'pool' | 'storefront';

const labels = (component: Component, index?: number) => ({
  'app.kubernetes.io/component': component,
  ...(index === undefined ? {} : { 'apps.kubernetes.io/pod-index': String(index) }),
});

export function workload(component: Component, replicas: number, status: Record<string, unknown> = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: component === 'storefront' ? 'Deployment' : 'StatefulSet',
    metadata: { name: `phone-${component}`, generation: 2, labels: labels(component) },
    spec: { replicas },
    status: {
      observedGeneration: 2,
      replicas,
      readyReplicas: replicas,
      updatedReplicas: replicas,
      currentRevision: 'a',
      updateRevision: 'a',
      ...status,
    },
  };
}

interface PodState {
  ready?: boolean;
  waiting?: { reason: string; message?: string };
  unscheduled?: string;
}

export function pod(
  component: Component,
  index: number,
  { ready = true, waiting, unscheduled }: PodState = {},
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `phone-${component}-${index}`, uid: `${component}${index}`, labels: labels(component, index) },
    status: {
      conditions: [
        { type: 'Ready', status: ready ? 'True' : 'False' },
        unscheduled === undefined
          ? { type: 'PodScheduled', status: 'True' }
          : { type: 'PodScheduled', status: 'False', message: unscheduled },
      ],
      containerStatuses:
        unscheduled === undefined ? [{ name: 'agent', ready, restartCount: 0, state: waiting ? { waiting } : {} }] : [],
    },
  };
}

/** Two cache nodes, two shards, the pool and one storefront, all ready; with what `change` puts in their place. */
export function cluster(change: { workloads?: KubeObject[]; pods?: KubeObject[]; without?: string[] } = {}) {
  const workloads = [workload('cache', 2), workload('shard', 2), workload('pool', 1), workload('storefront', 1)];
  const pods = [
    pod('cache', 0),
    pod('cache', 1),
    pod('shard', 0),
    pod('shard', 1),
    pod('pool', 0),
    pod('storefront', 0),
  ];
  const replaced = (all: KubeObject[], by: KubeObject[] = []) =>
    all
      .map((one) => by.find(({ metadata }) => metadata.name === one.metadata.name) ?? one)
      .filter(({ metadata }) => !change.without?.includes(metadata.name));
  return observe(replaced(workloads, change.workloads), replaced(pods, change.pods));
}
