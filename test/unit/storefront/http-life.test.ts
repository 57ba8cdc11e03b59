import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Delta } from '../../../dataplane/protocol/messages.ts';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import { INCARNATION, type MemoryNode, MemoryShard } from './memory-stores.ts';
import { openShop, type Shop } from './shop.ts';

const node = (shop: Shop): MemoryNode => {
  const found = shop.nodes.get(nodeId(0));
  if (found === undefined) throw new Error('no node');
  return found;
};

const heard = (peer: Delta['peer'], available: number): Delta => ({
  ...{ incarnation: INCARNATION, peer, peerIncarnation: peer, version: 1, fromVersion: 0, delta: available, available },
  ...{ sold: 0, cancelled: 0, missed: 0, missedMax: 0, sent: {}, received: 0, receivedVersions: {} },
  command: { term: 0, sequence: 0 },
});

describe('a storefront that is told to stop', () => {
  test('answers what is under way, tells the nodes, and lets go', async () => {
    const shop = await openShop();
    const { token } = (await shop.post('/purchase')).body;
    const [shard] = shop.shards.values();
    if (!shard) throw new Error('no shard');
    const held = Promise.withResolvers<void>();
    shard.gate = held.promise;
    const checkout = shop.post('/checkout', { token });
    await expect.poll(() => shard.batches.length).toBe(1);
    const drained = shop.storefront.drain();
    expect(shop.storefront.ready()).toBe('draining');
    held.resolve();
    const reply = await checkout;
    expect([reply.status, reply.headers.connection]).toEqual([201, 'close']);
    await drained;
    expect(node(shop).ordered.get('alice')).toBe(1);
    expect([node(shop).closed, shard.closed]).toEqual([true, true]);
    await expect(shop.post('/purchase')).rejects.toThrow();
  });

  test('does not wait for connections on which nothing happens', async () => {
    const shop = await openShop();
    const socket = connect(shop.port, '127.0.0.1');
    socket.write('GET /sale HTTP/1.1\r\nhost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await shop.storefront.drain();
    await closed;
  });
});

test('R8: buyers go where stock was heard of, and everywhere once nothing was heard of for long', async () => {
  const shop = await openShop({ shards: 2, virtual: 1000 });
  let hear: (topic: 'deltas', message: Delta) => void = () => undefined;
  await shop.storefront.follow({
    subscribe: async (_topics: unknown, _from: unknown, handler: typeof hear) => {
      hear = handler;
    },
  } as unknown as Bus);
  hear('deltas', heard('s0', 0));
  hear('deltas', heard('s1', 3));
  const shards = async (prefix: string) => {
    for (let n = 0; n < 40; n++) await shop.post('/purchase', {}, `${prefix}${n}`);
    const tokens = [...node(shop).tokenOf].filter(([buyer]) => buyer.startsWith(prefix));
    return new Set(tokens.map(([, { shard }]) => shard));
  };
  expect(await shards('early-')).toEqual(new Set(['s1']));
  shop.clock.now += 6000;
  expect(await shards('late-')).toEqual(new Set(['s0', 's1']));
});

describe('readiness', () => {
  test('waits for a node that is down for some seconds only: the others have buyers, too', async () => {
    const shop = await openShop({
      nodes: 2,
      prepare: (nodes) => Object.assign(nodes.get('c1') ?? {}, { away: true }),
      notReady: 'cache node c1 has not shown its identity yet',
    });
    shop.clock.now += 10_000;
    expect(shop.storefront.ready()).toBeUndefined();
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => shop.post('/purchase', {}, `buyer-${n}`)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201, 503]));
  });

  test('needs the whole layout’s identities and a shard of the sale, and then stays', async () => {
    const shop = await openShop({ nodes: 2 });
    for (const store of [...shop.nodes.values(), ...shop.shards.values()]) store.away = true;
    expect((await shop.post('/purchase')).problem).toBe('unavailable');
    expect(shop.storefront.ready()).toBeUndefined();
    shop.shards.set('s1', new MemoryShard(1));
    shop.edit((c) => Object.assign(c.qualification, { deny: { files: ['/nowhere/list'] } }));
    expect(shop.storefront.ready()).toBeUndefined();
  });
});

test('R25: metrics tell outcomes and durations, and never a buyer', async () => {
  const shop = await openShop({ virtual: 1 });
  const { token } = (await shop.post('/purchase', {}, 'alice-secret')).body;
  await shop.post('/purchase', {}, 'alice-secret');
  await shop.post('/purchase', {}, 'bob-secret');
  const { order } = (await shop.post('/checkout', { token }, 'alice-secret')).body;
  await shop.post('/checkout', { token: 'x' }, 'alice-secret');
  await shop.post(`/orders/${order}/cancel`, {}, 'alice-secret');
  await expect.poll(() => shop.metrics.metrics()).toContain('flashsale_storefront_settled_total 1');
  const text = await shop.metrics.metrics();
  for (const line of [
    'flashsale_storefront_purchases_total{outcome="fresh"} 1',
    'flashsale_storefront_purchases_total{outcome="again"} 1',
    'flashsale_storefront_purchases_total{outcome="sold-out"} 1',
    'flashsale_storefront_checkouts_total{outcome="sold"} 1',
    'flashsale_storefront_checkouts_total{outcome="token-invalid"} 1',
    'flashsale_storefront_orders_total{outcome="cancelled"} 1',
    'flashsale_storefront_refills_total{outcome="sold-out"} 1',
    'flashsale_storefront_purchase_seconds_count 3',
    'flashsale_storefront_checkout_seconds_count 2',
    'flashsale_storefront_batch_rows_sum 1',
    'flashsale_storefront_connection_held_seconds_count 1',
    'flashsale_storefront_queued_checkouts{shard="s0"} 0',
    'flashsale_storefront_settle_lag_seconds_count 1',
    'flashsale_storefront_settles_dropped_total 0',
    'flashsale_storefront_store_errors_total{store="cache"} 0',
    'flashsale_storefront_resent_checkouts_total 0',
    'flashsale_storefront_webhook_failures_total 0',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).not.toContain('secret');
});
