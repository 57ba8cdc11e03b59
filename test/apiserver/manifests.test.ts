// The objects of sales on a real API server, in namespaces that enforce the restricted Pod Security Standard: nothing is
// unknown to it or refused, what was applied is what was wanted, and edits touch nothing that cannot change.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FlashSale } from '../../operator/api/flashsale.gen.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { firstDifference } from '../../operator/kube/difference.ts';
import { type KubeObject, RESOURCES, resourceOf } from '../../operator/kube/objects.ts';
import type { ManifestInput } from '../../operator/manifests/input.ts';
import type { ApiServer } from '../harness/apiserver.ts';
import { busyOptions, load, named, objectsOf, SALES, saleOf } from '../harness/manifests.ts';
import { sharedApiServer } from '../harness/shared-apiserver.ts';

let server: ApiServer;
let client: KubeClient;

beforeAll(async () => {
  server = await sharedApiServer();
  client = server.connect();
  await server.kubectl(['create', 'priorityclass', String(busyOptions.pods.priorityClassName), '--value=10']);
});
afterAll(() => server?.stop());

/** A namespace of its own, in which nothing less than restricted runs. */
const restricted = (): Promise<string> =>
  server.namespace({
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  });

const within = (namespace: string, sale: FlashSale): FlashSale => ({
  ...sale,
  metadata: { ...sale.metadata, namespace },
});

interface Template {
  metadata: Pick<KubeObject['metadata'], 'labels' | 'annotations'>;
  spec: { volumes: object[]; [field: string]: unknown };
}
interface Workload {
  template?: Template;
  volumeClaimTemplates?: { metadata: { name: string } }[];
}

/** As a controller would make it of a workload. */
function podsOf({ metadata, spec }: KubeObject): KubeObject[] {
  const { template, volumeClaimTemplates = [] } = (spec ?? {}) as Workload;
  if (!template) return [];
  const claims = volumeClaimTemplates.map(({ metadata: { name } }) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  return [
    {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { ...template.metadata, name: `${metadata.name}-0`, namespace: metadata.namespace ?? '' },
      spec: { ...template.spec, volumes: [...template.spec.volumes, ...claims] },
    },
  ];
}

/** Applies all, and answers those that are not as they were wanted afterwards. */
async function applied(objects: KubeObject[]): Promise<unknown[]> {
  const differences = [];
  for (const wanted of objects) {
    await client.apply(wanted);
    const found = await client.get(resourceOf(wanted), wanted.metadata.namespace ?? '', wanted.metadata.name);
    differences.push(firstDifference(wanted, found));
  }
  return differences.filter((difference) => difference !== undefined);
}

const versions = async (objects: KubeObject[]) =>
  Promise.all(
    objects.map(async (object) => {
      const found = await client.get(resourceOf(object), object.metadata.namespace ?? '', object.metadata.name);
      return `${object.kind}/${object.metadata.name} ${found?.metadata.resourceVersion}`;
    }),
  );

describe.each(Object.entries(SALES))('%s', (name, file) => {
  const patch: Partial<ManifestInput> = name === 'full' ? { options: busyOptions } : {};

  test('no field is unknown, nothing is refused or warned of', async () => {
    const objects = objectsOf(within(await restricted(), load(file)), patch);
    for (const object of objects) await client.apply(object, { dryRun: true });
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const { code, err } = await server.kubectl(['apply', '--server-side', '--dry-run=server', '-f', '-'], list);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });

  test('its pods may run where only restricted ones may', async () => {
    const pods = objectsOf(within(await restricted(), load(file)), patch).flatMap(podsOf);
    expect(pods).toHaveLength(4);
    for (const pod of pods) await client.create(pod, { dryRun: true });
  });

  test('what was applied is what was wanted, and applying it again changes nothing', async () => {
    const objects = objectsOf(within(await restricted(), load(file)), patch);
    expect(await applied(objects)).toEqual([]);
    const before = await versions(objects);
    expect(await applied(objects)).toEqual([]);
    expect(await versions(objects)).toEqual(before);
  });
});

test('the namespaces of this test do refuse what is not restricted', async () => {
  const namespace = await restricted();
  const [pod] = objectsOf(within(namespace, saleOf())).flatMap(podsOf);
  const careless = { ...pod, spec: { ...(pod?.spec as object), hostNetwork: true } } as KubeObject;
  await expect(client.create(careless, { dryRun: true })).rejects.toThrow(/violates PodSecurity "restricted/);
});

test.each<[string, Record<string, unknown>, Partial<ManifestInput>]>([
  ['more of everything', { cache: { nodes: 5 }, shards: { count: 9 }, storefront: { replicas: 7 } }, { cachePods: 5 }],
  ['fewer cache nodes', { cache: { nodes: 1 } }, {}],
  ['durability', { cache: { nodes: 2, durability: 'EverySecond' } }, {}],
  ['resources', { shards: { count: 2, resources: { limits: { memory: '1Gi' } } } }, {}],
  ['lists', { qualification: { denyList: { configMapRefs: [{ name: 'bots' }] } } }, {}],
  ['an autoscaler', { storefront: { autoscaling: { maxReplicas: 9 } } }, {}],
  ['deletionPolicy', { deletionPolicy: 'Delete' }, {}],
  ['other secrets', {}, { startedWith: 'fedcba9876543210' }],
  ['another operator', {}, { options: { ...busyOptions, pods: { ...busyOptions.pods, priorityClassName: '' } } }],
])('R33: an edit of %s is applied to what is there', async (_, spec, patch) => {
  const namespace = await restricted();
  expect(await applied(objectsOf(within(namespace, saleOf())))).toEqual([]);
  expect(await applied(objectsOf(within(namespace, saleOf(spec)), patch))).toEqual([]);
});

test('without an autoscaler the number of storefronts is the sale’s again', async () => {
  const namespace = await restricted();
  const scaled = objectsOf(within(namespace, saleOf({ storefront: { replicas: 3, autoscaling: { maxReplicas: 9 } } })));
  await applied(scaled);
  const deployment = named(scaled, 'Deployment', 'phone-storefront');
  await client.patch(
    RESOURCES.Deployment,
    namespace,
    deployment.metadata.name,
    { spec: { replicas: 8 } },
    { fieldManager: 'autoscaler' },
  );
  const fixed = objectsOf(within(namespace, saleOf({ storefront: { replicas: 3 } })));
  await client.apply(named(fixed, 'Deployment', 'phone-storefront'), { force: true });
  const found = await client.get(RESOURCES.Deployment, namespace, deployment.metadata.name);
  expect(found?.spec).toMatchObject({ replicas: 3 });
});
