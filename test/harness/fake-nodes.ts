// Stands in for Kubernetes' controllers and kubelets where only the operator is looked at: every StatefulSet and
// Deployment gets its pods at once, ready, without a process behind them. Everything else is the real API server's.

import { pino } from 'pino';
import type { KubeClient } from '../../operator/kube/client.ts';
import { type KubeObject, keyOf, RESOURCES, resourceOf } from '../../operator/kube/objects.ts';
import { startQueue } from '../../operator/kube/queue.ts';
import { startReflector } from '../../operator/kube/reflector.ts';

interface Workload {
  replicas?: number;
  template: { metadata: { labels: Record<string, string> }; spec: { containers: { name: string; image: string }[] } };
}

export function startFakeNodes(client: KubeClient): { stop(): Promise<void> } {
  const log = pino({ level: 'silent' });
  const workloads = new Map<string, KubeObject>();
  const queue = startQueue({
    concurrency: 16,
    failed: () => undefined,
    work: async (key) => {
      const workload = workloads.get(key);
      if (workload) await serve(client, workload);
    },
  });
  const reflectors = [RESOURCES.StatefulSet, RESOURCES.Deployment].map((resource) =>
    startReflector({
      ...{ client, resource, log },
      changed(object, what) {
        const key = `${object.kind}/${keyOf(object.metadata.namespace, object.metadata.name)}`;
        if (what === 'deleted') workloads.delete(key);
        else workloads.set(key, object);
        queue.add(key);
      },
    }),
  );
  return {
    async stop() {
      await Promise.all(reflectors.map((reflector) => reflector.stop()));
      await queue.stop();
    },
  };
}

async function serve(client: KubeClient, workload: KubeObject): Promise<void> {
  const { replicas = 1, template } = workload.spec as Workload;
  const status = workload.status as { readyReplicas?: number; observedGeneration?: number } | undefined;
  if (status?.readyReplicas === replicas && status.observedGeneration === workload.metadata.generation) return;
  for (let index = 0; index < replicas; index++)
    await client.applyStatus(await makePod(client, workload, template, index));
  const { name, namespace = '', generation } = workload.metadata;
  const counts = { replicas, readyReplicas: replicas, updatedReplicas: replicas, observedGeneration: generation };
  const { apiVersion, kind } = workload;
  await client.applyStatus({ apiVersion, kind, metadata: { name, namespace }, status: counts });
}

/** Answers its status, to be applied. */
async function makePod(
  client: KubeClient,
  { metadata }: KubeObject,
  template: Workload['template'],
  index: number,
): Promise<KubeObject> {
  const { apiVersion, kind } = resourceOf({ apiVersion: 'v1', kind: 'Pod' });
  const pod = { name: `${metadata.name}-${index}`, namespace: metadata.namespace ?? '' };
  const labels = { ...template.metadata.labels, 'apps.kubernetes.io/pod-index': String(index) };
  const containers = template.spec.containers.map(({ name, image }) => ({ name, image }));
  await client.apply({ apiVersion, kind, metadata: { ...pod, labels }, spec: { containers } });
  const since = new Date().toISOString();
  return {
    ...{ apiVersion, kind, metadata: pod },
    status: {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: since }],
      containerStatuses: containers.map(({ name, image }) => ({
        ...{ name, image, imageID: image, ready: true, restartCount: 0, state: { running: { startedAt: since } } },
      })),
    },
  };
}
