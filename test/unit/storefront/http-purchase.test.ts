import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tokenSigner } from '../../../dataplane/protocol/token.ts';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { type MemoryNode, MemoryShard } from './memory-stores.ts';
import { openShop, type Shop, TOKEN_KEY } from './shop.ts';

const node = (shop: Shop, n = 0): MemoryNode => {
  const found = shop.nodes.get(nodeId(n));
  if (found === undefined) throw new Error(`no node ${n}`);
  return found;
};
const claims = (token: unknown) => {
  const verdict = tokenSigner(TOKEN_KEY).verify(String(token));
  if (!verdict.valid) throw new Error(`not a token: ${String(token)}`);
  return verdict.claims;
};
/** The first buyer whom that node owns. */
const buyerOf = async (shop: Shop, n: number): Promise<string> => {
  for (let i = 0; ; i++) {
    await shop.post('/purchase', {}, `b${i}`);
    if (node(shop, n).tokenOf.has(`b${i}`)) return `b${i}`;
  }
};

describe('R4: a purchase', () => {
  test('takes virtual stock on the buyer’s owner node and yields a token that says so', async () => {
    const shop = await openShop({ nodes: 3, shards: 2 });
    const reply = await shop.post('/purchase', { quantity: 2 }, 'alice');
    expect(reply.status).toBe(201);
    expect(reply.body).toMatchObject({ quantity: 2, expiresInMs: 60_000, sku: 'PHONE "17"' });
    const said = claims(reply.body.token);
    expect(said).toMatchObject({ buyer: 'alice', quantity: 2, epoch: 1, sequence: 1 });
    const owner = shop.nodes.get(said.node);
    expect(owner?.virtual).toBe(8);
    expect(owner?.tokenOf.get('alice')).toMatchObject({ id: said.id, shard: said.shard, state: 'live' });
    expect([...shop.nodes.values()].reduce((sum, n) => sum + n.virtual, 0)).toBe(28);
  });

  test('asks for one unit when nothing is said', async () => {
    const shop = await openShop();
    expect((await shop.post('/purchase')).body.quantity).toBe(1);
    expect((await shop.post('/purchase?from=banner', {}, 'bob')).body.quantity).toBe(1);
  });

  test('R27: clicked again and at the same time gives the same token and burns nothing', async () => {
    const shop = await openShop();
    const clicks = await Promise.all([1, 2, 3, 4].map(() => shop.post('/purchase', { quantity: 1 })));
    expect(clicks.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 201]);
    expect(new Set(clicks.map(({ body }) => body.token)).size).toBe(1);
    expect(node(shop).virtual).toBe(9);
    // Whatever is asked for now: the live token is the answer.
    expect((await shop.post('/purchase', { quantity: 3 })).body).toMatchObject({ quantity: 1 });
  });

  test('R27: is refused beyond the buyer’s limit, orders counted', async () => {
    const shop = await openShop();
    node(shop).ordered.set('alice', 3);
    const reply = await shop.post('/purchase', { quantity: 2 });
    expect([reply.status, reply.problem]).toEqual([403, 'limit-reached']);
    expect(reply.body.detail).toBe('One buyer may order at most 4 in this sale; you have ordered 3 and asked for 2.');
    expect(node(shop).virtual).toBe(10);
  });

  test('R8: names shards in proportion to their free stock', async () => {
    let turn = 0;
    const shop = await openShop({ shards: 2, virtual: 100, random: () => (turn++ % 10) / 10 });
    const said: string[] = [];
    for (let i = 0; i < 10; i++) said.push(claims((await shop.post('/purchase', {}, `b${i}`)).body.token).shard);
    expect(said.filter((shard) => shard === 's0').length).toBe(5);
  });

  test('R8: names no shard that does not answer or has not joined', async () => {
    const shop = await openShop({ shards: 3, virtual: 100_000 });
    const [s0, s1] = shop.shards.values();
    if (s0) s0.away = true;
    if (s1) s1.incarnation = undefined;
    await expect
      .poll(async () => {
        const said = new Set<string>();
        for (let i = 0; i < 12; i++)
          said.add(claims((await shop.post('/purchase', {}, `${Math.random()}`)).body.token).shard);
        return [...said];
      })
      .toEqual(['s2']);
  });

  test('R8: goes on while no shard answers: its token is checked out when one does', async () => {
    const shop = await openShop();
    const [s0] = shop.shards.values();
    if (s0) s0.away = true;
    const { token } = (await shop.post('/purchase')).body;
    expect((await shop.post('/checkout', { token })).problem).toBe('unavailable');
    expect((await shop.post('/purchase', {}, 'bob')).status).toBe(201);
    if (s0) s0.away = false;
    expect((await shop.post('/checkout', { token })).status).toBe(201);
  });
});

describe('R3, R5: a buyer who does not qualify', () => {
  test.each([
    [
      'before the sale',
      'not-open',
      (shop: Shop) => shop.edit((c) => Object.assign(c.window, { opensAt: shop.clock.wall + 2000 })),
    ],
    [
      'after the sale',
      'closed',
      (shop: Shop) => shop.edit((c) => Object.assign(c.window, { closesAt: shop.clock.wall })),
    ],
    [
      'on the deny list',
      'not-qualified',
      (shop: Shop) => shop.edit((c) => Object.assign(c.qualification, { deny: { ids: ['alice'] } })),
    ],
    [
      'not on the allow list',
      'not-qualified',
      (shop: Shop) => shop.edit((c) => Object.assign(c.qualification, { allow: { ids: ['bob'] } })),
    ],
    [
      'asking for too many',
      'quantity-limit',
      (shop: Shop) => shop.edit((c) => Object.assign(c.qualification, { maxQuantity: 1 })),
    ],
  ])('%s: %s, and nothing was asked of any node', async (_, problem, change) => {
    const shop = await openShop();
    change(shop);
    const reply = await shop.post('/purchase', { quantity: 2 });
    expect(reply.problem).toBe(problem);
    if (problem === 'not-open') expect(reply.headers['retry-after']).toBe('2');
    expect(node(shop).reserves).toBe(0);
  });

  test('R33: an edited rule holds from the next request on, and buckets survive other edits', async () => {
    const shop = await openShop({
      change: (c) => Object.assign(c.qualification, { rateLimit: { perSecond: 0.001, burst: 1 } }),
    });
    expect((await shop.post('/purchase')).status).toBe(201);
    shop.edit((c) => Object.assign(c.qualification, { perBuyer: 3 }));
    const reply = await shop.post('/purchase');
    expect([reply.status, reply.problem]).toEqual([429, 'rate-limited']);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(900);
    shop.edit((c) => delete c.qualification.rateLimit);
    expect((await shop.post('/purchase')).status).toBe(200);
  });
});

describe('R3, R33: a list that an edit brings, and that this pod may never see,', () => {
  const readable = { ids: ['bob'] };
  const unreadable = { files: ['/nowhere/ids'] };

  test('judges nobody where there was none, and the storefront stays ready', async () => {
    const shop = await openShop();
    shop.edit((c) => Object.assign(c.qualification, { deny: unreadable, allow: unreadable }));
    expect((await shop.post('/purchase')).status).toBe(201);
    expect(shop.storefront.ready()).toBeUndefined();
  });

  test('leaves the judgement to the one before, beside the ids that stand in the edit itself', async () => {
    const shop = await openShop({ change: (c) => Object.assign(c.qualification, { deny: readable }) });
    shop.edit((c) => Object.assign(c.qualification, { deny: { ids: ['cid'], ...unreadable } }));
    expect((await shop.post('/purchase', {}, 'bob')).problem).toBe('not-qualified');
    expect((await shop.post('/purchase', {}, 'cid')).problem).toBe('not-qualified');
    expect((await shop.post('/purchase', {}, 'ann')).status).toBe(201);
  });

  test('judges alone once it is read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flashsale-allow-'));
    await writeFile(join(folder, 'ids'), 'ann');
    const shop = await openShop({ change: (c) => Object.assign(c.qualification, { allow: readable }) });
    shop.edit((c) => Object.assign(c.qualification, { allow: { files: [join(folder, 'ids')] } }));
    await expect.poll(async () => (await shop.post('/purchase', {}, 'bob')).problem).toBe('not-qualified');
    expect((await shop.post('/purchase', {}, 'ann')).status).toBe(201);
    await rm(folder, { recursive: true });
  });
});

test('R33: an edit of auth that cannot be taken up here lets nobody in, and the storefront is not ready', async () => {
  const shop = await openShop();
  shop.edit((c) => Object.assign(c, { auth: { kind: 'jwt' } }));
  expect((await shop.post('/purchase', {})).problem).toBe('unavailable');
  expect(shop.storefront.ready()).toContain('nobody can be identified');
  shop.edit((c) => Object.assign(c, { auth: { kind: 'header', header: 'X-Buyer-Id' } }));
  expect((await shop.post('/purchase', {})).status).toBe(201);
  expect(shop.storefront.ready()).toBeUndefined();
});

describe('R29: a node that ran short', () => {
  test('is refilled from the others, once however many wait, and the buyer gets the token', async () => {
    const shop = await openShop({ nodes: 2, virtual: 0 });
    node(shop, 1).virtual = 50;
    const waiting = await Promise.all(Array.from({ length: 20 }, (_, i) => shop.post('/purchase', {}, `b${i}`)));
    expect(waiting.every(({ status }) => status === 201)).toBe(true);
    expect(shop.pool.asked.length).toBeLessThan(5);
    expect(node(shop, 0).virtual + node(shop, 1).virtual).toBe(30);
  });

  test('is sold out only after the pool said so, and is believed without asking again', async () => {
    const shop = await openShop({ virtual: 0 });
    const replies = [];
    for (let i = 0; i < 5; i++) replies.push(await shop.post('/purchase', {}, `b${i}`));
    expect(replies.map(({ problem }) => problem)).toEqual(new Array(5).fill('sold-out'));
    expect(replies.map(({ headers }) => headers['retry-after'])).toEqual(new Array(5).fill(undefined));
    expect([shop.pool.asked.length, node(shop).reserves]).toEqual([1, 1]);
    expect((await shop.get('/sale')).body).toMatchObject({ phase: 'sold-out', availability: 'none' });
    shop.clock.now += 1001;
    node(shop).virtual = 1;
    expect((await shop.post('/purchase')).status).toBe(201);
  });

  test('says when to come back while units are reserved', async () => {
    const shop = await openShop({ virtual: 1 });
    await shop.post('/purchase', {}, 'alice');
    const reply = await shop.post('/purchase', {}, 'bob');
    expect([reply.problem, reply.headers['retry-after']]).toEqual(['sold-out', '1']);
    node(shop).expire('alice');
    shop.clock.now += 251;
    expect((await shop.post('/purchase', {}, 'bob')).status).toBe(201);
  });

  test('R27: still knows who holds a token when everybody else is told sold out', async () => {
    const shop = await openShop({ virtual: 1 });
    const { token } = (await shop.post('/purchase', {}, 'alice')).body;
    expect((await shop.post('/purchase', {}, 'bob')).problem).toBe('sold-out');
    const reserves = node(shop).reserves;
    const answers = ['alice', 'bob', 'carol', 'dave'].map((buyer) => shop.post('/purchase', {}, buyer));
    expect((await Promise.all(answers)).map(({ problem, body }) => problem ?? body.token)).toEqual([
      token,
      'sold-out',
      'sold-out',
      'sold-out',
    ]);
    expect(node(shop).reserves).toBe(reserves + 1);
    expect(shop.pool.asked.length).toBe(1);
  });

  test('is never sold out when the pool or a node cannot be asked: unavailable', async () => {
    const shop = await openShop({ nodes: 2, virtual: 0 });
    shop.pool.away = true;
    expect((await shop.post('/purchase')).problem).toBe('unavailable');
    shop.pool.away = false;
    const owner = shop.nodes.get(nodeId(0))?.reserves ? 0 : 1;
    node(shop, 1 - owner).away = true;
    const reply = await shop.post('/purchase');
    expect([reply.problem, reply.headers['retry-after']]).toEqual(['unavailable', '1']);
    node(shop, owner).away = true;
    expect((await shop.post('/purchase')).problem).toBe('unavailable');
    expect((await shop.get('/sale')).body.phase).toBe('open');
  });

  test('that others always empty first is not sold out either', async () => {
    const shop = await openShop({ virtual: 0 });
    shop.pool.ask = async () => ({ outcome: 'granted', liveUnits: 0 });
    expect((await shop.post('/purchase')).problem).toBe('unavailable');
  });
});

describe('R33: when nodes change', () => {
  test('a stale epoch is learned from the answer, and the same request goes on', async () => {
    const shop = await openShop();
    const n = node(shop);
    if (n.storedIdentity) n.storedIdentity = { ...n.storedIdentity, epoch: 2 };
    const reply = await shop.post('/purchase');
    expect(reply.status).toBe(201);
    expect(claims(reply.body.token).epoch).toBe(2);
  });

  test('a new layout moves buyers to their new owner node at once', async () => {
    const shop = await openShop({ nodes: 2, virtual: 100 });
    const buyer = await buyerOf(shop, 1);
    for (const n of shop.nodes.values()) {
      n.tokenOf.clear();
      if (n.storedIdentity) n.storedIdentity = { ...n.storedIdentity, layout: 2, count: 1 };
    }
    expect(claims((await shop.post('/purchase', {}, buyer)).body.token).node).toBe('c0');
  });

  test('a node that lags behind is not asked to sell, and one without an identity neither', async () => {
    const shop = await openShop({ nodes: 2, virtual: 100 });
    const buyer = await buyerOf(shop, 1);
    const [first, second] = [node(shop, 0), node(shop, 1)];
    second.tokenOf.clear();
    if (first.storedIdentity) first.storedIdentity = { ...first.storedIdentity, layout: 2 };
    await expect.poll(async () => (await shop.post('/purchase', {}, buyer)).problem).toBe('unavailable');
    second.tokenOf.clear();
    expect((await shop.post('/purchase', {}, buyer)).problem).toBe('unavailable');
    second.storedIdentity = undefined;
    expect((await shop.post('/purchase', {}, buyer)).problem).toBe('unavailable');
    expect(second.tokenOf.size).toBe(0);
  });

  test('a node that has just become fit is found by the first who asks for it', async () => {
    const shop = await openShop();
    const n = node(shop);
    const { storedIdentity } = n;
    n.storedIdentity = undefined;
    expect((await shop.post('/purchase')).problem).toBe('unavailable');
    n.storedIdentity = storedIdentity;
    expect((await shop.post('/purchase')).status).toBe(201);
  });

  test('while paused, purchases wait and GET /sale says so', async () => {
    const shop = await openShop();
    const n = node(shop);
    if (n.storedIdentity) n.storedIdentity = { ...n.storedIdentity, paused: true };
    const reply = await shop.post('/purchase');
    expect([reply.status, reply.problem, reply.headers['retry-after']]).toEqual([503, 'paused', '2']);
    await expect.poll(async () => (await shop.get('/sale')).body.phase).toBe('paused');
  });

  test('a node that died while paused keeps nobody from hearing that the sale goes on', async () => {
    const shop = await openShop({ nodes: 2 });
    const [here, gone] = [node(shop, 0), node(shop, 1)];
    const pause = (each: MemoryNode, paused: boolean) => {
      if (each.storedIdentity) each.storedIdentity = { ...each.storedIdentity, paused };
    };
    const phase = async () => (await shop.get('/sale')).body.phase;
    for (const each of [here, gone]) pause(each, true);
    await expect.poll(phase).toBe('paused');
    gone.away = true;
    pause(here, false);
    await expect.poll(phase).toBe('open');
  });

  test('a shard that is added is used', async () => {
    const shop = await openShop({ virtual: 100_000, random: () => 0.99 });
    shop.shards.set('s1', new MemoryShard(10));
    shop.edit((c) => c.shards.push({ id: 's1', host: '127.0.0.1', port: 1, database: 's1' }));
    await expect
      .poll(async () => claims((await shop.post('/purchase', {}, `${Math.random()}`)).body.token).shard)
      .toBe('s1');
  });

  test('a node that is taken away is let go of', async () => {
    const shop = await openShop({ nodes: 2 });
    shop.edit((c) => c.cache.nodes.pop());
    expect([node(shop, 0).closed, node(shop, 1).closed]).toEqual([false, true]);
  });
});

test('R3: the risk check is asked before anything is reserved', async () => {
  const { createServer } = await import('node:http');
  const asked: unknown[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    asked.push(JSON.parse(body));
    response.end('{"allow":false,"reason":"No bots."}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const shop = await openShop({
    change: (c) =>
      Object.assign(c.qualification, {
        webhook: { url: `http://127.0.0.1:${port}/`, timeout: 2000, failurePolicy: 'Deny' },
      }),
  });
  const reply = await shop.post('/purchase', { quantity: 2 });
  expect([reply.problem, reply.body.detail]).toEqual(['not-qualified', 'No bots.']);
  expect(asked).toEqual([{ sale: 'shop/phones', sku: 'PHONE "17"', buyer: 'alice', quantity: 2 }]);
  expect(node(shop).reserves).toBe(0);
  server.close();
  server.closeAllConnections();
  expect((await shop.post('/purchase', {}, 'bob')).problem).toBe('unavailable');
});

test('R3: a list in a file is ready before the storefront is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'flashsale-allow-'));
  const file = join(folder, 'ids');
  await writeFile(file, 'bob\n');
  const shop = await openShop({ change: (c) => Object.assign(c.qualification, { allow: { files: [file] } }) });
  expect((await shop.post('/purchase', {}, 'alice')).problem).toBe('not-qualified');
  expect((await shop.post('/purchase', {}, 'bob')).status).toBe(201);
  await rm(folder, { recursive: true });
});

test('a buyer whose reservations lapsed too often in a row is told when to come back', async () => {
  const reservations = { maxLapsed: 3, cooldown: 90_000 };
  const shop = await openShop({ change: (c) => Object.assign(c.qualification, { reservations }) });
  for (const node of shop.nodes.values()) node.lapsed.set('alice', 3);
  const reply = await shop.post('/purchase', {});
  expect([reply.status, reply.problem, reply.headers['retry-after']]).toEqual([429, 'reservations-lapsed', '90']);
  expect(reply.body.detail).toBe('You let 3 reservations lapse. Wait 90 s before the next one.');
  expect((await shop.post('/purchase', {}, 'bob')).status).toBe(201);
  shop.edit((c) => delete c.qualification.reservations);
  expect((await shop.post('/purchase', {})).status).toBe(201);
});
