import { expect, test } from 'vitest';
import { KubeError } from '../../../operator/kube/client.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { degradedReasonsOf } from '../../../operator/reconcile/degraded-reasons.ts';
import { RefusalReader } from '../../../operator/reconcile/refusals.ts';
import { cluster, pod, workload } from './fixture.ts';

const SECOND = 1000;
const QUOTA =
  'pods "phone-cache-1" is forbidden: exceeded quota: small, requested: pods=1, used: pods=5, limited: pods=5';
/** The wall clock, when the monotonic one is at 0. */
const START = Date.parse('2026-12-01T12:00:00Z');

/** As the StatefulSet controller's come to those who ask for events.k8s.io. */
const refusal = (seconds: number, words = QUOTA, uid = 'cache'): KubeObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name: `phone-cache.${seconds}` },
  regarding: { kind: 'StatefulSet', uid },
  reason: 'FailedCreate',
  note: `Create Pod phone-cache-1 in StatefulSet phone-cache failed error: ${words}`,
  eventTime: null,
  deprecatedLastTimestamp: new Date(START + seconds * SECOND).toISOString().replace('.000', ''),
});

const set = { ...workload('cache', 2), metadata: { ...workload('cache', 2).metadata, uid: 'cache' } };
const full = cluster({ workloads: [set] });
const lacking = cluster({ workloads: [set], without: ['phone-cache-1'] });

/** The reconciles of one sale; `events` is what the API server has, or how it refuses to say. */
function operator() {
  const reader = new RefusalReader();
  const world = {
    events: [] as KubeObject[] | KubeError,
    lists: 0,
    warnings: 0,
    /** What the cache nodes are refused for. */
    async reconcile(seconds: number, observed = lacking): Promise<string | undefined> {
      const now = () => seconds * SECOND;
      const list = async () => {
        world.lists++;
        if (world.events instanceof Error) throw world.events;
        return { items: world.events, resourceVersion: '1' };
      };
      const log = { warn: () => void world.warnings++ };
      const found = await reader.read(observed, 'shop', { client: { list }, log, now, wall: () => START + now() });
      return found.workloads.cache?.refused;
    },
  };
  return world;
}

test('a sale that has its pods reads nothing, however often it is looked at', async () => {
  const world = operator();
  for (let seconds = 0; seconds < 600; seconds++) await world.reconcile(seconds, full);
  expect(world.lists).toBe(0);
});

test('nor does one whose pods come at once, or are replaced', async () => {
  const world = operator();
  const leaving = pod('cache', 1, { ready: false });
  leaving.metadata.deletionTimestamp = '2026-12-01T12:00:10Z';
  await world.reconcile(0);
  await world.reconcile(4);
  await world.reconcile(5, full);
  for (let seconds = 10; seconds < 40; seconds++)
    await world.reconcile(seconds, cluster({ workloads: [set], pods: [leaving] }));
  await world.reconcile(40);
  await world.reconcile(44);
  await world.reconcile(45, full);
  expect(world.lists).toBe(0);
});

test('a refusal is told after five seconds, as a degraded reason in the words of who refuses', async () => {
  const world = operator();
  world.events = [refusal(1)];
  expect(await world.reconcile(0)).toBeUndefined();
  expect(await world.reconcile(5)).toBe(QUOTA);
  expect(
    degradedReasonsOf({ ...lacking, workloads: { cache: { wanted: 2, rolling: false, refused: QUOTA } } }),
  ).toEqual([{ reason: 'QuotaExceeded', message: `cache node: ${QUOTA}`, blocks: false }]);
});

test('while it lasts, Events are read every ten seconds at most', async () => {
  const world = operator();
  world.events = [refusal(1)];
  for (let seconds = 0; seconds <= 60; seconds += 0.5) await world.reconcile(seconds);
  expect(world.lists).toBe(6);
});

test('the newest of several counts, whatever their order', async () => {
  const world = operator();
  world.events = [refusal(1, 'first'), refusal(3, 'last'), refusal(2, 'second')];
  await world.reconcile(0);
  expect(await world.reconcile(5)).toBe('last');
});

test.each<[string, KubeObject, string]>([
  ['of many like ones', { ...refusal(1), note: `(combined from similar events): ${refusal(1).note}` }, QUOTA],
  [
    'about a claim',
    {
      ...refusal(1),
      note: 'Create Claim data-phone-cache-1 for Pod phone-cache-1 in StatefulSet phone-cache failed error: no room',
    },
    'no room',
  ],
  ['in words of a later controller', { ...refusal(1), note: 'Pod was refused' }, 'Pod was refused'],
  [
    'written by a later controller, with a series',
    {
      ...refusal(1),
      deprecatedLastTimestamp: null,
      series: { count: 2, lastObservedTime: '2026-12-01T12:00:02.000000Z' },
    },
    QUOTA,
  ],
])('an Event %s is understood', async (_, event, words) => {
  const world = operator();
  world.events = [event];
  await world.reconcile(0);
  expect(await world.reconcile(5)).toBe(words);
});

test('an operator that has just come sees what was refused before it came', async () => {
  const world = operator();
  world.events = [refusal(-900)];
  await world.reconcile(0);
  expect(await world.reconcile(5)).toBe(QUOTA);
});

test('a set that has its pods is accused no more, nor by an old Event when it lacks one again', async () => {
  const world = operator();
  world.events = [refusal(1)];
  await world.reconcile(0);
  expect(await world.reconcile(5)).toBe(QUOTA);
  expect(await world.reconcile(6, full)).toBeUndefined();
  await world.reconcile(20);
  expect(await world.reconcile(25)).toBeUndefined();
  world.events = [refusal(1), refusal(30, 'again')];
  expect(await world.reconcile(35)).toBe('again');
});

test('an Event of another set, of a namesake from before too, accuses nobody', async () => {
  const world = operator();
  world.events = [refusal(1, QUOTA, 'former'), refusal(1, QUOTA, '')];
  await world.reconcile(0);
  expect(await world.reconcile(5)).toBeUndefined();
  expect(world.lists).toBe(1);
});

test('a set that has its pods is not accused while another lacks some, though the controller’s clock be ahead', async () => {
  const world = operator();
  world.events = [refusal(600)];
  const poolless = cluster({ workloads: [set], without: ['phone-pool-0'] });
  await world.reconcile(0, poolless);
  expect(await world.reconcile(5, poolless)).toBeUndefined();
  expect(world.lists).toBe(1);
});

test('who may not list Events is told so once, and the reconcile goes on with what was known', async () => {
  const world = operator();
  world.events = [refusal(1)];
  await world.reconcile(0);
  await world.reconcile(5);
  world.events = new KubeError('events is forbidden', 403, 'Forbidden');
  for (let seconds = 10; seconds < 60; seconds += 10) expect(await world.reconcile(seconds + 5)).toBe(QUOTA);
  expect(world.warnings).toBe(1);
});
