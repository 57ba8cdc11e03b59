import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { type MemoryNode, MemoryShard } from './memory-stores.ts';
import { openShop, type Shop } from './shop.ts';

const node = (shop: Shop): MemoryNode => {
  const found = shop.nodes.get(nodeId(0));
  if (found === undefined) throw new Error('no node');
  return found;
};

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

describe('readiness', () => {
  test('needs the whole layout’s stamps and a shard of the sale, and then stays', async () => {
    const shop = await openShop({ nodes: 2 });
    for (const store of [...shop.nodes.values(), ...shop.shards.values()]) store.away = true;
    expect((await shop.post('/purchase')).problem).toBe('unavailable');
    expect(shop.storefront.ready()).toBeUndefined();
    shop.shards.set('s1', new MemoryShard(1));
    shop.edit((c) => Object.assign(c.qualification, { deny: { files: ['/nowhere/list'] } }));
    expect(shop.storefront.ready()).toBe('a list of buyers has not been read yet');
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
