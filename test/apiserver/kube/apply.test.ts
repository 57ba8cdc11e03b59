// Applying what is wanted on a real API server: once, as long as it stays so; again when somebody changed it or when
// something else is wanted; and never over what a stranger made.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Applied, applyWanted, createWanted } from '../../../operator/kube/apply.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type KubeObject, resourceOf } from '../../../operator/kube/objects.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { type HttpProxy, startHttpProxy } from '../../harness/http-proxy.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';

let server: ApiServer;
let proxy: HttpProxy;
let client: KubeClient;
let namespace: string;

beforeAll(async () => {
  server = await sharedApiServer();
  proxy = await startHttpProxy(server.url);
  client = server.connect({ url: proxy.url });
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  namespace = await server.namespace();
});

const writes = () => proxy.asked.filter(({ method }) => method !== 'GET').length;
const found = (wanted: KubeObject) => client.get(resourceOf(wanted), namespace, wanted.metadata.name);
/** As a reconcile does it: what is not there is created, and what is there is edited. */
async function apply(wanted: KubeObject): Promise<Applied | { did: 'created' }> {
  const there = await found(wanted);
  if (there !== undefined) return applyWanted(client, wanted, there);
  await createWanted(client, wanted);
  return { did: 'created' };
}

const labels = { 'app.kubernetes.io/name': 'flashsale', 'app.kubernetes.io/instance': 'phone' };
const object = (apiVersion: string, kind: string, fields: object): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'phone', namespace, labels },
  ...fields,
});
const template = {
  metadata: { labels },
  spec: {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 999, seccompProfile: { type: 'RuntimeDefault' } },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'kubernetes.io/hostname',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: labels },
      },
    ],
    initContainers: [{ name: 'init', image: 'x:1', command: ['initdb'] }],
    containers: [
      {
        name: 'redis',
        image: 'redis:8',
        args: ['/etc/redis/redis.conf', '--port', '6379'],
        ports: [{ name: 'redis', containerPort: 6379 }],
        env: [
          {
            name: 'POD_INDEX',
            valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
          },
          { name: 'EMPTY', value: '' },
        ],
        resources: { requests: { cpu: 0.5, memory: '1024Mi' }, limits: { cpu: '1000m', memory: '2048Mi' } },
        readinessProbe: { httpGet: { path: '/ready', port: 9090 }, initialDelaySeconds: 0 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'tmp', mountPath: '/tmp' },
          { name: 'secrets', mountPath: '/etc/secrets', readOnly: true },
        ],
      },
    ],
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: '512Mi' } },
      { name: 'secrets', secret: { secretName: 'phone', items: [{ key: 'a', path: 'a' }] } },
      { name: 'lists', projected: { sources: [{ configMap: { name: 'phone', items: [{ key: 'a', path: 'a' }] } }] } },
    ],
  },
};
/** One of each kind that the operator makes, with what the API server is known to keep in another way. */
const kinds = (): KubeObject[] => [
  object('v1', 'Secret', { type: 'Opaque', stringData: { password: 'secret' } }),
  object('v1', 'ConfigMap', { data: { 'sale.json': '{}' } }),
  object('v1', 'Service', {
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: labels,
      ports: [{ name: 'redis', port: 6379 }],
    },
  }),
  object('apps/v1', 'StatefulSet', {
    spec: {
      serviceName: 'phone',
      replicas: 3,
      podManagementPolicy: 'Parallel',
      minReadySeconds: 0,
      selector: { matchLabels: labels },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      template,
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1024Mi' } } },
        },
      ],
    },
  }),
  object('apps/v1', 'Deployment', {
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        ...template,
        spec: { ...template.spec, volumes: [...template.spec.volumes, { name: 'data', emptyDir: {} }] },
      },
    },
  }),
  object('policy/v1', 'PodDisruptionBudget', { spec: { maxUnavailable: 1, selector: { matchLabels: labels } } }),
  object('autoscaling/v2', 'HorizontalPodAutoscaler', {
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'phone' },
      minReplicas: 2,
      maxReplicas: 20,
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 70 } } },
      ],
    },
  }),
  object('networking.k8s.io/v1', 'NetworkPolicy', {
    spec: {
      podSelector: { matchLabels: labels },
      policyTypes: ['Ingress'],
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 6379 }] }],
    },
  }),
];

describe('what is as wanted is not written again', () => {
  test('whatever its kind, and however the API server keeps it', async () => {
    for (const wanted of kinds()) {
      expect([wanted.kind, await apply(wanted)]).toEqual([wanted.kind, { did: 'created' }]);
      const before = writes();
      expect([wanted.kind, await apply(wanted)]).toEqual([wanted.kind, { did: 'nothing' }]);
      expect(writes()).toBe(before);
    }
  });

  test('when others add what is theirs', async () => {
    const wanted = object('v1', 'ConfigMap', { data: { a: '1' } });
    await apply(wanted);
    await server.kubectl(['-n', namespace, 'label', 'configmap', 'phone', 'team=red']);
    await server.kubectl(['-n', namespace, 'annotate', 'configmap', 'phone', 'note=x']);
    await server.kubectl(['-n', namespace, 'patch', 'configmap', 'phone', '-p', '{"data":{"theirs":"1"}}']);
    const before = writes();
    expect(await apply(wanted)).toEqual({ did: 'nothing' });
    expect(writes()).toBe(before);
    expect(await found(wanted)).toMatchObject({ data: { a: '1', theirs: '1' } });
  });
});

describe('what somebody changed by hand is set back, and it is said who did what', () => {
  test.each<[string, string, string[], object]>([
    [
      'a value',
      'Deployment',
      ['scale', 'deployment', 'phone', '--replicas=7'],
      { path: 'spec.replicas', wanted: 2, found: 7 },
    ],
    [
      'an image',
      'StatefulSet',
      ['set', 'image', 'statefulset/phone', 'redis=evil:1'],
      { path: 'spec.template.spec.containers[redis].image', wanted: 'redis:8', found: 'evil:1' },
    ],
    [
      'a selector',
      'Service',
      ['patch', 'service', 'phone', '--type=merge', '-p', '{"spec":{"selector":{"more":"x"}}}'],
      { path: 'spec.selector.more', wanted: undefined, found: 'x' },
    ],
    [
      'who may come in',
      'NetworkPolicy',
      ['patch', 'networkpolicy', 'phone', '--type=json', '-p', '[{"op":"add","path":"/spec/ingress/-","value":{}}]'],
      { path: 'spec.ingress[1]', wanted: undefined, found: {} },
    ],
    [
      'a label that was removed',
      'ConfigMap',
      ['label', 'configmap', 'phone', 'app.kubernetes.io/name-'],
      { path: 'metadata.labels[app.kubernetes.io/name]', wanted: 'flashsale', found: undefined },
    ],
  ])('%s', async (_, kind, command, why) => {
    const wanted = kinds().find((candidate) => candidate.kind === kind) as KubeObject;
    await apply(wanted);
    const { code, err } = await server.kubectl(['-n', namespace, ...command]);
    expect([code, err]).toEqual([0, '']);
    expect(await apply(wanted)).toMatchObject({ did: 'changed', why });
    const before = writes();
    expect(await apply(wanted)).toEqual({ did: 'nothing' });
    expect(writes()).toBe(before);
  });

  test('with the name of who is in the way', async () => {
    const wanted = object('v1', 'ConfigMap', { data: { a: '1' } });
    await apply(wanted);
    await server.kubectl(['-n', namespace, 'patch', 'configmap', 'phone', '-p', '{"data":{"a":"by hand"}}']);
    expect(await apply(wanted)).toEqual({
      did: 'changed',
      why: { path: 'data.a', wanted: '1', found: 'by hand' },
      taken: [{ manager: 'kubectl-patch', field: '.data.a' }],
    });
    expect(await found(wanted)).toMatchObject({ data: { a: '1' } });
  });
});

describe('what is not wanted any more', () => {
  test('is dropped, and said', async () => {
    await apply(object('v1', 'ConfigMap', { data: { a: '1', b: '2' } }));
    const fewer = object('v1', 'ConfigMap', { data: { a: '1' } });
    expect(await apply(fewer)).toEqual({ did: 'changed', why: { path: 'data.b', wanted: undefined, found: '2' } });
    expect((await found(fewer))?.data).toEqual({ a: '1' });
  });

  test('is dropped deep inside a pod, too', async () => {
    const [, , , set] = kinds() as [KubeObject, KubeObject, KubeObject, KubeObject];
    await apply(set);
    const spec = set.spec as { template: typeof template };
    const [container] = structuredClone(spec.template.spec.containers);
    container?.env.pop();
    const fewer = {
      ...set,
      spec: { ...spec, template: { ...template, spec: { ...template.spec, containers: [container] } } },
    };
    expect(await apply(fewer)).toMatchObject({
      did: 'changed',
      why: { path: 'spec.template.spec.containers[redis].env[EMPTY]', wanted: undefined },
    });
  });
});

describe("a stranger's object is kept as it is", () => {
  const theirs = () => server.kubectl(['-n', namespace, 'create', 'configmap', 'phone', '--from-literal=a=theirs']);

  test('where it has the name already: creating is no edit', async () => {
    await theirs();
    const wanted = object('v1', 'ConfigMap', { data: { a: '1', b: '2' } });
    const before = await found(wanted);
    await expect(createWanted(client, wanted)).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists' });
    expect(await found(wanted)).toEqual(before);
  });

  test('where it took the name between the look and the edit', async () => {
    const wanted = object('v1', 'ConfigMap', { data: { a: '1' } });
    await apply(wanted);
    const seen = (await found(wanted)) as KubeObject;
    await server.kubectl(['-n', namespace, 'delete', 'configmap', 'phone']);
    const newer = object('v1', 'ConfigMap', { data: { a: '2' } });
    // Nothing is there now, and nothing is made by an edit either.
    await expect(applyWanted(client, newer, seen)).rejects.toMatchObject({ status: 409 });
    await theirs();
    const before = await found(wanted);
    await expect(applyWanted(client, newer, seen)).rejects.toThrow(/uid|UID/);
    expect(await found(wanted)).toEqual(before);
  });
});

describe('what was created is edited like what was applied', () => {
  const managers = async () => {
    const { metadata } = (await found(object('v1', 'ConfigMap', {}))) as KubeObject;
    const { managedFields = [] } = metadata as { managedFields?: { manager: string; operation: string }[] };
    return managedFields.map(({ manager, operation }) => `${manager} ${operation}`);
  };

  test('its fields are those of an apply, so that a later one can drop them', async () => {
    await apply(object('v1', 'ConfigMap', { data: { a: '1', b: '2' } }));
    expect(await managers()).toEqual(['flashsale-operator Apply']);
  });

  test('also when its creator was interrupted', async () => {
    const cut = { ...client, patch: () => Promise.reject(new Error('interrupted')) };
    await expect(createWanted(cut, object('v1', 'ConfigMap', { data: { a: '1', b: '2' } }))).rejects.toThrow();
    expect(await managers()).toEqual(['flashsale-operator Update']);
    expect(await apply(object('v1', 'ConfigMap', { data: { a: '3' } }))).toMatchObject({ did: 'changed' });
    expect(await managers()).toEqual(['flashsale-operator Apply']);
    expect((await found(object('v1', 'ConfigMap', {})))?.data).toEqual({ a: '3' });
    expect(await apply(object('v1', 'ConfigMap', { data: { a: '3' } }))).toEqual({ did: 'nothing' });
  });
});

test('a copy that is a little old makes no change be said twice', async () => {
  const wanted = object('v1', 'ConfigMap', { data: { a: '1' } });
  await apply(wanted);
  const old = (await found(wanted)) as KubeObject;
  const newer = object('v1', 'ConfigMap', { data: { a: '2' } });
  expect(await applyWanted(client, newer, old)).toMatchObject({ did: 'changed' });
  expect(await apply(newer)).toEqual({ did: 'nothing' });
});

test('the values of a secret are in no answer', async () => {
  const [secret] = kinds() as [KubeObject];
  await apply(secret);
  await server.kubectl(['-n', namespace, 'patch', 'secret', 'phone', '-p', '{"data":{"password":"b3RoZXI="}}']);
  const result = await apply(secret);
  expect(result).toMatchObject({
    did: 'changed',
    why: { path: 'data.password', wanted: '(hidden)', found: '(hidden)' },
  });
  expect(JSON.stringify(result)).not.toMatch(/secret"|c2VjcmV0|b3RoZXI/);
});
