// Every answer that the OpenAPI document promises is provoked once; shop.ts refuses every answer that it does not
// promise. Together: the document says what the code does.

import { describe, expect, test } from 'vitest';
import { problemsOf } from '../../../dataplane/http/openapi.ts';
import { PROBLEM_CODES } from '../../../dataplane/protocol/problems.ts';
import { tokenSigner } from '../../../dataplane/protocol/token.ts';
import { OPERATIONS, openapi } from '../../../dataplane/storefront/openapi.ts';
import { answersSeen, openShop, type Reply, type Shop, saleConfig, TOKEN_KEY } from './shop.ts';

const PATHS: Record<string, string> = {
  purchase: '/purchase',
  checkout: '/checkout',
  getOrder: '/orders/{order}',
  payOrder: '/orders/{order}/pay',
  cancelOrder: '/orders/{order}/cancel',
  getSale: '/sale',
  getOpenapi: '/openapi.json',
};
const METHODS = new Map(OPERATIONS.map(({ id, method }) => [id, method]));
const BODIES: Record<string, () => unknown> = {
  purchase: () => ({ quantity: 1 }),
  payOrder: () => ({ paymentId: 'pay-1' }),
};

interface Scene {
  shop: Shop;
  id: string;
  /** The operation as it should be asked, but for what is given. */
  ask(change?: { body?: string; headers?: Record<string, string>; path?: string }): Promise<Reply>;
  token(): Promise<string>;
}

async function scene(id: string, edit: (shop: Shop) => unknown = () => undefined): Promise<Scene> {
  const shop = await openShop();
  const token = async () => String((await shop.post('/purchase', { quantity: 1 })).body.token);
  let order = '';
  if (id.endsWith('Order')) order = String((await shop.post('/checkout', { token: await token() })).body.order);
  let body = BODIES[id]?.();
  if (id === 'checkout') body = { token: await token() };
  edit(shop);
  return {
    shop,
    id,
    token,
    ask: (change = {}) =>
      shop.send(
        METHODS.get(id) ?? '',
        (change.path ?? PATHS[id] ?? '').replace('{order}', order),
        { 'content-type': 'application/json', ...(change.headers ?? { 'x-buyer-id': 'alice' }) },
        change.body ?? (body === undefined ? undefined : JSON.stringify(body)),
      ),
  };
}

const shards = (shop: Shop) => [...shop.shards.values()];
const nodes = (shop: Shop) => [...shop.nodes.values()];
const signer = tokenSigner(TOKEN_KEY);

/** How to get each answer; given the operation. */
const PROVOKE: Record<string, (id: string) => Promise<Reply>> = {
  200: async (id) => {
    const s = await scene(id);
    if (id === 'checkout' || id === 'purchase') await s.ask();
    return s.ask();
  },
  201: async (id) => (await scene(id)).ask(),
  malformed: async (id) => {
    const s = await scene(id);
    return s.shop.raw(`${METHODS.get(id)} ${PATHS[id]} HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n`);
  },
  'headers-too-large': async (id) => {
    const s = await scene(id);
    const filler = `x-filler: ${'x'.repeat(20_000)}`;
    return s.shop.raw(`${METHODS.get(id)} ${PATHS[id]} HTTP/1.1\r\nhost: x\r\n${filler}\r\n\r\n`);
  },
  'request-timeout': async (id) => {
    const s = await scene(id);
    s.shop.storefront.server.http.headersTimeout = 50;
    s.shop.storefront.server.http.requestTimeout = 50;
    return s.shop.raw(`${METHODS.get(id)} ${PATHS[id]} HTTP/1.1\r\nhost: x\r\nx-never`);
  },
  unauthenticated: async (id) => (await scene(id)).ask({ headers: {} }),
  unavailable: async (id) => {
    const away = (shop: Shop) => {
      for (const store of [...nodes(shop), ...shards(shop)]) store.away = true;
    };
    return (await scene(id, away)).ask();
  },
  'too-large': async (id) => (await scene(id)).ask({ body: 'x'.repeat(5000) }),
  'not-open': async (id) =>
    (await scene(id, (shop) => shop.edit((c) => Object.assign(c.window, { opensAt: shop.clock.wall + 1 })))).ask(),
  closed: async (id) =>
    (await scene(id, (shop) => shop.edit((c) => Object.assign(c.window, { closesAt: shop.clock.wall })))).ask(),
  'not-qualified': async (id) =>
    (await scene(id, (shop) => shop.edit((c) => Object.assign(c.qualification, { deny: { ids: ['alice'] } })))).ask(),
  'quantity-limit': async (id) => (await scene(id)).ask({ body: '{"quantity":4}' }),
  'limit-reached': async (id) =>
    (await scene(id, (shop) => nodes(shop).map((node) => node.ordered.set('alice', 4)))).ask(),
  'reservations-lapsed': async (id) => {
    const lapsing = (shop: Shop) => {
      shop.edit((c) => Object.assign(c.qualification, { reservations: { maxLapsed: 3, cooldown: 90_000 } }));
      for (const node of nodes(shop)) node.lapsed.set('alice', 3);
    };
    return (await scene(id, lapsing)).ask();
  },
  'rate-limited': async (id) => {
    const limited = (shop: Shop) =>
      shop.edit((c) => Object.assign(c.qualification, { rateLimit: { perSecond: 0.01, burst: 1 } }));
    const s = await scene(id, limited);
    await s.ask();
    return s.ask();
  },
  'sold-out': async (id) =>
    (
      await scene(id, (shop) => {
        for (const node of nodes(shop)) node.virtual = 0;
      })
    ).ask(),
  busy: async (id) => {
    if (id === 'purchase') return (await openShop({ admission: { high: 0, low: 0 } })).post('/purchase');
    const s = await scene(id);
    const [shard] = shards(s.shop);
    if (shard === undefined) throw new Error('there is no shard');
    const held = Promise.withResolvers<undefined>();
    shard.order = () => held.promise;
    const path = `/orders/${await orderOf(s.shop)}`;
    // As many as are answered at once and may wait.
    const others = Array.from({ length: 68 }, (_, n) => s.shop.get(path, `other-${n}`));
    await expect.poll(async () => (await s.shop.get(path, 'late')).problem).toBe('busy');
    const reply = await s.ask();
    held.resolve(undefined);
    await Promise.all(others);
    return reply;
  },
  'unsupported-media-type': async (id) => (await scene(id)).ask({ headers: { 'content-type': 'text/plain' } }),
  'cross-site': async (id) => (await scene(id)).ask({ headers: { 'sec-fetch-site': 'cross-site' } }),
  paused: async (id) =>
    (
      await scene(id, (shop) => {
        for (const node of nodes(shop))
          if (node.storedIdentity) node.storedIdentity = { ...node.storedIdentity, paused: true };
      })
    ).ask(),
  'token-invalid': async (id) => (await scene(id)).ask({ body: '{"token":"fs1.x"}' }),
  'token-not-yours': async (id) => (await scene(id)).ask({ headers: { 'x-buyer-id': 'mallory' } }),
  'token-expired': async (id) => {
    const s = await scene(id);
    const verdict = signer.verify(await s.token());
    const claims = verdict.valid ? verdict.claims : undefined;
    if (!claims) throw new Error('not a token');
    return s.ask({ body: JSON.stringify({ token: signer.sign({ ...claims, incarnation: 'before' }) }) });
  },
  shortage: async (id) =>
    (
      await scene(id, (shop) => {
        for (const shard of shards(shop)) shard.available = 0;
      })
    ).ask(),
  'order-not-found': async (id) => (await scene(id)).ask({ headers: { 'x-buyer-id': 'mallory' } }),
  // A client that cleans the path up turns an odd id into another path.
  'not-found': async (id) => (await scene(id)).ask({ path: PATHS[id]?.replace('{order}', 'a/b') ?? '' }),
  'order-final': async (id) => {
    const s = await scene(id);
    const settled = (order: { status: string }) => Object.assign(order, { status: 'final' });
    for (const shard of shards(s.shop)) for (const order of shard.orders.values()) settled(order);
    return s.ask();
  },
  'order-paid': async (id) => {
    const s = await scene(id);
    await s.shop.post(`${PATHS.payOrder}`.replace('{order}', await orderOf(s.shop)), { paymentId: 'p' });
    return s.ask();
  },
  'refund-due': async (id) => {
    const s = await scene(id);
    await s.shop.post(`${PATHS.cancelOrder}`.replace('{order}', await orderOf(s.shop)));
    return s.ask();
  },
};

const orderOf = async (shop: Shop): Promise<string> => {
  const [shard] = shards(shop);
  const [order] = shard?.orders.values() ?? [];
  return `s0-${order?.token}`;
};

describe('the OpenAPI document', () => {
  const promised = OPERATIONS.flatMap((operation) =>
    [...Object.keys(operation.answers), ...problemsOf(operation)].map((answer) => [operation.id, answer] as const),
  );

  test.each(promised)('%s really answers %s', async (id, answer) => {
    const provoke = PROVOKE[answer];
    if (provoke === undefined) throw new Error(`nobody knows how to provoke ${answer}`);
    const reply = await provoke(id);
    expect(reply.problem ?? String(reply.status)).toBe(answer);
    if (answer !== 'not-found') expect(answersSeen).toContain(`${id} ${answer}`);
  });

  test('names every problem there is, but for one that only an unknown method gets', () => {
    const named = new Set(OPERATIONS.flatMap(problemsOf));
    expect(PROBLEM_CODES.filter((code) => !named.has(code))).toEqual(['method-not-allowed']);
  });

  test('is served as it is, with the identity this sale asks for', async () => {
    const shop = await openShop();
    const served = await shop.get('/openapi.json');
    expect(served.body).toEqual(JSON.parse(JSON.stringify(openapi(shop.config.auth, '0.0.0'))));
    const jwt = openapi({ kind: 'jwt', secretFile: 's', buyerClaim: 'sub' }, '1');
    expect(jwt.components.securitySchemes.buyer).toMatchObject({ type: 'http', scheme: 'bearer' });
    expect(openapi(saleConfig(1, 1).auth, '1').components.securitySchemes.buyer).toMatchObject({ name: 'X-Buyer-Id' });
  });

  test('is OpenAPI 3.1 that resolves: every reference leads somewhere, every operation has its own id', () => {
    const document = openapi(saleConfig(1, 1).auth, '1');
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(document.components.schemas).toHaveProperty(name);
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
    expect(document.openapi).toBe('3.1.0');
  });
});
