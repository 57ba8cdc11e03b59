// The end of a sale: nothing that the merchant was not told is thrown away, and a sale that cannot tell it says so.

import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../dataplane/protocol/units.ts';
import type { FlashSale, FlashSaleStatus } from '../../../operator/api/flashsale.gen.ts';
import { loadFlashSale } from '../../../operator/api/load.ts';
import type { KubeObject } from '../../../operator/kube/objects.ts';
import { FINALIZER } from '../../../operator/reconcile/adopt.ts';
import { newSaleState, type ReconcileContext } from '../../../operator/reconcile/context.ts';
import { DRAIN_WITHIN, decideDrain, type Outbox } from '../../../operator/reconcile/drain.ts';
import { finalize } from '../../../operator/reconcile/finalize.ts';
import type { SaleSession } from '../../../operator/reconcile/sale-session.ts';
import { pod, workload } from './fixture.ts';

const MINUTE = 60_000;
const DELETED = Date.UTC(2026, 10, 27, 12);

describe('what is decided of the outboxes', () => {
  const left = (count: number): Outbox => ({ shard: 's0', left: count });
  const silent: Outbox = { shard: 's1', error: 'connection refused' };

  test('a sale whose shards have nothing left goes on, whatever else', () => {
    expect(decideDrain({ outboxes: [left(0)], waited: 0, skip: false })).toEqual({ kind: 'drained' });
    expect(decideDrain({ outboxes: [], waited: 0, skip: false })).toEqual({ kind: 'drained' });
  });

  test('one with events left waits, and says so once it takes longer than it should', () => {
    expect(decideDrain({ outboxes: [left(1)], waited: 1000, skip: false })).toEqual({
      ...{ kind: 'waiting', blocked: false, message: '1 order event of s0 did not reach Kafka yet' },
    });
    expect(decideDrain({ outboxes: [left(3), silent], waited: MINUTE, skip: false })).toEqual({
      ...{ kind: 'waiting', blocked: true },
      message:
        '3 order events of s0 did not reach Kafka yet; the database of s1 cannot be asked for its order events: ' +
        'connection refused; with the annotation flashsale.dev/drain=skip the sale goes without it',
    });
  });

  test('nobody waits for ever, nor longer than a person wants', () => {
    expect(decideDrain({ outboxes: [left(3)], waited: DRAIN_WITHIN, skip: false }).kind).toBe('given-up');
    expect(decideDrain({ outboxes: [silent], waited: 0, skip: true }).kind).toBe('given-up');
  });
});

/** A sale of two shards in a cluster of lists. `left`: what each shard's outbox has; an Error: it does not answer. */
function world({ left = {}, policy = 'Retain', annotations = {} }: Partial<World> = {}) {
  const loaded = loadFlashSale(
    `
apiVersion: flashsale.dev/v1alpha1
kind: FlashSale
metadata: {name: phone, namespace: shop}
spec: {sku: PHONE, stock: 10, cache: {nodes: 1}, shards: {count: 2}, deletionPolicy: ${policy}, auth: {trustedHeader: {name: X-Buyer-Id, insecure: true}}}`,
    { source: 'sale.yaml' },
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  const metadata = {
    ...loaded.sale.metadata,
    ...{ uid: 'u', annotations, finalizers: [FINALIZER], deletionTimestamp: new Date(DELETED).toISOString() },
  };
  const status: FlashSaleStatus = { shards: [{ id: 's0' }, { id: 's1' }], conditions: [] };
  const sale = { ...loaded.sale, metadata, status } as FlashSale;
  const objects: KubeObject[] = [
    ...(['cache', 'shard', 'pool'] as const).map((component) => {
      const set = workload(component, 1);
      const retain = policy === 'Retain' ? 'Retain' : 'Delete';
      set.spec = { persistentVolumeClaimRetentionPolicy: { whenDeleted: retain, whenScaled: 'Retain' } };
      return set;
    }),
    workload('storefront', 1),
  ];
  const pods = [pod('storefront', 0), pod('shard', 0)];
  const statuses: FlashSaleStatus[] = [];
  const events: string[] = [];
  const clock = { since: 1000 };
  let isGone = false;
  const state = newSaleState(
    { close: async () => undefined } as SaleSession,
    pino({ level: 'silent' }),
    () => undefined,
  );
  const context = {
    client: {
      delete: async (_: unknown, _namespace: string, name: string) => {
        const at = objects.findIndex((object) => object.metadata.name === name);
        const [gone] = objects.splice(at, 1);
        const component = gone?.metadata.labels?.['app.kubernetes.io/component'];
        for (const each of [...pods])
          if (each.metadata.labels?.['app.kubernetes.io/component'] === component) pods.splice(pods.indexOf(each), 1);
      },
      patch: async () => {
        isGone = true;
      },
      get: async () => undefined,
      applyStatus: async (object: { status: FlashSaleStatus }) => {
        statuses.push(object.status);
      },
    },
    cache: { owned: () => objects, pods: () => pods, find: () => undefined },
    events: { event: (_: unknown, _type: string, reason: string) => events.push(reason) },
    options: {},
    connectShard: ({ id }: { id: ShardId }) => ({
      outboxBacklog: async () => {
        const count = left[id] ?? 0;
        if (count instanceof Error) throw count;
        return count;
      },
      close: async () => undefined,
    }),
    log: pino({ level: 'silent' }),
    state: () => state,
    forget: async () => undefined,
    wall: () => DELETED + clock.since,
    now: () => clock.since,
  } as unknown as ReconcileContext;
  /** Reconciles as often as it takes for nothing to change any more. */
  const settle = async () => {
    for (let i = 0; i < 6; i++) await finalize(sale, context);
  };
  return {
    ...{ settle, left, clock, statuses, events },
    kinds: () => objects.map(({ metadata }) => metadata.labels?.['app.kubernetes.io/component']),
    isGone: () => isGone,
  };
}
interface World {
  left: Partial<Record<ShardId, number | Error>>;
  policy: 'Retain' | 'Delete';
  annotations: Record<string, string>;
}

describe('a sale that is deleted', () => {
  test('sells nothing more, and keeps its shards until every order event is relayed', async () => {
    const { settle, kinds, statuses, left, isGone } = world({ left: { s1: 2 } });
    await settle();
    expect(kinds()).toEqual(['cache', 'shard', 'pool']);
    expect(statuses.at(-1)?.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'Deleting' },
      {
        type: 'Progressing',
        status: 'True',
        reason: 'Draining',
        message: '2 order events of s1 did not reach Kafka yet.',
      },
      { type: 'Degraded', status: 'False' },
    ]);
    expect(isGone()).toBe(false);
    left.s1 = 0;
    await settle();
    expect(kinds()).toEqual([]);
    expect(isGone()).toBe(true);
  });

  test('says so when it cannot, and goes after ten minutes with a warning', async () => {
    const { settle, kinds, statuses, events, clock, isGone } = world({ left: { s0: new Error('connection refused') } });
    clock.since = MINUTE;
    await settle();
    expect(kinds()).toContain('shard');
    expect(statuses.at(-1)?.conditions?.find(({ type }) => type === 'Degraded')).toMatchObject({
      ...{ status: 'True', reason: 'OrdersNotRelayed' },
      message: expect.stringContaining('flashsale.dev/drain=skip'),
    });
    expect(events).toContain('OrdersNotRelayed');
    clock.since = DRAIN_WITHIN;
    await settle();
    expect(isGone()).toBe(true);
  });

  test('goes at once when its annotation says that nobody wants the rest', async () => {
    const { settle, isGone, events } = world({ left: { s0: 5 }, annotations: { 'flashsale.dev/drain': 'skip' } });
    await settle();
    expect(isGone()).toBe(true);
    expect(events).toContain('OrdersNotRelayed');
  });
});
