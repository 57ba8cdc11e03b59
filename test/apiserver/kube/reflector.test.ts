// The reflector on a real API server: it misses nothing, deletions neither, when the server dies, the network falls
// silent or the server forgets; and it says each change once.

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { kubeMetrics } from '../../../operator/kube/metrics.ts';
import { type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import { type Reflector, type ReflectorOptions, startReflector } from '../../../operator/kube/reflector.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { type HttpProxy, startHttpProxy } from '../../harness/http-proxy.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { until } from '../../harness/until.ts';

let server: ApiServer;
let network: TcpProxy;
let proxy: HttpProxy;
/** Always there. */
let direct: KubeClient;
let namespace: string;
let reflector: Reflector | undefined;
/** What was said, as `added a`. */
let said: string[];

beforeAll(async () => {
  server = await sharedApiServer();
  network = await startTcpProxy(server.port);
  proxy = await startHttpProxy(server.url);
  direct = server.connect();
});
afterAll(async () => {
  await network?.stop();
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  namespace = await server.namespace();
  network.pass();
  proxy.asked.length = 0;
  proxy.interfere = () => undefined;
  said = [];
});
afterEach(async () => {
  await reflector?.stop();
  reflector = undefined;
});

const { ConfigMap } = RESOURCES;
const map = (name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { team: 'red' } },
  data,
});
const make = (name: string) => direct.create(map(name));
const change = (name: string, x: string) => direct.patch(ConfigMap, namespace, name, { data: { x } });
const remove = (name: string) => direct.delete(ConfigMap, namespace, name);

const reflect = async (url: string, options: Partial<ReflectorOptions> = {}): Promise<Reflector> => {
  reflector = startReflector({
    client: server.connect({ url, timeout: 3000 }),
    resource: ConfigMap,
    namespace,
    labelSelector: 'team=red',
    log: pino({ level: 'silent' }),
    changed: ({ metadata }, what) => said.push(`${what} ${metadata.name}`),
    timing: { first: 50, longest: 500 },
    ...options,
  });
  await reflector.synced;
  return reflector;
};
const throughNetwork = () => `https://127.0.0.1:${network.port}`;
const names = (copy: Reflector) => copy.list().map(({ metadata }) => metadata.name);
/** The copy is what the server has, to the version. */
const isCurrent = async (copy: Reflector) => {
  const versions = (objects: KubeObject[]) =>
    objects
      .map(({ metadata }) => `${metadata.name} ${metadata.resourceVersion}`)
      .sort()
      .join();
  const { items } = await direct.list(ConfigMap, { namespace, labelSelector: 'team=red' });
  return versions(copy.list()) === versions(items);
};

test('it begins with what is there, and says each change once, in order', async () => {
  await make('a');
  const copy = await reflect(server.url);
  await make('b');
  await change('a', '1');
  await remove('b');
  await until('all of it', () => said.length >= 4);
  expect(said).toEqual(['added a', 'added b', 'modified a', 'deleted b']);
  expect(copy.get(namespace, 'a')).toMatchObject({ data: { x: '1' } });
  expect(copy.get(namespace, 'b')).toBeUndefined();
});

test('an API server that is killed and comes back loses it nothing', async () => {
  for (const name of ['same', 'changed', 'removed', 'replaced']) await make(name);
  const copy = await reflect(throughNetwork());
  await server.kill9();
  network.refuse();
  await server.restart();
  // While it is still cut off, as when it is the slower one to come back.
  await change('changed', '1');
  await remove('removed');
  await remove('replaced');
  await make('replaced');
  await make('new');
  said.length = 0;
  network.pass();
  await until('it to have caught up', () => isCurrent(copy));
  expect(said.sort()).toEqual([
    'added new',
    'added replaced',
    'deleted removed',
    'deleted replaced',
    'modified changed',
  ]);
  await make('later');
  await until('the watch to go on', () => said.includes('added later'));
});

test('an API server that dies again and again in the middle of changes loses it nothing', async () => {
  const copy = await reflect(server.url);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 20; i++) await make(`r${round}-${i}`);
    for (let i = 0; i < 20; i += 2) await remove(`r${round}-${i}`);
    await server.kill9();
    await server.restart();
  }
  await until('it to have caught up', () => isCurrent(copy));
  expect(names(copy)).toHaveLength(20);
  expect(new Set(said).size).toBe(said.length);
});

test('a watch that falls silent without an end is noticed, and begun anew', async () => {
  const copy = await reflect(throughNetwork(), { timing: { first: 50, longest: 500, idle: 1500 } });
  await make('a');
  await until('the watch to work', () => said.includes('added a'));
  network.stall();
  await change('a', '1');
  await remove('a');
  await make('b');
  // New connections work; the old one stays as dead as it is.
  const before = network.connections;
  await until('it to try again', () => network.connections > before);
  network.pass();
  await until('it to have caught up', () => isCurrent(copy));
  expect(names(copy)).toEqual(['b']);
});

test('a version that the server has forgotten makes it list again', async () => {
  for (const name of ['kept', 'removed']) await make(name);
  const registry = new Registry();
  const copy = await reflect(throughNetwork(), { metrics: kubeMetrics([registry]) });
  network.refuse();
  await remove('removed');
  await change('kept', '1');
  await server.compact();
  await server.restart();
  network.pass();
  await until('it to have caught up', () => isCurrent(copy));
  expect(names(copy)).toEqual(['kept']);
  const metrics = await registry.metrics();
  expect(metrics).toContain('flashsale_kube_watch_restarts_total{kind="ConfigMap",why="gone"} 1');
  expect(metrics).toContain('flashsale_kube_relists_total{kind="ConfigMap"} 2');
  expect(metrics).toContain('flashsale_kube_objects{kind="ConfigMap"} 1');
  expect(metrics).toMatch(/flashsale_kube_last_event_age_seconds\{kind="ConfigMap"\} [\d.e-]+/);
});

test('bookmarks carry it on where nothing happens, so that a later watch begins there', async () => {
  await reflect(proxy.url, { timing: { first: 50, longest: 500, watch: 3000 } });
  const watches = () => proxy.asked.filter(({ query }) => query.has('watch'));
  const begins = () => watches().map(({ query }) => Number(query.get('resourceVersion')));
  const [first] = await until('the first watch', () => (begins().length > 0 ? begins() : undefined));
  await until('a later watch from a later version', async () => {
    await direct.create({ ...map(''), metadata: { name: `other-${Date.now()}`, namespace } });
    await new Promise((resolve) => setTimeout(resolve, 300));
    return begins().some((version) => version > Number(first));
  });
  expect(said).toEqual([]);
  expect(proxy.asked.length - watches().length).toBe(1);
  expect(watches().every(({ query }) => query.get('allowWatchBookmarks') === 'true')).toBe(true);
});

test('a watch that ends as watches do is followed by the next, without a list', async () => {
  await reflect(proxy.url, { timing: { first: 50, longest: 500, watch: 1000 } });
  const watches = () => proxy.asked.filter(({ query }) => query.has('watch'));
  await until('several', () => watches().length > 3);
  await make('a');
  await until('the change', () => said.includes('added a'));
  expect(proxy.asked.length - watches().length).toBe(1);
});

test('a complete list comes now and then, and is no news', async () => {
  await make('a');
  await reflect(proxy.url, { timing: { first: 50, longest: 500, relist: 1000 } });
  const lists = () => proxy.asked.filter(({ query }) => !query.has('watch'));
  await until('a few', () => lists().length >= 3);
  expect(said).toEqual(['added a']);
});

test('a busy, slow and failing server is borne', async () => {
  const troubles = [
    { status: 429, headers: { 'retry-after': '1' } },
    { status: 500 },
    { delay: 3500 },
    { cut: 'before' as const },
    { status: 503 },
  ];
  proxy.interfere = () => troubles.shift();
  const copy = await reflect(proxy.url);
  troubles.push({ status: 500 }, { status: 429 }, { delay: 3500 });
  await make('a');
  await until('it to have caught up', () => isCurrent(copy));
  expect(said).toEqual(['added a']);
});

test('stopped, it leaves no watch behind', async () => {
  const copy = await reflect(proxy.url);
  await until('the watch', () => proxy.asked.some(({ query }) => query.has('watch')));
  await copy.stop();
  await make('a');
  expect(said).toEqual([]);
});
