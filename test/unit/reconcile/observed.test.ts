import { describe, expect, test } from 'vitest';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { supplyGeneration } from '../../../operator/reconcile/adopt.ts';
import { degradedReasonsOf } from '../../../operator/reconcile/degraded-reasons.ts';
import { progressOf } from '../../../operator/reconcile/progress.ts';
import { withMissing } from '../../../operator/reconcile/secrets.ts';
import { cluster, pod, workload } from './fixture.ts';

describe('what the cluster shows', () => {
  test.each([
    ['a set whose revisions differ replaces its pods', workload('shard', 2, { updateRevision: 'b' }), true],
    ['a set that waits for a pod replaces nothing', workload('shard', 2, { readyReplicas: 1 }), false],
    ['a controller that has not seen the newest edit may', workload('shard', 2, { observedGeneration: 1 }), true],
    ['a Deployment with pods of the old template does', workload('storefront', 1, { updatedReplicas: 0 }), true],
    ['and one of which an old pod is left', workload('storefront', 1, { replicas: 2 }), true],
    ['and with none does not', workload('storefront', 1), false],
  ])('%s', (_, changed, rolling) => {
    const component = changed.metadata.labels?.['app.kubernetes.io/component'] as 'shard';
    expect(cluster({ workloads: [changed] }).workloads[component]?.rolling).toBe(rolling);
  });

  test.each([
    ['ContainerCreating only takes its time', { waiting: { reason: 'ContainerCreating' } }, undefined],
    ['an image that is not there', { waiting: { reason: 'ErrImageNeverPull' } }, 'ImageCannotStart'],
    [
      'a program that ends at once',
      { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      'ImageCannotStart',
    ],
    [
      'a volume that is not bound',
      { unscheduled: '0/1 nodes: pod has unbound immediate PersistentVolumeClaims' },
      'VolumePending',
    ],
    ['no machine with room', { unscheduled: '0/1 nodes are available: 1 Insufficient cpu' }, 'CachesNotReady'],
  ])('%s', (_, state, reason) => {
    const found = degradedReasonsOf(cluster({ pods: [pod('cache', 1, { ready: false, ...state })] }));
    expect(found.map((degradedReason) => degradedReason.reason)).toEqual(reason ? [reason] : []);
    // The other node serves.
    expect(found.every(({ blocks }) => !blocks)).toBe(true);
  });

  test('a quota that refuses a pod is told in the controller’s words', () => {
    const message = 'pods "phone-storefront-x" is forbidden: exceeded quota: small, requested: pods=1';
    const refused = workload('storefront', 1, {
      conditions: [{ type: 'ReplicaFailure', status: 'True', message }],
      readyReplicas: 0,
    });
    expect(degradedReasonsOf(cluster({ workloads: [refused], without: ['phone-storefront-0'] }))).toEqual([
      { reason: 'QuotaExceeded', message: `storefront: ${message}`, blocks: true },
    ]);
  });
});

const pool = (allocatable = 0) => ({
  ...{
    available: allocatable,
    inFlight: 0,
    owed: 0,
    allocatable,
    supplied: 100,
    target: 100,
    command: { term: 0, sequence: 0 },
  },
});

describe('what is still on its way', () => {
  const registry = (change: Partial<RegistryView> = {}): RegistryView => ({
    incarnation: 'i',
    ...{
      generation: 5,
      target: 100,
      supplied: 100,
      owed: 0,
      layout: 1,
      count: 2,
      wantedCount: 2,
      resizingTo: null,
      term: 0,
    },
    ...{ resize: 'none', paused: false, nodes: [], shards: [] },
    ...change,
  });
  const delivered = { levels: () => [], pool: () => pool(), shard: () => undefined };
  const wanted = { generation: 5, stock: 100, nodes: 2, paused: false };
  type Standing = Parameters<typeof progressOf>[0];
  const standing: Standing = {
    ...{ served: true, observed: cluster(), registry: registry(), table: delivered, wanted },
    ...{ databases: [], rollout: [] },
  };
  const progress = (change: Partial<Standing> = {}) => progressOf({ ...standing, ...change } as Standing);

  test('nothing, when all is as wanted', () => expect(progress()).toBeUndefined());
  test.each([
    ['a sale that never served starts', { served: false, registry: undefined }, 'Starting'],
    ['a sale nobody has reported of starts', { served: false, table: undefined }, 'Starting'],
    [
      'so does one whose stock waits in the pool',
      { served: false, table: { ...delivered, pool: () => pool(9) } },
      'Starting',
    ],
    [
      'so does one with a shard that has reported nothing yet',
      {
        served: false,
        registry: registry({
          shards: [{ id: 's0', shardIncarnation: 'life', joined: true, cancelled: 0, credited: 0 }],
        }),
      },
      'Starting',
    ],
    ['a part that was edited in this reconcile', { rollout: ['phone-shard was edited'] }, 'RollingOut'],
    ['a database that does not answer yet', { served: false, databases: ['s1'] }, 'Starting'],
    [
      'draining for another number of nodes',
      { registry: registry({ resize: 'draining', resizingTo: 3, wantedCount: 3 }) },
      'Resizing',
    ],
    [
      'pods of another template',
      { observed: cluster({ workloads: [workload('cache', 2, { updateRevision: 'b' })] }) },
      'RollingOut',
    ],
    ['a lowered stock', { registry: registry({ target: 40 }) }, 'Withdrawing'],
    [
      'a new pod that is not there yet',
      { observed: cluster({ workloads: [workload('cache', 3, { readyReplicas: 2 })] }) },
      'RollingOut',
    ],
  ] as const)('%s', (_, change, reason) => expect(progress(change as never)?.reason).toBe(reason));

  test('a pod that was there and is down is no progress, but a reason for Degraded', () =>
    expect(
      progress({
        observed: cluster({
          workloads: [workload('cache', 2, { readyReplicas: 1 })],
          pods: [pod('cache', 1, { ready: false })],
        }),
      }),
    ).toBeUndefined());
});

test('R33: the supply’s generation rises with every edit, and over a re-creation of the sale', () => {
  const at = (creationTimestamp: string, generation: number) =>
    supplyGeneration({ name: 'phone', namespace: 'shop', creationTimestamp, generation });
  const numbers = [
    at('2026-12-01T12:00:00Z', 1),
    at('2026-12-01T12:00:00Z', 2),
    at('2026-12-01T12:00:00Z', 5_000_000),
    at('2026-12-01T12:00:01Z', 1),
    at('2242-01-01T00:00:00Z', 1),
  ];
  expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every(Number.isSafeInteger)).toBe(true);
});

test('secrets that are there are kept, and only what is missing is made', () => {
  const names = [
    { name: 'token-key', encoding: 'base64' as const },
    { name: 'internal', encoding: 'base64url' as const },
  ];
  const values = withMissing(new Map([['token-key', 'kept']]), names);
  expect(values.get('token-key')).toBe('kept');
  expect(Buffer.from(values.get('internal') ?? '', 'base64url')).toHaveLength(32);
  expect(withMissing(values, names)).toEqual(values);
});
