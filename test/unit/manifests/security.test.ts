// What pods may do, and where secrets are.

import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { busyOptions, inputFor, load, objectsOf, options, SALES } from '../../harness/manifests.ts';

interface Context {
  [field: string]: unknown;
  seccompProfile?: { type?: string };
  capabilities?: { add?: string[]; drop?: string[] };
}
interface Container {
  name: string;
  securityContext?: Context;
  ports?: { hostPort?: number }[];
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  lifecycle?: Record<string, Probe>;
  [field: string]: unknown;
}
interface Probe {
  httpGet?: { host?: string };
  tcpSocket?: { host?: string };
}
interface Pod {
  containers: Container[];
  initContainers?: Container[];
  volumes: Record<string, unknown>[];
  securityContext: Context;
  [field: string]: unknown;
}

const templateOf = ({ spec }: KubeObject) =>
  (spec as { template?: { metadata: { annotations?: Record<string, string> }; spec: Pod } } | undefined)?.template;
const containersOf = (pod: Pod): Container[] => [...(pod.initContainers ?? []), ...pod.containers];

/** The controls of the Pod Security Standards, baseline and restricted, as somebody who breaks them would be told. */
const CONTROLS: Record<string, (pod: Pod) => boolean> = {
  'is no host process': (pod) =>
    [pod, ...containersOf(pod)].every(
      ({ securityContext }) => (securityContext as Context).windowsOptions === undefined,
    ),
  'shares no namespace with its node': (pod) =>
    ['hostNetwork', 'hostPID', 'hostIPC'].every((field) => pod[field] === undefined),
  'has no privileged container': (pod) => containersOf(pod).every((c) => c.securityContext?.privileged === undefined),
  'adds no capability': (pod) => containersOf(pod).every((c) => c.securityContext?.capabilities?.add === undefined),
  'drops every capability': (pod) =>
    containersOf(pod).every((c) => c.securityContext?.capabilities?.drop?.includes('ALL')),
  'mounts only kinds of volumes that hold nothing of the node': (pod) =>
    pod.volumes.every((volume) =>
      Object.keys(volume).every((kind) =>
        ['name', 'configMap', 'secret', 'projected', 'emptyDir', 'persistentVolumeClaim'].includes(kind),
      ),
    ),
  'takes no port of its node': (pod) =>
    containersOf(pod).every(({ ports = [] }) => ports.every(({ hostPort }) => hostPort === undefined)),
  'leaves probes and hooks to its own address': (pod) =>
    containersOf(pod).every(({ livenessProbe, readinessProbe, startupProbe, lifecycle }) =>
      [livenessProbe, readinessProbe, startupProbe, ...Object.values(lifecycle ?? {})].every(
        (probe) => probe?.httpGet?.host === undefined && probe?.tcpSocket?.host === undefined,
      ),
    ),
  'keeps AppArmor, SELinux, /proc and sysctls as they are': (pod) =>
    [pod, ...containersOf(pod)].every(({ securityContext }) =>
      ['appArmorProfile', 'seLinuxOptions', 'procMount', 'sysctls'].every(
        (field) => (securityContext as Context)[field] === undefined,
      ),
    ),
  'has the default seccomp profile': (pod) =>
    pod.securityContext.seccompProfile?.type === 'RuntimeDefault' &&
    containersOf(pod).every((c) => c.securityContext?.seccompProfile === undefined),
  'may not gain privileges': (pod) =>
    containersOf(pod).every((c) => c.securityContext?.allowPrivilegeEscalation === false),
  'runs as somebody else than root': (pod) =>
    pod.securityContext.runAsNonRoot === true &&
    containersOf(pod).every((c) => Number(c.securityContext?.runAsUser) > 0),
};

/** Ours, beyond the standard. */
const HABITS: Record<string, (pod: Pod) => boolean> = {
  'writes nothing but its volumes': (pod) =>
    containersOf(pod).every((c) => c.securityContext?.readOnlyRootFilesystem === true),
  'has no token of a service account': (pod) =>
    pod.automountServiceAccountToken === false && pod.serviceAccountName === undefined,
};

describe.each(Object.entries(SALES))('%s', (name, file) => {
  const input = inputFor(load(file), { options: name === 'full' ? busyOptions : options });
  const objects = objectsOf(load(file), input);
  const pods = objects.flatMap((object) => templateOf(object)?.spec ?? []);

  test('has pods of four kinds', () => expect(pods).toHaveLength(4));

  test.each(Object.entries({ ...CONTROLS, ...HABITS }))('every pod %s', (_, holds) => {
    expect(pods.filter((pod) => !holds(pod))).toEqual([]);
  });

  test('R25: no secret is in any object but Secrets, not even encoded', () => {
    const text = stringify(objects.filter(({ kind }) => kind !== 'Secret'));
    const shown = [...input.secrets.values()].filter(
      (value) => text.includes(value) || text.includes(Buffer.from(value).toString('base64')),
    );
    expect(shown).toEqual([]);
  });

  test('no name and no label of an object is made of a secret, nor is the configuration of Redis', () => {
    const metadata = stringify(objects.map((object) => object.metadata));
    const conf = objects.find(({ metadata }) => metadata.name.endsWith('-redis'))?.data as { 'redis.conf': string };
    const text = metadata + Buffer.from(conf['redis.conf'], 'base64').toString();
    expect([...input.secrets.values()].filter((value) => text.includes(value))).toEqual([]);
  });

  test('no container has an environment variable but the number of its pod', () => {
    const names = pods.flatMap(containersOf).flatMap(({ env = [] }) => (env as { name: string }[]).map((e) => e.name));
    expect(new Set(names)).toEqual(new Set(['POD_INDEX']));
  });
});

test('each container sees the secrets it needs and no others', () => {
  const seen = objectsOf(load(SALES.shop)).flatMap((object) => {
    const pod = templateOf(object)?.spec;
    return (pod ? containersOf(pod) : []).map((container) => {
      const mounted = (container.volumeMounts as { name: string }[]).map(({ name }) => name);
      const keys = pod?.volumes
        .filter(({ name }) => mounted.includes(String(name)))
        .flatMap(({ secret }) => (secret as { items?: { key: string }[] } | undefined)?.items ?? [])
        .map(({ key }) => key);
      return [`${object.metadata.labels?.['app.kubernetes.io/component']}/${container.name}`, keys?.sort()];
    });
  });
  expect(Object.fromEntries(seen)).toEqual({
    'cache/redis': [],
    'cache/agent': ['bus-key', 'kafka-password', 'postgres-cache', 'redis-agent'],
    'shard/init': ['postgres-superuser'],
    'shard/postgres': [],
    'shard/agent': ['bus-key', 'kafka-password', 'orders-key', 'postgres-owner'],
    'pool/init': ['postgres-superuser'],
    'pool/postgres': [],
    'pool/agent': ['bus-key', 'internal', 'kafka-password', 'postgres-cache', 'postgres-owner', 'redis-pool'],
    'storefront/storefront': [
      ...['bus-key', 'internal', 'jwt-secret', 'kafka-password', 'postgres-storefront', 'redis-storefront'],
      'token-key',
    ],
  });
});
