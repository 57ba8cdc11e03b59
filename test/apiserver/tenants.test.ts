// The operator on a real API server, in a namespace where others live too: it neither reads, changes, owns nor deletes what
// is theirs, and says whose name is in its way.

import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FlashSale } from '../../operator/api/flashsale.gen.ts';
import type { KubeClient } from '../../operator/kube/client.ts';
import { recorder } from '../../operator/kube/events.ts';
import { type Kind, type KubeObject, RESOURCES } from '../../operator/kube/objects.ts';
import { Controller } from '../../operator/reconcile/controller.ts';
import { type ApiServer, startApiServer } from '../harness/apiserver.ts';
import { options } from '../harness/manifests.ts';
import { until } from '../harness/until.ts';

let server: ApiServer;
let client: KubeClient;
let controller: Controller;
let namespace: string;

beforeAll(async () => {
  server = await startApiServer();
  const { err } = await server.kubectl([
    'apply',
    '--server-side',
    '-f',
    join(import.meta.dirname, '../../crds/flashsale.yaml'),
  ]);
  expect(err).toBe('');
  await until('the resource to be served', async () => (await server.kubectl(['get', 'fs', '-A'])).code === 0);
  client = server.connect();
  const log = pino({ level: 'silent' });
  controller = new Controller({
    ...{ client, log, events: recorder(client, { component: 'flashsale-operator', instance: 'test', log }) },
    // Nobody listens there: what is tried here needs neither Kafka nor pods.
    options: {
      ...options,
      kafka: { bootstrapServers: ['127.0.0.1:1'] },
      tenants: { plaintextKafka: [], limits: { sale: { shards: 4 }, namespace: {} } },
    },
    metrics: { reconciled: () => undefined, saleRegistry: () => undefined, forget: () => undefined } as never,
  });
});
afterAll(async () => {
  await controller?.stop();
  await server?.stop();
});
beforeEach(async () => {
  namespace = await server.namespace();
});

const spec = {
  ...{ sku: 'A', stock: 1, cache: { nodes: 1 }, shards: { count: 1 } },
  auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
};
const create = (kind: Kind, name: string, fields: Record<string, unknown>, labels: Record<string, string> = {}) =>
  client.create({ apiVersion: RESOURCES[kind].apiVersion, kind, metadata: { name, namespace, labels }, ...fields });
const get = (kind: Kind, name: string) => client.get(RESOURCES[kind], namespace, name);
const conditionOf = async (name: string, type: string) => {
  const sale = (await get('FlashSale', name)) as unknown as FlashSale | undefined;
  return sale?.status?.conditions?.find((condition) => condition.type === type);
};

test('a sale called shop takes over no ConfigMap shop-config, Secret shop-redis or shop-secrets, and says who is in its way', async () => {
  const theirs: KubeObject[] = [
    await create('ConfigMap', 'shop-config', { data: { theirs: 'x' } }),
    await create('Secret', 'shop-redis', { stringData: { theirs: 'x' } }),
    await create('Secret', 'shop-secrets', { stringData: { 'token-key': 'x' } }),
  ];
  await create('FlashSale', 'shop', { spec });
  await until('the condition', async () => (await conditionOf('shop', 'Ready'))?.reason === 'NameTaken');
  const ready = await conditionOf('shop', 'Ready');
  expect(ready?.message).toContain(`Secret ${namespace}/shop-secrets is there already: it is not of this sale`);
  const { message } = (await conditionOf('shop', 'Degraded')) ?? {};
  expect(message).toContain('shop-redis');
  expect(message).toContain('shop-config');
  for (const object of theirs) expect(await get(object.kind as Kind, object.metadata.name)).toEqual(object);
  expect(await get('StatefulSet', 'shop-shard')).toBeUndefined();

  // Where the names are free again, the sale is made.
  for (const { kind, metadata } of theirs) await client.delete(RESOURCES[kind as Kind], namespace, metadata.name);
  await until('its parts', async () => (await get('StatefulSet', 'shop-shard')) !== undefined);
  expect((await get('Secret', 'shop-redis'))?.metadata.ownerReferences?.[0]?.name).toBe('shop');
});

test('what only carries a sale’s labels is not deleted, whatever the sale removes', async () => {
  const labels = { 'app.kubernetes.io/managed-by': 'flashsale-operator', 'flashsale.dev/sale': 'phone' };
  const theirs = await create('ConfigMap', 'theirs', { data: { a: 'x' } }, labels);
  await create('FlashSale', 'phone', { spec: { ...spec, storefront: { autoscaling: { maxReplicas: 3 } } } });
  await until('an autoscaler', async () => (await get('HorizontalPodAutoscaler', 'phone-storefront')) !== undefined);
  await client.patch(RESOURCES.FlashSale, namespace, 'phone', { spec: { storefront: { autoscaling: null } } });
  await until('it to be removed', async () => (await get('HorizontalPodAutoscaler', 'phone-storefront')) === undefined);
  expect(await get('ConfigMap', 'theirs')).toEqual(theirs);
});

test('the passwords of a retained sale are taken over by the next one of its name, and by no other', async () => {
  await create('FlashSale', 'first', { spec });
  await until('its Secret', async () => (await get('Secret', 'first-secrets')) !== undefined);
  const { data, metadata } = (await get('Secret', 'first-secrets')) as KubeObject;
  const stray = { 'flashsale.dev/kept-for': metadata.annotations?.['flashsale.dev/kept-for'] ?? '' };
  await client.create({
    ...{ apiVersion: 'v1', kind: 'Secret', data },
    metadata: { name: 'second-secrets', namespace, annotations: stray },
  });
  await create('FlashSale', 'second', { spec });
  await until('the condition', async () => (await conditionOf('second', 'Ready'))?.reason === 'NameTaken');

  await client.create({
    ...{ apiVersion: 'v1', kind: 'Secret', data },
    metadata: {
      name: 'third-secrets',
      namespace,
      annotations: { 'flashsale.dev/kept-for': 'third/of-an-earlier-one' },
    },
  });
  await create('FlashSale', 'third', { spec });
  await until('its parts', async () => (await get('StatefulSet', 'third-shard')) !== undefined);
  expect((await get('Secret', 'third-secrets'))?.data).toEqual(data);
});

test('the content of a Secret that nobody labelled reaches no Kafka, no object, no status and no event', async () => {
  let connections = 0;
  const listener = createServer(() => connections++);
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
  const broker = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  await create('Secret', 'payroll', { stringData: { password: 'the-password-of-somebody-else' } });
  const kafka = {
    ...{ bootstrapServers: [broker], tls: { enabled: false } },
    sasl: { mechanism: 'PLAIN', username: 'u', secretRef: { name: 'payroll', key: 'password' } },
  };
  await create('FlashSale', 'thief', { spec: { ...spec, kafka } });
  await until('the condition', async () => (await conditionOf('thief', 'Degraded'))?.status === 'True');
  const { message } = (await conditionOf('thief', 'Degraded')) ?? {};
  expect(message).toContain(`would send a password in clear to ${broker}`);
  expect(message).toContain('here is no Secret payroll with the label flashsale.dev/usable: "true"');

  // Labelled, it could be used, and is still not sent in clear.
  await client.patch(RESOURCES.Secret, namespace, 'payroll', {
    metadata: { labels: { 'flashsale.dev/usable': 'true' } },
  });
  await until('it to be found', async () => !(await conditionOf('thief', 'Degraded'))?.message?.includes('payroll'));
  expect((await conditionOf('thief', 'Ready'))?.reason).toBe('NotAllowed');
  expect(await get('Secret', 'thief-secrets')).toBeUndefined();
  expect(connections).toBe(0);
  const { out } = await server.kubectl(['-n', namespace, 'get', 'fs,events,secrets', '-o', 'json']);
  const encoded = Buffer.from('the-password-of-somebody-else').toString('base64');
  expect(out.split(encoded)).toHaveLength(2);
  expect(out).not.toContain('the-password-of-somebody-else');
  listener.close();
});

test('a sale above a limit is refused, and nothing is made of it', async () => {
  await create('FlashSale', 'large', { spec: { ...spec, shards: { count: 5 } } });
  await until('the condition', async () => (await conditionOf('large', 'Ready'))?.reason === 'NotAllowed');
  expect((await conditionOf('large', 'Ready'))?.message).toMatch(/may have 4 of shards, and 5 would be needed/);
  expect(await get('StatefulSet', 'large-shard')).toBeUndefined();
});
