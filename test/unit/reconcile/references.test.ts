import { expect, test } from 'vitest';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { validate } from '../../../operator/api/validate.ts';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { ReferenceReader } from '../../../operator/reconcile/references.ts';
import { buildTopology } from '../../../operator/topology/topology.ts';
import { inputFor, saleOf } from '../../harness/manifests.ts';

function sale(auth: object): FlashSale {
  const checked = validate({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'phone' },
    spec: { sku: 'A', stock: 1, cache: { nodes: 1 }, shards: { count: 1 }, auth },
  });
  if (!checked.ok) throw new Error(JSON.stringify(checked.findings));
  return checked.sale;
}

const USABLE = { 'flashsale.dev/usable': 'true' };
const read = (auth: object, secret: Record<string, string>, labels: Record<string, string> = USABLE) => {
  const data = Object.fromEntries(
    Object.entries(secret).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  );
  const client = { get: async () => ({ metadata: { labels }, data }) } as unknown as KubeClient;
  return new ReferenceReader().read(client, buildTopology(sale(auth)), 0);
};
const jwt = { jwt: { secretRef: { name: 'shop-jwt' } } };
const proxy = { trustedHeader: { name: 'X-Buyer-Id', proxySecretRef: { name: 'proxy' } } };

test('a secret that proves who a buyer is has 32 bytes at least, or it is no secret', async () => {
  const weak = await read(jwt, { secret: 'x'.repeat(31) });
  expect(weak.invalid).toEqual([
    'key secret of Secret shop-jwt has 31 bytes and must have at least 32; make one with: openssl rand -hex 32',
  ]);
  expect([...weak.given]).toEqual([]);
  const strong = await read(jwt, { secret: `${'x'.repeat(32)}\n` });
  expect(strong.invalid).toEqual([]);
  expect([...strong.given]).toEqual([['jwt-secret', 'x'.repeat(32)]]);
});

test('a proxy’s secret can be the value of a header', async () => {
  expect((await read(proxy, { secret: `${'x'.repeat(32)} y` })).invalid).toEqual([
    expect.stringContaining('key secret of Secret proxy must be visible ASCII characters'),
  ]);
  expect([...(await read(proxy, { secret: 'x'.repeat(32) })).given.keys()]).toEqual(['proxy-secret']);
});

test.each<[string, Record<string, string>]>([
  ['no label', {}],
  ['another value', { 'flashsale.dev/usable': 'yes' }],
])('a Secret with %s is not used, and is told like one that is not there', async (_, labels) => {
  const found = await read(jwt, { secret: 'x'.repeat(32) }, labels);
  expect([...found.given]).toEqual([]);
  const absent = { get: async () => undefined } as unknown as KubeClient;
  expect(found.missing).toEqual((await new ReferenceReader().read(absent, buildTopology(sale(jwt)), 0)).missing);
  expect(found.missing).toEqual(['there is no Secret shop-jwt with the label flashsale.dev/usable: "true" in default']);
});

test('no message names a key of a Secret that the sale does not name itself', async () => {
  const { missing } = await read(jwt, { password: 'x'.repeat(32) });
  expect(missing).toEqual(['Secret shop-jwt has no key secret']);
});

test('a ConfigMap that is not labelled is not read by any pod', async () => {
  const { topology } = inputFor(saleOf({ qualification: { denyList: { configMapRefs: [{ name: 'payroll' }] } } }));
  const unlabelled = { get: async () => ({ metadata: {}, data: { ids: 'ann' } }) } as unknown as KubeClient;
  const found = await new ReferenceReader().read(unlabelled, topology, 0);
  expect(found.unusable).toEqual(['payroll']);
  expect(found.missing).toHaveLength(1);
});
