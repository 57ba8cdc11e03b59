// What the pods of all components share: how little they may do, how they are watched, what they see of the sale, and
// where the operator's owner lets them run. They pass the restricted Pod Security Standard.

import type {
  V1Container,
  V1PodSpec,
  V1PodTemplateSpec,
  V1Probe,
  V1ResourceRequirements,
  V1Volume,
  V1VolumeMount,
} from '@kubernetes/client-node';
import type { ResourcesSpecInput } from '../api/flashsale.gen.ts';
import type { Topology } from '../topology/topology.ts';
import type { ManifestInput } from './input.ts';
import { type Component, labelsOf, nameOf, selectorOf } from './objects.ts';
import type { ContainerKind, OperatorOptions } from './options.ts';
import { CONFIG_FILE, listFile, PATHS, PORTS, USERS } from './places.ts';
import { type SecretReader, secretsOf } from './secrets.ts';

export interface PodParts {
  containers: V1Container[];
  initContainers?: V1Container[];
  volumes: V1Volume[];
  /** Group of the pod's volumes: what its data belongs to, and who may read its secrets. */
  group: number;
  /** Seconds a pod has to end by itself. */
  grace: number;
  annotations?: Record<string, string>;
}

export function podTemplate(
  { topology, options, startedWith }: ManifestInput,
  component: Component,
  { containers, initContainers, volumes, group, grace, annotations }: PodParts,
): V1PodTemplateSpec {
  const { nodeSelector, tolerations, topologySpread, priorityClassName } = options.pods;
  return {
    metadata: {
      labels: labelsOf(topology, component),
      annotations: {
        ...options.pods.annotations,
        // What roles read only when they start; another one replaces the pods.
        'flashsale.dev/started-with': startedWith,
        ...annotations,
      },
    },
    spec: {
      automountServiceAccountToken: false,
      // Variables for every Service of the namespace would only be a burden.
      enableServiceLinks: false,
      terminationGracePeriodSeconds: grace,
      securityContext: {
        runAsNonRoot: true,
        fsGroup: group,
        // Volumes with millions of files are not walked at every start.
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...(options.imagePullSecrets.length > 0
        ? { imagePullSecrets: options.imagePullSecrets.map((name) => ({ name })) }
        : {}),
      ...(nodeSelector ? { nodeSelector } : {}),
      ...(tolerations ? { tolerations } : {}),
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
      ...(topologySpread ? { topologySpreadConstraints: spread(topology, component) } : {}),
      ...(initContainers ? { initContainers } : {}),
      containers,
      volumes,
    },
  };
}

/** Softly: a sale on one node is better than none. */
const spread = (topology: Topology, component: Component): NonNullable<V1PodSpec['topologySpreadConstraints']> =>
  ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: selectorOf(topology, component),
  }));

export type ContainerParts = Omit<V1Container, 'image' | 'imagePullPolicy' | 'securityContext'>;

export function container(
  options: OperatorOptions,
  image: keyof typeof USERS,
  { name, ...parts }: ContainerParts,
): V1Container {
  return {
    name,
    image: options.images[image],
    imagePullPolicy: options.imagePullPolicy,
    ...parts,
    securityContext: {
      runAsUser: USERS[image],
      runAsGroup: USERS[image],
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  };
}

export interface RoleParts {
  name: string;
  role: 'storefront' | 'cache-agent' | 'shard-agent';
  /** The id of the role; `$(POD_INDEX)` in it stands for the pod's number in its set. */
  id?: string;
  /** The port where the role serves, besides its metrics. */
  listen?: { name: string; port: number };
  resources: { resources?: V1ResourceRequirements };
  lists?: boolean;
  lifecycle?: V1Container['lifecycle'];
}

/** A role of the data plane, which sees the configuration and its own secrets. */
export function roleContainer({ topology, options }: ManifestInput, parts: RoleParts): V1Container {
  const { name, role, id, listen, resources, lists, lifecycle } = parts;
  return container(options, 'flashsale', {
    name,
    args: [
      role,
      ...['--config', `${PATHS.config}/${CONFIG_FILE}`, '--secrets', PATHS.secrets],
      ...(id === undefined ? [] : ['--id', id]),
      ...(listen ? ['--listen', `0.0.0.0:${listen.port}`] : []),
      ...['--metrics', `0.0.0.0:${PORTS.metrics}`],
    ],
    ...(id?.includes('$(POD_INDEX)') ? { env: [POD_INDEX] } : {}),
    ports: [
      ...(listen ? [{ name: listen.name, containerPort: listen.port }] : []),
      { name: 'metrics', containerPort: PORTS.metrics },
    ],
    // Node starts within seconds, on a crowded machine within a minute.
    startupProbe: { httpGet: { path: '/healthz', port: 'metrics' }, periodSeconds: 1, failureThreshold: 120 },
    // A role that is not fit says so itself; one that is silent for half a minute hangs.
    readinessProbe: { httpGet: { path: '/ready', port: 'metrics' }, periodSeconds: 2, timeoutSeconds: 2 },
    livenessProbe: { httpGet: { path: '/healthz', port: 'metrics' }, periodSeconds: 10, timeoutSeconds: 5 },
    ...(lifecycle ? { lifecycle } : {}),
    ...resources,
    volumeMounts: [
      { name: 'config', mountPath: PATHS.config, readOnly: true },
      { name: 'secrets', mountPath: PATHS.secrets, readOnly: true },
      ...(lists && listSources(topology).length > 0
        ? [{ name: 'lists', mountPath: PATHS.lists, readOnly: true } satisfies V1VolumeMount]
        : []),
      { name: 'tmp', mountPath: PATHS.tmp },
    ],
  });
}

const POD_INDEX = {
  name: 'POD_INDEX',
  valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
};

/** What `roleContainer` mounts. */
export function roleVolumes({ topology }: ManifestInput, reader: SecretReader): V1Volume[] {
  const sources = reader === 'storefront' ? listSources(topology) : [];
  return [
    // The whole folder, never a single file of it: only so an edit reaches a running pod.
    { name: 'config', configMap: { name: nameOf(topology, 'config') } },
    secretVolume(topology, 'secrets', secretsOf(topology, reader)),
    ...(sources.length > 0 ? [{ name: 'lists', projected: { sources } }] : []),
    { name: 'tmp', emptyDir: {} },
  ];
}

export const secretVolume = (topology: Topology, name: string, keys: string[]): V1Volume => ({
  name,
  secret: {
    secretName: nameOf(topology, 'secrets'),
    items: keys.map((key) => ({ key, path: key })),
    defaultMode: 0o440,
  },
});

/** A list that is missing keeps no pod from starting: the storefront says that it was not read, and goes on looking. */
const listSources = ({ lists }: Topology) =>
  (['allow', 'deny'] as const).flatMap((which) =>
    (lists[which]?.from ?? []).map(({ name, key }, n) => ({
      configMap: { name, items: [{ key, path: listFile(which, n) }], optional: true },
    })),
  );

/** The sale's word, else the operator's; nothing where neither says anything. */
export function resourcesFor(
  { options }: ManifestInput,
  kind: ContainerKind,
  ofSale?: ResourcesSpecInput,
): { resources?: V1ResourceRequirements } {
  const { requests, limits } = ofSale ?? options.pods.resources?.[kind] ?? {};
  const resources = { ...quantities('requests', requests), ...quantities('limits', limits) };
  return Object.keys(resources).length > 0 ? { resources } : {};
}

/** The quantities as the API server writes them. */
function quantities(field: 'requests' | 'limits', given: object = {}): V1ResourceRequirements {
  const entries = Object.entries(given).map(([name, quantity]) => [name, String(quantity)] as const);
  return entries.length > 0 ? { [field]: Object.fromEntries(entries) } : {};
}

/** The probes of a server that is up as soon as it takes connections. */
export const tcpProbes = (
  port: string,
): { startupProbe: V1Probe; readinessProbe: V1Probe; livenessProbe: V1Probe } => ({
  startupProbe: { tcpSocket: { port }, periodSeconds: 1, failureThreshold: 600 },
  readinessProbe: { tcpSocket: { port }, periodSeconds: 5, timeoutSeconds: 2 },
  livenessProbe: { tcpSocket: { port }, periodSeconds: 10, timeoutSeconds: 5 },
});
