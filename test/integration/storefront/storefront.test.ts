import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ownerNode } from '../../../dataplane/protocol/owner-node.ts';
import { missing } from '../../harness/cache-node.ts';
import { until } from '../../harness/until.ts';
import { wrongWith } from '../shard-sql/fixture.ts';
import { openStage, type Reply, type Stage, type StorefrontProcess } from './fixture.ts';

let stage: Stage;
let first: StorefrontProcess;
let second: StorefrontProcess;
let buyers = 0;
const newBuyer = () => `buyer-${buyers++}`;
/** A new buyer whom that node owns. */
const buyerAt = (n: number): string => {
  for (;;) {
    const buyer = newBuyer();
    if (ownerNode(buyer, 2) === `c${n}`) return buyer;
  }
};
const purchase = (buyer: string, at = first, quantity = 1) => at.post('/purchase', { quantity }, buyer);
const checkout = (buyer: string, token: unknown, at = first) => at.post('/checkout', { token }, buyer);
const again = async (ask: () => Promise<Reply>): Promise<Reply> =>
  until('an answer that is not "unavailable"', async () => {
    const reply = await ask();
    return reply.problem === 'unavailable' ? undefined : reply;
  });

beforeAll(async () => {
  stage = await openStage({ virtual: 500, available: 500 });
  [first, second] = await Promise.all([stage.storefront(), stage.storefront()]);
});
afterAll(() => stage?.stop());

/** What must hold after every test: no node and no shard has lost or made a unit. */
afterEach(async () => {
  for (const n of [0, 1]) expect(missing(await stage.node(n))).toBe(0);
  for (const { sql } of stage.shards) expect(await wrongWith(sql)).toEqual([]);
});

describe('a storefront on real stores, without Kafka, registry and agents', () => {
  it('R4, R6, R7: sells a unit: virtual stock at the purchase, real stock at the checkout, linked by the token', async () => {
    const buyer = buyerAt(0);
    const virtual = (await stage.node(0)).virtual;
    const available = await stage.available();
    const bought = await purchase(buyer, first, 2);
    expect(bought.status).toBe(201);
    expect([(await stage.node(0)).virtual, await stage.available()]).toEqual([virtual - 2, available]);
    const sold = await checkout(buyer, bought.body.token);
    expect([sold.status, sold.body.status, sold.body.quantity]).toEqual([201, 'placed', 2]);
    expect([(await stage.node(0)).virtual, await stage.available()]).toEqual([virtual - 2, available - 2]);
    await until('the node to be told', async () => (await stage.node(0)).liveUnits === 0);
    expect((await purchase(buyer, first, 1)).problem).toBe('limit-reached');
  });

  it('R2, R27: any storefront knows the token of any other, and the order too', async () => {
    const buyer = newBuyer();
    const token = (await purchase(buyer, first)).body.token;
    const same = await purchase(buyer, second);
    expect([same.status, same.body.token]).toEqual([200, token]);
    const { order } = (await checkout(buyer, token, second)).body;
    expect((await checkout(buyer, token, first)).body.order).toBe(order);
    expect((await first.get(`/orders/${order}`, buyer)).body).toMatchObject({ order, status: 'placed' });
  });

  it('R27: forty clicks on two storefronts are one token, forty checkouts one order', async () => {
    const buyer = newBuyer();
    const clicks = Array.from({ length: 40 }, (_, i) => (i % 2 ? first : second));
    const orders = await stage.orders();
    const bought = await Promise.all(clicks.map((at) => purchase(buyer, at)));
    expect(bought.filter(({ status }) => status === 201).length).toBe(1);
    expect(new Set(bought.map(({ body }) => body.token)).size).toBe(1);
    const token = bought[0]?.body.token;
    const sold = await Promise.all(clicks.map((at) => checkout(buyer, token, at)));
    expect(sold.filter(({ status }) => status === 201).length).toBe(1);
    expect(new Set(sold.map(({ body }) => body.order)).size).toBe(1);
    expect(await stage.orders()).toBe(orders + 1);
  });

  it('R31, R34: an order is paid or cancelled once, and a late payment is due back', async () => {
    const [alice, bob] = [newBuyer(), newBuyer()];
    const order = async (buyer: string) =>
      String((await checkout(buyer, (await purchase(buyer)).body.token)).body.order);
    const [paid, cancelled] = [await order(alice), await order(bob)];
    for (let i = 0; i < 2; i++)
      expect((await first.post(`/orders/${paid}/pay`, { paymentId: 'p1' }, alice)).body.status).toBe('paid');
    expect((await first.post(`/orders/${paid}/cancel`, {}, alice)).problem).toBe('order-paid');
    for (let i = 0; i < 2; i++)
      expect((await first.post(`/orders/${cancelled}/cancel`, {}, bob)).body.status).toBe('cancelled');
    expect((await first.post(`/orders/${cancelled}/pay`, { paymentId: 'p2' }, bob)).problem).toBe('refund-due');
    expect((await second.get(`/orders/${paid}`, bob)).problem).toBe('order-not-found');
  });

  it('R33: follows an edited configuration without a restart', async () => {
    stage.edit((c) => Object.assign(c.qualification, { deny: { ids: ['mallory'] } }));
    await until('the edit', async () => (await purchase('mallory', second)).problem === 'not-qualified');
    stage.edit((c) => delete c.qualification.deny);
    await until('the edit', async () => (await purchase('mallory', second)).problem === undefined);
  });

  it('R34: a checkout survives the database’s death: unknown is sent again, and sold once', async () => {
    const crowd = Array.from({ length: 30 }, newBuyer);
    const tokens = await Promise.all(crowd.map(async (buyer) => (await purchase(buyer)).body.token));
    const orders = await stage.orders();
    const under = crowd.map((buyer, i) => checkout(buyer, tokens[i]));
    await stage.postgres.kill9();
    const replies = await Promise.all(under);
    for (const { problem } of replies) expect([undefined, 'unavailable']).toContain(problem);
    await stage.postgres.restart();
    const sold = await Promise.all(crowd.map((buyer, i) => again(() => checkout(buyer, tokens[i]))));
    expect(sold.map(({ problem }) => problem)).toEqual(crowd.map(() => undefined));
    for (const shard of stage.shards) await until('the test’s own connections', () => reconnect(shard));
    expect(await stage.orders()).toBe(orders + 30);
  });

  it('R34: a purchase survives its node’s death: the token is there afterwards', async () => {
    const [redis] = stage.redis;
    const crowd = Array.from({ length: 20 }, () => buyerAt(0));
    const before = (await stage.node(0)).virtual;
    const under = crowd.map((buyer) => purchase(buyer));
    await redis?.kill9();
    for (const { problem } of await Promise.all(under)) expect([undefined, 'unavailable']).toContain(problem);
    const other = await purchase(buyerAt(1));
    expect(other.status).toBe(201);
    await redis?.restart();
    const bought = await Promise.all(crowd.map((buyer) => again(() => purchase(buyer))));
    expect(bought.every(({ problem }) => problem === undefined)).toBe(true);
    expect((await stage.node(0)).virtual).toBe(before - 20);
  });

  it('R6: a checkout needs no cache node: its shard decides', async () => {
    const buyer = buyerAt(1);
    const { token } = (await purchase(buyer)).body;
    const redis = stage.redis[1];
    await redis?.kill9();
    expect((await checkout(buyer, token)).status).toBe(201);
    await redis?.restart();
    const known = await again(() => checkout(buyer, token));
    expect(known.status).toBe(200);
    await until('the node to be told', async () => (await checkout(buyer, token)).status === 200 && settled(1));
  });

  const settled = async (n: number) => (await stage.node(n)).settledUnits > 0;
  const reconnect = async (shard: Stage['shards'][number]) => {
    const { superuser } = await import('../shard-sql/fixture.ts');
    try {
      const sql = await superuser(stage.postgres, shard.database);
      Object.assign(shard, { sql });
      return true;
    } catch {
      return false;
    }
  };

  it('R32: a storefront that dies between commit and settle loses nothing: any other finds the order', async () => {
    const doomed = await stage.storefront();
    const buyer = buyerAt(0);
    const { token } = (await purchase(buyer, doomed)).body;
    const orders = await stage.orders();
    stage.failAt('checkout-committed');
    await expect(checkout(buyer, token, doomed)).rejects.toThrow();
    await doomed.ended();
    expect(await stage.orders()).toBe(orders + 1);
    const found = await checkout(buyer, token, second);
    expect([found.status, found.body.status]).toEqual([200, 'placed']);
    expect(await stage.orders()).toBe(orders + 1);
  });

  it('ends in order when it is told to: what is under way is answered and settled', async () => {
    const leaving = await stage.storefront();
    const crowd = Array.from({ length: 40 }, newBuyer);
    const tokens = await Promise.all(crowd.map(async (buyer) => (await purchase(buyer, leaving)).body.token));
    const live = (await stage.node(0)).liveUnits + (await stage.node(1)).liveUnits;
    const under = crowd.map((buyer, i) => checkout(buyer, tokens[i], leaving));
    // Once it answers one, it has them all.
    await Promise.race(under);
    await leaving.kill('SIGTERM');
    for (const { status } of await Promise.all(under)) expect(status).toBe(201);
    expect((await stage.node(0)).liveUnits + (await stage.node(1)).liveUnits).toBe(live - 40);
    expect(leaving.log()).toContain('stopping');
  });

  it('R25: tells metrics, and neither there nor in the log who bought', async () => {
    const buyer = newBuyer();
    await checkout(buyer, (await purchase(buyer)).body.token);
    const text = await first.metrics();
    expect(text).toMatch(/flashsale_storefront_checkouts_total\{outcome="sold",role="storefront"\} [1-9]/);
    expect(text).toMatch(/process_resident_memory_bytes/);
    expect(text + first.log()).not.toContain('buyer-');
  });
});

describe('thousands of bogus requests of one buyer about orders', () => {
  it('keep nobody else from cancelling theirs', async () => {
    const others = await Promise.all(
      Array.from({ length: 28 }, async () => {
        const buyer = newBuyer();
        const { order } = (await checkout(buyer, (await purchase(buyer)).body.token)).body;
        return { buyer, path: `/orders/${order}/cancel` };
      }),
    );
    const refused = new Set<string | undefined>();
    const bogus = Array.from({ length: 64 }, async (_, window) => {
      for (let n = 0; n < 32; n++) {
        const id = `s${n % 2}-${String(window * 32 + n).padStart(22, 'x')}`;
        refused.add((await first.post(`/orders/${id}/cancel`, {}, 'mallory')).problem);
      }
    });
    const cancelled = await Promise.all(others.map(({ buyer, path }) => first.post(path, {}, buyer)));
    expect(cancelled.map(({ status }) => status)).toEqual(Array(28).fill(200));
    await Promise.all(bogus);
    expect([...refused].sort()).toEqual(['order-not-found', 'rate-limited']);
  });
});

describe('R29: the last units', () => {
  it('are found wherever they are, and only then it is sold out; what is reserved may come back', async () => {
    const small = await openStage({ virtual: 3, available: 6, shards: 1 });
    onTestFinished(() => small.stop());
    const shop = await small.storefront();
    // One node owns everybody; the other node's units are theirs as well.
    const crowd = Array.from({ length: 12 }, () => buyerAt(0));
    const replies = await Promise.all(crowd.map((buyer) => again(() => purchase(buyer, shop))));
    expect(replies.filter(({ status }) => status === 201).length).toBe(6);
    const refused = replies.filter(({ problem }) => problem === 'sold-out');
    expect(refused.length).toBe(6);
    expect(refused.every(({ headers }) => headers['retry-after'] === '1')).toBe(true);
    expect(small.refills.length).toBeGreaterThan(0);
    // R27: nobody who holds a token is told that it is sold out.
    const holders = crowd.filter((_, i) => replies[i]?.status === 201);
    for (const buyer of holders) expect((await purchase(buyer, shop)).status).toBe(200);
    for (const [i, buyer] of crowd.entries())
      if (replies[i]?.status === 201) expect((await checkout(buyer, replies[i]?.body.token, shop)).status).toBe(201);
    expect(await small.available()).toBe(0);
    await until('sold out for good', async () => {
      const reply = await purchase(newBuyer(), shop);
      return reply.problem === 'sold-out' && reply.headers['retry-after'] === undefined;
    });
  });
});
