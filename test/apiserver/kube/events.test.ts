// Events on a real API server: people see a sentence once, with how often it was said, and nothing that goes wrong with
// them reaches whoever reports.

import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { type Recorder, recorder } from '../../../operator/kube/events.ts';
import { type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { type HttpProxy, startHttpProxy } from '../../harness/http-proxy.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';
import { until } from '../../harness/until.ts';

let server: ApiServer;
let proxy: HttpProxy;
let client: KubeClient;
let namespace: string;
let about: KubeObject;

beforeAll(async () => {
  server = await sharedApiServer();
  proxy = await startHttpProxy(server.url);
  client = server.connect();
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  namespace = await server.namespace();
  proxy.interfere = () => undefined;
  about = await client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace } });
});

const record = (summary = 60_000): Recorder =>
  recorder(server.connect({ url: proxy.url }), {
    component: 'flashsale.dev/operator',
    instance: 'operator-1',
    log: pino({ level: 'silent' }),
    timing: { summary },
  });
const events = async () => (await client.list(RESOURCES.Event, { namespace })).items;

test('equal events are one with a count, others are their own', async () => {
  const { event, flush } = record();
  for (let i = 0; i < 5; i++) event(about, 'Warning', 'KafkaUnreachable', 'Connect', 'kafka-0:9092 does not answer');
  event(about, 'Normal', 'Updated', 'Update', 'Updated StatefulSet a-cache');
  await flush();
  const all = await events();
  expect(all).toHaveLength(2);
  expect(all.find(({ type }) => type === 'Normal')).toMatchObject({ reason: 'Updated' });
  expect(all.find(({ type }) => type === 'Warning')).toMatchObject({
    reason: 'KafkaUnreachable',
    action: 'Connect',
    note: 'kafka-0:9092 does not answer',
    regarding: { kind: 'ConfigMap', name: 'a', uid: about.metadata.uid },
    reportingController: 'flashsale.dev/operator',
    reportingInstance: 'operator-1',
    series: { count: 5 },
  });
});

test('a count is written now and then, without being asked for', async () => {
  const { event } = record(200);
  for (let i = 0; i < 3; i++) event(about, 'Normal', 'Updated', 'Update', 'Updated StatefulSet a-cache');
  await until('the count', async () => {
    const [first] = await events();
    return (first?.series as { count?: number } | undefined)?.count === 3;
  });
});

test('kubectl describe shows the sentence', async () => {
  const { event, flush } = record();
  for (let i = 0; i < 2; i++)
    event(about, 'Normal', 'Updated', 'Update', 'Updated StatefulSet a-cache: spec.replicas was 2, wanted 3');
  await flush();
  const { out } = await server.kubectl(['-n', namespace, 'describe', 'configmap', 'a']);
  expect(out).toMatch(/Normal +Updated .*Updated StatefulSet a-cache: spec.replicas was 2, wanted 3/);
});

test('a series whose event is gone from the server begins a new one', async () => {
  const { event, flush } = record();
  const say = () => event(about, 'Normal', 'Updated', 'Update', 'Updated StatefulSet a-cache');
  say();
  await flush();
  say();
  await flush();
  const [first] = await events();
  await client.delete(RESOURCES.Event, namespace, first?.metadata.name ?? '');
  say();
  await flush();
  const [next, ...more] = await events();
  expect([next?.series, more]).toEqual([undefined, []]);
  say();
  await flush();
  expect(await events()).toMatchObject([{ metadata: { uid: next?.metadata.uid }, series: { count: 2 } }]);
});

test('what cannot be written is no trouble of who reports, and is counted later', async () => {
  const { event, flush } = record();
  const say = () => event(about, 'Normal', 'Updated', 'Update', 'Updated StatefulSet a-cache');
  proxy.interfere = () => ({ status: 500 });
  say();
  await flush();
  expect(await events()).toEqual([]);
  proxy.interfere = () => undefined;
  say();
  await flush();
  say();
  await flush();
  expect(await events()).toMatchObject([{ series: { count: 3 } }]);
});

test('about what belongs to no namespace is kept in the default one', async () => {
  const { event, flush } = record();
  const space = (await client.get(RESOURCES.Namespace, '', namespace)) as KubeObject;
  event(space, 'Normal', 'Seen', 'Look', 'Saw it');
  await flush();
  const { items } = await client.list(RESOURCES.Event, { namespace: 'default' });
  expect(items).toMatchObject([{ regarding: { kind: 'Namespace', name: namespace } }]);
});
