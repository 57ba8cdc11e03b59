import { describe, expect, test, vi } from 'vitest';
import { tokenSigner } from '../../../dataplane/protocol/token.ts';
import type { MemoryNode, MemoryShard } from './memory-stores.ts';
import { openShop, type Shop, TOKEN_KEY } from './shop.ts';

const only = <T>(map: Map<unknown, T>): T => {
  const [first] = map.values();
  if (first === undefined) throw new Error('there is none');
  return first;
};
const node = (shop: Shop): MemoryNode => only(shop.nodes);
const shard = (shop: Shop): MemoryShard => only(shop.shards);
const purchase = async (shop: Shop, buyer = 'alice', quantity = 1) =>
  String((await shop.post('/purchase', { quantity }, buyer)).body.token);
const signer = tokenSigner(TOKEN_KEY);
const claims = (token: string) => {
  const verdict = signer.verify(token);
  if (!verdict.valid) throw new Error('not a token');
  return verdict.claims;
};

describe('R6: a checkout', () => {
  test('takes real stock, makes the order, and tells the node', async () => {
    const shop = await openShop();
    const token = await purchase(shop, 'alice', 2);
    expect(shard(shop).available).toBe(10);
    const reply = await shop.post('/checkout', { token });
    const order = `s0-${claims(token).id}`;
    expect([reply.status, reply.body]).toEqual([201, { order, quantity: 2, status: 'placed', payWithinMs: 900_000 }]);
    expect(shard(shop).available).toBe(8);
    await expect.poll(() => node(shop).ordered.get('alice')).toBe(2);
    expect(shard(shop).batches).toEqual([
      [{ token: claims(token).id, buyer: 'alice', quantity: 2, node: 'c0', epoch: 1, sequence: 1 }],
    ]);
  });

  test('is final where the sale takes no payments', async () => {
    const shop = await openShop({ change: (c) => delete c.orders.paymentDeadline });
    const reply = await shop.post('/checkout', { token: await purchase(shop) });
    expect(reply.body).toMatchObject({ status: 'final' });
    expect(reply.body).not.toHaveProperty('payWithinMs');
  });

  test('R27, R34: sent again is the same order, before and after the node knows', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    const clicks = await Promise.all([1, 2, 3].map(() => shop.post('/checkout', { token })));
    expect(clicks.map(({ status }) => status).toSorted()).toEqual([200, 200, 201]);
    expect(new Set(clicks.map(({ body }) => body.order)).size).toBe(1);
    await expect.poll(() => node(shop).tokenOf.get('alice')?.state).toBe('settled');
    const batches = shard(shop).batches.length;
    expect((await shop.post('/checkout', { token })).status).toBe(200);
    expect(shard(shop).batches.length).toBe(batches);
    expect(shard(shop).available).toBe(9);
  });

  test('R6: asks the shard when the node does not answer, and then settles nothing twice', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    node(shop).away = true;
    expect((await shop.post('/checkout', { token })).status).toBe(201);
    node(shop).away = false;
    expect((await shop.post('/checkout', { token })).status).toBe(200);
    await expect.poll(() => node(shop).ordered.get('alice')).toBe(1);
  });

  test('R28: of a token that was returned is refused by the shard, and the buyer may purchase again', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    shard(shop).lowWatermark = 1;
    node(shop).expire('alice');
    const reply = await shop.post('/checkout', { token });
    expect([reply.status, reply.problem]).toEqual([410, 'token-expired']);
    expect((await shop.post('/checkout', { token: await purchase(shop) })).status).toBe(201);
  });

  test('of a token from another life of the sale is expired', async () => {
    const shop = await openShop();
    const token = signer.sign({ ...claims(await purchase(shop)), incarnation: 'another' });
    expect((await shop.post('/checkout', { token })).problem).toBe('token-expired');
    expect(shard(shop).available).toBe(10);
  });

  test('R29: of a token whose shard is short waits for stock, then says shortage, and the token stays good', async () => {
    const shop = await openShop({ available: 0 });
    const token = await purchase(shop);
    const reply = await shop.post('/checkout', { token });
    expect([reply.status, reply.problem, reply.headers['retry-after']]).toEqual([503, 'shortage', '1']);
    shard(shop).available = 1;
    expect((await shop.post('/checkout', { token })).status).toBe(201);
  });

  test('R34: whose answer was lost on the way from the shard is found there', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    shard(shop).losesAnswers = 1;
    const reply = await shop.post('/checkout', { token });
    expect(reply.status).toBe(200);
    expect(shard(shop).available).toBe(9);
  });

  test('R34: while the shard is away is unavailable, and not anything else', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    shard(shop).away = true;
    const reply = await shop.post('/checkout', { token });
    expect([reply.status, reply.problem, reply.headers['retry-after']]).toEqual([503, 'unavailable', '1']);
    shard(shop).away = false;
    expect((await shop.post('/checkout', { token })).status).toBe(201);
  });

  test('of an order that is cancelled answers the order', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    const { order } = (await shop.post('/checkout', { token })).body;
    await shop.post(`/orders/${order}/cancel`);
    node(shop).tokenOf.clear();
    const reply = await shop.post('/checkout', { token });
    expect([reply.status, reply.body.status]).toEqual([200, 'cancelled']);
  });

  test('many at a time share batches', async () => {
    const shop = await openShop({ virtual: 40, available: 40 });
    const buyers = Array.from({ length: 40 }, (_, i) => `b${i}`);
    const tokens = await Promise.all(buyers.map((buyer) => purchase(shop, buyer)));
    const replies = await Promise.all(buyers.map((buyer, i) => shop.post('/checkout', { token: tokens[i] }, buyer)));
    expect(replies.every(({ status }) => status === 201)).toBe(true);
    expect(shard(shop).batches.length).toBeLessThan(40);
    expect(shard(shop).available).toBe(0);
  });

  test('is committed before it is answered, and settled after', async () => {
    const committed = vi.fn();
    const shop = await openShop({ committed });
    await shop.post('/checkout', { token: await purchase(shop) });
    expect(committed).toHaveBeenCalledTimes(1);
  });
});

describe('R6: a token that is not this buyer’s own', () => {
  test('forged, altered or unknown is invalid, and no shard is asked', async () => {
    const shop = await openShop();
    const token = await purchase(shop);
    const forged = tokenSigner(Buffer.alloc(32, 8).toString('base64')).sign(claims(token));
    for (const wrong of [forged, `${token}x`, token.slice(0, -1), token.replace('.1.c0.', '.9.c0.'), 'fs1.', 'x']) {
      const reply = await shop.post('/checkout', { token: wrong });
      expect([reply.status, reply.problem]).toEqual([403, 'token-invalid']);
    }
    expect(shard(shop).batches).toEqual([]);
  });

  test('another buyer’s is not yours, and no shard is asked', async () => {
    const shop = await openShop();
    const reply = await shop.post('/checkout', { token: await purchase(shop, 'alice') }, 'mallory');
    expect([reply.status, reply.problem]).toEqual([403, 'token-not-yours']);
    expect(shard(shop).batches).toEqual([]);
  });

  test('for a shard this storefront has not heard of yet is unavailable', async () => {
    const shop = await openShop();
    const token = signer.sign({ ...claims(await purchase(shop)), shard: 's7' });
    expect((await shop.post('/checkout', { token })).problem).toBe('unavailable');
  });
});

describe('what buyers ask about orders', () => {
  const ordered = async (shop: Shop) =>
    String((await shop.post('/checkout', { token: await purchase(shop) })).body.order);

  test('takes the shard’s lock only for an order of theirs that can still change', async () => {
    const shop = await openShop();
    const order = await ordered(shop);
    const cancel = vi.spyOn(shard(shop), 'cancel');
    for (let n = 0; n < 10; n++) {
      const bogus = `s0-${String(n).padStart(22, 'x')}`;
      expect((await shop.post(`/orders/${bogus}/cancel`)).problem).toBe('order-not-found');
      expect((await shop.post(`/orders/${order}/cancel`, undefined, 'mallory')).problem).toBe('order-not-found');
    }
    expect(cancel).not.toHaveBeenCalled();
    for (let n = 0; n < 3; n++) expect((await shop.post(`/orders/${order}/cancel`)).body.status).toBe('cancelled');
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  test('counts against the rate limit of their purchases', async () => {
    const rateLimit = { perSecond: 0.01, burst: 3 };
    const shop = await openShop({ change: (c) => Object.assign(c.qualification, { rateLimit }) });
    const order = await ordered(shop);
    expect((await shop.get(`/orders/${order}`)).status).toBe(200);
    expect((await shop.get('/orders/bogus')).problem).toBe('order-not-found');
    expect((await shop.post(`/orders/${order}/cancel`)).problem).toBe('rate-limited');
    expect((await shop.post('/purchase', {})).problem).toBe('rate-limited');
    expect((await shop.get(`/orders/${order}`, 'bob')).problem).toBe('order-not-found');
  });
});

describe('an order', () => {
  const ordered = async (shop: Shop, buyer = 'alice') =>
    String((await shop.post('/checkout', { token: await purchase(shop, buyer) }, buyer)).body.order);

  test('is shown to its buyer and to nobody else', async () => {
    const shop = await openShop();
    const order = await ordered(shop);
    const reply = await shop.get(`/orders/${order}`);
    expect(reply.body).toEqual({ order, quantity: 1, status: 'placed', payWithinMs: 900_000 });
    expect((await shop.get(`/orders/${order}`, 'mallory')).problem).toBe('order-not-found');
    expect((await shop.post(`/orders/${order}/pay`, { paymentId: 'p' }, 'mallory')).problem).toBe('order-not-found');
    expect((await shop.post(`/orders/${order}/cancel`, undefined, 'mallory')).problem).toBe('order-not-found');
  });

  test('R34: is paid once, however often it is told', async () => {
    const shop = await openShop();
    const order = await ordered(shop);
    const paid = { order, quantity: 1, status: 'paid', paymentId: 'pay-1' };
    for (let i = 0; i < 2; i++)
      expect((await shop.post(`/orders/${order}/pay`, { paymentId: 'pay-1' })).body).toEqual(paid);
    expect((await shop.get(`/orders/${order}`)).body).toEqual(paid);
    expect((await shop.post(`/orders/${order}/pay`, { paymentId: 'pay-2' })).problem).toBe('refund-due');
    expect((await shop.post(`/orders/${order}/cancel`)).problem).toBe('order-paid');
  });

  test('R31: that was cancelled is not sold by a late payment', async () => {
    const shop = await openShop();
    const order = await ordered(shop);
    for (let i = 0; i < 2; i++)
      expect((await shop.post(`/orders/${order}/cancel`)).body).toEqual({ order, quantity: 1, status: 'cancelled' });
    const reply = await shop.post(`/orders/${order}/pay`, { paymentId: 'late' });
    expect([reply.status, reply.problem]).toEqual([409, 'refund-due']);
  });

  test('of a sale without payments is final', async () => {
    const shop = await openShop({ change: (c) => delete c.orders.paymentDeadline });
    const order = await ordered(shop);
    expect((await shop.post(`/orders/${order}/pay`, { paymentId: 'p' })).problem).toBe('order-final');
    expect((await shop.post(`/orders/${order}/cancel`)).problem).toBe('order-final');
  });

  test.each(['s0-AAAAAAAAAAAAAAAAAAAAAA', 's9-AAAAAAAAAAAAAAAAAAAAAA', 's0-x', 'x', '%20', 's0%2Fx'])(
    'that does not exist (%s) is not found',
    async (id) => {
      const shop = await openShop();
      const reply = await shop.get(`/orders/${id}`);
      expect([reply.status, reply.problem]).toEqual([404, 'order-not-found']);
    },
  );

  test('is unavailable while its shard is away', async () => {
    const shop = await openShop();
    const order = await ordered(shop);
    shard(shop).away = true;
    expect((await shop.get(`/orders/${order}`)).problem).toBe('unavailable');
    expect((await shop.post(`/orders/${order}/pay`, { paymentId: 'p' })).problem).toBe('unavailable');
  });
});
