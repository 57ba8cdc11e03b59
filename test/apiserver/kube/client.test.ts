// The client on a real API server: what it reads and writes, how it waits when it is told to, and what it says when
// something is wrong.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { connectKube, type KubeClient, KubeError } from '../../../operator/kube/client.ts';
import { kubeMetrics } from '../../../operator/kube/metrics.ts';
import { FIELD_MANAGER, type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import type { WatchEvent } from '../../../operator/kube/watch-lines.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { type HttpProxy, startHttpProxy } from '../../harness/http-proxy.ts';
import { freePort } from '../../harness/ports.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';
import { until } from '../../harness/until.ts';

let server: ApiServer;
let proxy: HttpProxy;
let client: KubeClient;
/** By way of the proxy. */
let watched: KubeClient;
let namespace: string;

beforeAll(async () => {
  server = await sharedApiServer();
  proxy = await startHttpProxy(server.url);
  client = server.connect();
  watched = server.connect({ url: proxy.url });
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  namespace = await server.namespace();
  proxy.interfere = () => undefined;
  proxy.asked.length = 0;
});

const { ConfigMap, Pod } = RESOURCES;
const map = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels },
  data,
});
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('it worked'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(KubeError);
      return error as KubeError;
    },
  );

describe('reading and writing', () => {
  test('what was made is got, listed by its labels, changed, and deleted', async () => {
    await client.create(map('a', { x: '1' }, { team: 'red' }));
    await client.create(map('b', { x: '1' }, { team: 'blue' }));
    expect(await client.get(ConfigMap, namespace, 'a')).toMatchObject({ kind: 'ConfigMap', data: { x: '1' } });
    const { items } = await client.list(ConfigMap, { namespace, labelSelector: 'team=red' });
    expect(items).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }]);
    expect(await client.patch(ConfigMap, namespace, 'a', { data: { x: null, y: '2' } })).toMatchObject({
      data: { y: '2' },
    });
    await client.delete(ConfigMap, namespace, 'a');
    expect(await client.get(ConfigMap, namespace, 'a')).toBeUndefined();
    await client.delete(ConfigMap, namespace, 'a');
  });

  test('a list has everything, however many pages it takes', async () => {
    const eager = server.connect({ qps: 1000 });
    const names = Array.from({ length: 1100 }, (_, i) => `many-${String(i).padStart(4, '0')}`);
    for (let i = 0; i < names.length; i += 100)
      await Promise.all(names.slice(i, i + 100).map((name) => eager.create(map(name))));
    const { items } = await watched.list(ConfigMap, { namespace });
    expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(names);
    expect(proxy.asked.length).toBe(3);
  });

  test('what changed meanwhile is not overwritten', async () => {
    const read = await client.create(map('a'));
    await client.patch(ConfigMap, namespace, 'a', { data: { x: '1' } });
    expect(await errorOf(client.replace({ ...read, data: { x: '2' } }))).toMatchObject({ status: 409, conflicts: [] });
    const stale = { metadata: { resourceVersion: read.metadata.resourceVersion }, data: { x: '2' } };
    expect(await errorOf(client.patch(ConfigMap, namespace, 'a', stale))).toMatchObject({ status: 409 });
  });

  test('a namesake that came later is not deleted', async () => {
    await client.create(map('a'));
    expect(await errorOf(client.delete(ConfigMap, namespace, 'a', { uid: 'another' }))).toMatchObject({ status: 409 });
    const { metadata } = (await client.get(ConfigMap, namespace, 'a')) as KubeObject;
    await client.delete(ConfigMap, namespace, 'a', { uid: metadata.uid ?? '' });
    expect(await client.get(ConfigMap, namespace, 'a')).toBeUndefined();
  });
});

describe('server-side apply', () => {
  const dataOf = async (name: string) => (await client.get(ConfigMap, namespace, name))?.data;

  test("creates, changes, drops what is not wanted any more, and leaves others' fields", async () => {
    await client.apply(map('a', { mine: '1', also: '1' }));
    await client.patch(ConfigMap, namespace, 'a', { metadata: { labels: { others: 'x' } } });
    await server.kubectl(['-n', namespace, 'patch', 'configmap', 'a', '-p', '{"data":{"theirs":"1"}}']);
    const made = await client.apply(map('a', { mine: '2' }));
    expect(made.data).toEqual({ mine: '2', theirs: '1' });
    expect(made.metadata.labels).toEqual({ others: 'x' });
  });

  test('done twice is done once', async () => {
    const once = await client.apply(map('a', { x: '1' }));
    expect((await client.apply(map('a', { x: '1' }))).metadata.resourceVersion).toBe(once.metadata.resourceVersion);
  });

  test('tells who is in the way, and of which field; by force it goes through', async () => {
    await client.apply(map('a', { x: '1', y: '1' }));
    await server.kubectl(['-n', namespace, 'patch', 'configmap', 'a', '-p', '{"data":{"x":"by hand"}}']);
    const error = await errorOf(client.apply(map('a', { x: '1', y: '1' })));
    expect(error).toMatchObject({ status: 409, conflicts: [{ manager: 'kubectl-patch', field: '.data.x' }] });
    expect(error.message).toContain('conflict with "kubectl-patch"');
    expect(await dataOf('a')).toMatchObject({ x: 'by hand' });
    await client.apply(map('a', { x: '1', y: '1' }), { force: true });
    expect(await dataOf('a')).toMatchObject({ x: '1' });
  });

  test('tried out only, changes nothing', async () => {
    expect(await client.apply(map('a', { x: '1' }), { dryRun: true })).toMatchObject({ data: { x: '1' } });
    expect(await client.get(ConfigMap, namespace, 'a')).toBeUndefined();
  });

  test('of a status leaves the spec alone', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace } };
    await client.apply({ ...pod, spec: { containers: [{ name: 'c', image: 'x' }] } });
    await client.applyStatus({ ...pod, status: { message: 'hello' } });
    expect(await client.get(Pod, namespace, 'p')).toMatchObject({
      spec: { containers: [{ name: 'c', image: 'x' }] },
      status: { message: 'hello' },
    });
  });

  test('is in our name', async () => {
    const { metadata } = await client.apply(map('a', { x: '1' }));
    const managers = (metadata as { managedFields?: { manager: string; operation: string }[] }).managedFields;
    expect(managers?.map(({ manager, operation }) => [manager, operation])).toEqual([[FIELD_MANAGER, 'Apply']]);
  });
});

describe('a busy server', () => {
  /** Once for each status: sent away. */
  const sendAway = (...statuses: { status: number; headers?: Record<string, string> }[]) => {
    proxy.interfere = () => statuses.shift();
  };

  test('is asked again when it says so', async () => {
    sendAway({ status: 429, headers: { 'retry-after': '1' } }, { status: 503, headers: { 'retry-after': '1' } });
    const begun = performance.now();
    await watched.apply(map('a'));
    expect(performance.now() - begun).toBeGreaterThanOrEqual(1900);
    expect(proxy.asked.map(({ method }) => method)).toEqual(['PATCH', 'PATCH', 'PATCH']);
    expect(await client.get(ConfigMap, namespace, 'a')).toBeDefined();
  });

  test('that sends us away for long, or again and again, is left to the caller, with its word for how long', async () => {
    sendAway({ status: 429, headers: { 'retry-after': '60' } });
    expect(await errorOf(watched.get(ConfigMap, namespace, 'a'))).toMatchObject({ status: 429, retryAfter: 60_000 });
    proxy.asked.length = 0;
    proxy.interfere = () => ({ status: 429, headers: { 'retry-after': '0' } });
    expect(await errorOf(watched.get(ConfigMap, namespace, 'a'))).toMatchObject({ status: 429 });
    expect(proxy.asked.length).toBe(5);
  });

  test('that is slow is waited for up to a time, and others are not held up', async () => {
    const hasty = server.connect({ url: proxy.url, timeout: 700 });
    proxy.interfere = ({ path }) =>
      path.endsWith('/slow') ? { delay: 200 } : path.endsWith('/stuck') ? { delay: 3000 } : undefined;
    await client.create(map('slow'));
    const stuck = errorOf(hasty.get(ConfigMap, namespace, 'stuck'));
    expect(await hasty.get(ConfigMap, namespace, 'slow')).toBeDefined();
    expect(await stuck).toMatchObject({ status: 0, reason: 'Timeout' });
    expect((await stuck).message).toContain('no answer within 700 ms');
  });

  test('is not asked faster than our rate', async () => {
    const calm = server.connect({ url: proxy.url, qps: 20, burst: 2 });
    const begun = performance.now();
    await Promise.all(Array.from({ length: 12 }, () => calm.get(ConfigMap, namespace, 'a')));
    expect(performance.now() - begun).toBeGreaterThanOrEqual(490);
  });
});

describe('a connection that is cut', () => {
  const cutOnce = (cut: 'before' | 'after') => {
    const cuts = [cut];
    proxy.interfere = () => {
      const next = cuts.shift();
      return next ? { cut: next } : undefined;
    };
  };

  test('does no harm to what may be done twice', async () => {
    cutOnce('after');
    await watched.apply(map('a', { x: '1' }));
    cutOnce('before');
    expect(await watched.get(ConfigMap, namespace, 'a')).toMatchObject({ data: { x: '1' } });
  });

  test('leaves it open whether something was made: the caller is told that there was no answer', async () => {
    cutOnce('after');
    expect(await errorOf(watched.create(map('a')))).toMatchObject({ status: 0, reason: 'Disconnected' });
    expect(proxy.asked.length).toBe(1);
    expect(await client.get(ConfigMap, namespace, 'a')).toBeDefined();
  });
});

describe('a watch', () => {
  const take = async (events: AsyncIterable<WatchEvent>, until: (event: WatchEvent) => boolean) => {
    const taken: WatchEvent[] = [];
    for await (const event of events) {
      taken.push(event);
      if (until(event)) break;
    }
    return taken;
  };
  const nameOf = (event: WatchEvent) => (event.type === 'BOOKMARK' ? '-' : event.object.metadata.name);
  const never = new AbortController().signal;

  test('tells each change after where it began, in order', async () => {
    await client.create(map('before'));
    const { resourceVersion } = await client.list(ConfigMap, { namespace });
    // Long enough to come in several pieces, which end within a character.
    const long = 'ü€😀'.repeat(40_000);
    await client.create(map('a'));
    await client.patch(ConfigMap, namespace, 'a', { data: { x: long } });
    await client.delete(ConfigMap, namespace, 'a');
    const events = client.watch(ConfigMap, { namespace, resourceVersion, signal: never });
    const taken = await take(events, ({ type }) => type === 'DELETED');
    expect(taken.map((event) => [event.type, nameOf(event)])).toEqual([
      ['ADDED', 'a'],
      ['MODIFIED', 'a'],
      ['DELETED', 'a'],
    ]);
    expect((taken[1] as { object: KubeObject }).object.data).toEqual({ x: long });
  });

  test('goes on by bookmarks where nothing happens to what it watches', async () => {
    const { resourceVersion } = await client.list(ConfigMap, { namespace, labelSelector: 'team=red' });
    const options = { namespace, labelSelector: 'team=red', resourceVersion, signal: never, length: 5000 };
    let other: KubeObject | undefined;
    // The server sends one towards the end of most watches during which something happened, and else every minute.
    const bookmark = await until('a bookmark', async () => {
      const first = take(client.watch(ConfigMap, options), () => true);
      await new Promise((resolve) => setTimeout(resolve, 500));
      other = await client.create({ ...map(''), metadata: { name: `other-${Date.now()}`, namespace } });
      return (await first)[0];
    });
    expect(bookmark.type).toBe('BOOKMARK');
    expect(Number(bookmark.resourceVersion)).toBeGreaterThanOrEqual(Number(other?.metadata.resourceVersion));
  });

  test('from a version that is forgotten is refused as gone', async () => {
    const { metadata } = await client.create(map('a'));
    await client.create(map('b'));
    // Nobody remembers: neither the API server's memory nor etcd.
    await server.compact();
    await server.restart();
    const resourceVersion = metadata.resourceVersion ?? '';
    const events = client.watch(ConfigMap, { namespace, resourceVersion, signal: never });
    expect(await errorOf(take(events, () => true))).toMatchObject({ status: 410 });
  });

  test('that is not wanted any more ends without a word', async () => {
    const { resourceVersion } = await client.list(ConfigMap, { namespace });
    const stop = new AbortController();
    const events = take(client.watch(ConfigMap, { namespace, resourceVersion, signal: stop.signal }), () => false);
    setTimeout(() => stop.abort(), 100);
    expect(await events).toEqual([]);
  });

  test('that cannot be had is refused in words', async () => {
    const events = client.watch({ ...ConfigMap, plural: 'nothings' }, { resourceVersion: '1', signal: never });
    expect(await errorOf(take(events, () => true))).toMatchObject({ status: 404 });
  });
});

describe('what is wrong is said', () => {
  test('when nobody is there', async () => {
    const lonely = connectKube(server.config(`https://127.0.0.1:${await freePort()}`));
    const error = await errorOf(lonely.get(ConfigMap, namespace, 'a'));
    expect(error).toMatchObject({ status: 0, reason: 'Unreachable' });
    expect(error.message).toContain('cannot be reached (ECONNREFUSED)');
    await lonely.close();
  });

  test('when the server is another one than was meant', async () => {
    const config = server.config();
    const [cluster] = config.clusters;
    const { caData: _, ...stranger } = cluster ?? { name: '', server: '', skipTLSVerify: false };
    config.clusters = [stranger as (typeof config.clusters)[number]];
    const wary = connectKube(config);
    expect((await errorOf(wary.get(ConfigMap, namespace, 'a'))).message).toMatch(/certificate/);
    await wary.close();
  });

  test('when we are not known, or there is nothing to go by', async () => {
    const config = server.config();
    config.users = [{ name: 'admin', token: 'wrong' }];
    const stranger = connectKube(config);
    expect(await errorOf(stranger.get(ConfigMap, namespace, 'a'))).toMatchObject({ status: 401 });
    await stranger.close();
    config.contexts = [];
    const lost = connectKube(config);
    expect((await errorOf(lost.get(ConfigMap, namespace, 'a'))).message).toContain('no current context');
    await lost.close();
  });

  test('when an object is wrong: where, and never with what it holds', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a', namespace },
      data: { 'not a key': 'c2VjcmV0' },
    };
    const error = await errorOf(client.apply(secret));
    expect(error).toMatchObject({ status: 422, reason: 'Invalid' });
    expect(error.message).not.toContain('c2VjcmV0');
  });

  test('when the client was closed', async () => {
    const closed = server.connect();
    await closed.get(ConfigMap, namespace, 'a');
    await closed.close();
    expect(await errorOf(closed.get(ConfigMap, namespace, 'a'))).toMatchObject({ status: 0 });
  });
});

describe('credentials', () => {
  const works = (config: KubeConfig) => {
    const client = connectKube(config);
    return client.list(ConfigMap, { namespace }).finally(() => client.close());
  };
  const token = () => server.config().users[0]?.token ?? '';
  const authority = () => Buffer.from(server.config().clusters[0]?.caData ?? '', 'base64');

  test('that are exchanged while we run are taken into use', async () => {
    const config = server.config();
    const client = connectKube(config);
    await client.list(ConfigMap, { namespace });
    const right = [config.users, config.clusters] as const;
    config.users = [{ name: 'admin', token: 'wrong' }];
    expect(await errorOf(client.list(ConfigMap, { namespace }))).toMatchObject({ status: 401 });
    config.users = right[0];
    config.clusters = [{ name: 'test', server: server.url, skipTLSVerify: false }];
    expect((await errorOf(client.list(ConfigMap, { namespace }))).message).toMatch(/certificate/);
    config.clusters = right[1];
    await client.list(ConfigMap, { namespace });
    await client.close();
  });

  test('may come from a program that the kubeconfig names', async () => {
    const config = server.config();
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: token() },
    };
    const exec = { apiVersion: credential.apiVersion, command: 'echo', args: [JSON.stringify(credential)] };
    config.users = [{ name: 'admin', exec }];
    await works(config);
  });

  test('in a pod are those of its service account', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'flashsale-account-'));
    const account = join(folder, 'var', 'run', 'secrets', 'kubernetes.io', 'serviceaccount');
    mkdirSync(account, { recursive: true });
    writeFileSync(join(account, 'token'), token());
    writeFileSync(join(account, 'ca.crt'), authority());
    vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1');
    vi.stubEnv('KUBERNETES_SERVICE_PORT', String(server.port));
    const config = new KubeConfig();
    config.loadFromCluster(folder);
    await works(config);
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
});

test('requests are counted, by answer', async () => {
  const registry = new Registry();
  const counted = server.connect({ metrics: kubeMetrics([registry]), qps: 10, burst: 1 });
  // At once, so that the second waits for all of the rate's tenth of a second.
  await Promise.all([counted.get(ConfigMap, namespace, 'nobody'), counted.create(map('a'))]);
  const metrics = await registry.metrics();
  expect(metrics).toContain('flashsale_kube_requests_total{method="GET",code="404"} 1');
  expect(metrics).toContain('flashsale_kube_requests_total{method="POST",code="201"} 1');
  expect(metrics).toMatch(/flashsale_kube_throttled_seconds_total 0\.\d+/);
  expect(metrics).toContain('flashsale_kube_request_seconds_count{method="GET"} 1');
});
