// A numbered set of pods with a volume each, and the headless Service that gives every pod a name of its own, whether
// it is ready or not: agents and operator reach a server in order to make it ready.

import type {
  V1PersistentVolumeClaim,
  V1PodTemplateSpec,
  V1ServicePort,
  V1StatefulSetSpec,
} from '@kubernetes/client-node';
import type { KubeObject } from '../kube/objects.ts';
import type { Topology } from '../topology/topology.ts';
import type { ManifestInput } from './input.ts';
import { type Component, labelsOf, nameOf, object, selectorOf } from './objects.ts';

export interface SetParts {
  replicas: number;
  template: V1PodTemplateSpec;
  ports: V1ServicePort[];
  storage: Topology['caches']['storage'];
}

export function numberedPods(
  input: ManifestInput,
  component: Component,
  { replicas, template, ports, storage }: SetParts,
): KubeObject[] {
  const { topology } = input;
  const name = nameOf(topology, component);
  const spec: V1StatefulSetSpec = {
    serviceName: name,
    replicas,
    // None waits for another to start or to end; updates still go one at a time, each when the one before is ready.
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'RollingUpdate' },
    persistentVolumeClaimRetentionPolicy: retentionPolicy(topology),
    selector: selectorOf(topology, component),
    template,
    volumeClaimTemplates: [claim(topology, component, storage)],
  };
  return [
    object(input, 'Service', component, name, {
      spec: {
        clusterIP: 'None',
        publishNotReadyAddresses: true,
        selector: selectorOf(topology, component).matchLabels,
        ports,
      },
    }),
    object(input, 'StatefulSet', component, name, { spec }),
  ];
}

export const retentionPolicy = ({ retain }: Pick<Topology, 'retain'>) => ({
  whenDeleted: retain ? 'Retain' : 'Delete',
  // A cache node that comes back finds what it had.
  whenScaled: 'Retain',
});

const claim = (
  topology: Topology,
  component: Component,
  { size, storageClassName }: SetParts['storage'],
): V1PersistentVolumeClaim => ({
  metadata: { name: 'data', labels: labelsOf(topology, component) },
  spec: {
    accessModes: ['ReadWriteOnce'],
    ...(storageClassName === undefined ? {} : { storageClassName }),
    resources: { requests: { storage: size } },
  },
});

/** Drains of nodes take at most one pod at a time, and are not held up by one that is broken anyway. */
export const disruptionBudget = (input: ManifestInput, component: Component): KubeObject =>
  object(input, 'PodDisruptionBudget', component, nameOf(input.topology, component), {
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: selectorOf(input.topology, component),
    },
  });
