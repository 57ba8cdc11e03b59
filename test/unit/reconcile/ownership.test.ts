// The operator touches nothing but what is a sale's own, whatever names, labels and owners other objects have.

import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import { manifestsOf } from '../../../operator/manifests/manifests.ts';
import { labelsOf } from '../../../operator/manifests/objects.ts';
import { isOwnedBy, isPodOf } from '../../../operator/manifests/ownership.ts';
import { FINALIZER } from '../../../operator/reconcile/adopt.ts';
import type { ReconcileContext } from '../../../operator/reconcile/context.ts';
import { finalize } from '../../../operator/reconcile/finalize.ts';
import { InformerCache } from '../../../operator/reconcile/informer-cache.ts';
import { makeObjects } from '../../../operator/reconcile/objects.ts';
import { readOwnSecret } from '../../../operator/reconcile/secrets.ts';
import { buildTopology } from '../../../operator/topology/topology.ts';
import { fakeKube } from '../../harness/fake-kube.ts';
import { inputFor, saleOf } from '../../harness/manifests.ts';

const KEY = 'shop/phone';
const input = inputFor(saleOf({ storefront: { autoscaling: { maxReplicas: 3 } } }));
const { sale } = input;
const manifests = manifestsOf(input);
const wanted = Object.values(manifests).flat() as KubeObject[];
const SECRETIVE = new Set(['Secret', 'ConfigMap', 'Service', 'StatefulSet']);

/** An operator that has listed everything there is. */
async function operator(kube: ReturnType<typeof fakeKube>, resource: FlashSale = sale) {
  kube.put({ ...(resource as unknown as KubeObject), apiVersion: RESOURCES.FlashSale.apiVersion, kind: 'FlashSale' });
  const log = pino({ level: 'silent' });
  const cache = new InformerCache({ client: kube.client, namespaces: [], touched: () => undefined, log });
  await expect.poll(() => cache.isSynced(KEY), { interval: 1 }).toBe(true);
  const context = {
    ...{ client: kube.client, cache, log, events: { event: () => undefined }, options: { ...input.options } },
    // Its order events were relayed already.
    state: () => ({ closed: Promise.resolve(), drainedAt: 0, attempts: { try: async () => ({ done: true }) } }),
    forget: async () => undefined,
    ...{ wall: Date.now, now: () => performance.now() },
  } as unknown as ReconcileContext;
  return {
    context,
    stop: () => cache.stop(),
    make: () => makeObjects(context, KEY, resource as unknown as KubeObject, manifests, false),
  };
}

interface Stranger {
  like: KubeObject;
  name: 'its own' | 'theirs';
  labels: Record<string, string> | undefined;
  owner: string | undefined;
  kept: string | undefined;
}

/** Somebody else's object: it may have any name of the sale, its labels, another owner, and be kept for another sale. */
const stranger: fc.Arbitrary<Stranger> = fc.record({
  like: fc.constantFrom(...wanted),
  name: fc.constantFrom('its own' as const, 'theirs' as const),
  labels: fc.constantFrom(undefined, labelsOf(input.topology, 'sale')),
  owner: fc.constantFrom(undefined, 'uid-of-another', 'uid-of-an-earlier-sale'),
  kept: fc.constantFrom(undefined, 'other/7f2a6c1e-0000-4000-8000-000000000001', 'phone-2/x'),
});

const objectOf = ({ like, name, labels, owner, kept }: Stranger): KubeObject => ({
  apiVersion: like.apiVersion,
  kind: like.kind,
  metadata: {
    name: name === 'theirs' ? `theirs-${like.metadata.name}` : like.metadata.name,
    namespace: 'shop',
    ...(labels ? { labels } : {}),
    ...(owner ? { ownerReferences: [{ apiVersion: 'v1', kind: 'FlashSale', name: 'phone', uid: owner }] } : {}),
    ...(kept ? { annotations: { 'flashsale.dev/kept-for': kept } } : {}),
  },
  data: { theirs: 'x' },
});

describe('strangers’ objects are kept', () => {
  test('whatever a sale makes and removes, and at its end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stranger, { maxLength: 6 }), async (strangers) => {
        const kube = fakeKube();
        for (const one of strangers) kube.put(objectOf(one));
        const theirs = new Map(kube.objects);
        const { make, stop } = await operator(kube);
        const made = await make();
        await stop();
        for (const [id, object] of theirs) expect(kube.objects.get(id)).toEqual(object);
        const taken = wanted.filter(({ kind, metadata }) => theirs.has(`${kind}/${metadata.name}`));
        expect(made.isTaken).toBe(taken.some(({ kind }) => SECRETIVE.has(kind)));
        if (!made.isTaken) expect(made.degradedReasons).toHaveLength(taken.length);

        // The sale ends: a new operator sees all that was made.
        const ending = { ...sale, metadata: { ...sale.metadata, finalizers: [FINALIZER], deletionTimestamp: 'now' } };
        const last = await operator(kube, ending);
        await finalize(ending, last.context);
        await last.stop();
        for (const [id, object] of theirs) expect(kube.objects.get(id)).toEqual(object);
      }),
      { numRuns: 60 },
    );
  });

  test('no workload is made that would read what a stranger wrote, and the condition names it', async () => {
    const kube = fakeKube();
    kube.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'phone-config', namespace: 'shop' } });
    const { make, stop } = await operator(kube);
    const { degradedReasons } = await make();
    await stop();
    expect(degradedReasons).toEqual([
      {
        reason: 'NameTaken',
        message: 'ConfigMap shop/phone-config is there already: it is not of this sale; it is left as it is',
        blocks: true,
      },
    ]);
    expect([...kube.objects.values()].filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment')).toEqual(
      [],
    );
  });
});

test('what is the sale’s own is found again, edited and removed', async () => {
  const kube = fakeKube();
  const first = await operator(kube);
  expect(await first.make()).toMatchObject({ degradedReasons: [], isTaken: false });
  await first.stop();
  kube.put({ ...(wanted[0] as KubeObject), metadata: { ...wanted[0]?.metadata, name: 'phone-former' } as never });
  const again = await operator(kube);
  expect(again.context.cache.owned(KEY)).toHaveLength(wanted.length + 1);
  await makeObjects(again.context, KEY, sale as unknown as KubeObject, manifests, true);
  await again.stop();
  expect(kube.objects.has('Secret/phone-former')).toBe(false);
});

describe('the Secret that outlives a sale', () => {
  const secret = (annotations: Record<string, string>, owner?: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...{ name: 'phone-secrets', namespace: 'shop', annotations },
      ...(owner ? { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: owner }] } : {}),
    },
  });
  const kept = { 'flashsale.dev/kept-for': 'phone/the-former-uid' };

  test.each<[string, KubeObject, boolean]>([
    ['is taken over by a sale of its name', secret(kept), true],
    ['is not read by a sale of another name', secret({ 'flashsale.dev/kept-for': 'phones/x' }), false],
    ['is not read where somebody else owns it', secret(kept, 'other'), false],
    ['is not read where nothing says that it is a sale’s', secret({}), false],
  ])('%s', async (_, object, isRead) => {
    const kube = fakeKube();
    kube.put(object);
    const found = await readOwnSecret(kube.client, buildTopology(sale), sale.metadata);
    expect(found !== undefined).toBe(isRead);
  });

  test('carries the mark from the beginning', () => {
    const made = wanted.find(({ metadata }) => metadata.name === 'phone-secrets') as KubeObject;
    expect(made.metadata.ownerReferences).toBeUndefined();
    expect(made.metadata.annotations).toEqual({ 'flashsale.dev/kept-for': `phone/${sale.metadata.uid}` });
    expect(isOwnedBy({ name: 'phone', uid: 'a-new-one' }, made)).toBe(true);
  });
});

test.each<[string, string, string, boolean]>([
  ['of its cache', 'StatefulSet', 'phone-cache', true],
  ['of its storefront', 'ReplicaSet', 'phone-storefront-7d9f', true],
  ['of another set', 'StatefulSet', 'phone-other', false],
  ['of another sale', 'ReplicaSet', 'phone2-storefront-7d9f', false],
  ['of a job', 'Job', 'phone-cache', false],
])('a pod %s is told by its controller', (_, kind, name, isOwn) => {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind, name, uid: 'x', controller: true }];
  expect(isPodOf(sale.metadata, { metadata: { name: 'pod', ownerReferences } })).toBe(isOwn);
  expect(isPodOf(sale.metadata, { metadata: { name: 'pod' } })).toBe(false);
});
