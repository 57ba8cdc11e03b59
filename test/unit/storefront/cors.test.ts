// Pages of origins that the sale names may call a storefront, and no others.

import { request } from 'undici';
import { expect, test } from 'vitest';
import { openShop } from './shop.ts';

const OURS = 'https://shop.example.com';
const open = () => openShop({ change: (c) => Object.assign(c, { cors: { origins: [OURS] } }) });
const preflight = (port: number, origin: string, path = '/purchase') =>
  request(`http://127.0.0.1:${port}${path}`, {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
  });
const click = (origin: string) => ({
  ...{ 'x-buyer-id': 'alice', 'content-type': 'application/json' },
  ...{ 'sec-fetch-site': 'cross-site', origin },
});

test('a preflight of a named origin is answered on every path, hot or not', async () => {
  const { port } = await open();
  for (const path of ['/purchase', '/checkout', '/orders/s0-x/cancel', '/sale']) {
    const { statusCode, headers } = await preflight(port, OURS, path);
    expect(statusCode).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': OURS,
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'content-type, authorization',
      vary: 'origin',
    });
  }
});

test('its page may buy, and read the answer, a refusal as well', async () => {
  const shop = await open();
  const bought = await shop.send('POST', '/purchase', click(OURS), '{"quantity":1}');
  expect([bought.status, bought.headers['access-control-allow-origin']]).toEqual([201, OURS]);
  const refused = await shop.send('POST', '/purchase', click(OURS), '{"quantity":9}');
  expect([refused.problem, refused.headers['access-control-allow-origin']]).toEqual(['quantity-limit', OURS]);
  expect(refused.headers['access-control-expose-headers']).toBe('retry-after');
});

test.each(['https://evil.example', 'https://shop.example.com.evil.example', 'http://shop.example.com', 'null'])(
  'a page of %s may not',
  async (origin) => {
    const shop = await open();
    const asked = await preflight(shop.port, origin);
    expect([asked.statusCode, asked.headers['access-control-allow-origin']]).toEqual([405, undefined]);
    const reply = await shop.send('POST', '/purchase', click(origin), '{"quantity":1}');
    expect([reply.problem, reply.headers['access-control-allow-origin']]).toEqual(['cross-site', undefined]);
  },
);

test('without origins no page of another site may, and an edit lets one in', async () => {
  const shop = await openShop();
  expect((await preflight(shop.port, OURS)).statusCode).toBe(405);
  expect((await shop.send('POST', '/purchase', click(OURS), '{}')).problem).toBe('cross-site');
  shop.edit((c) => Object.assign(c, { cors: { origins: [OURS] } }));
  expect((await shop.send('POST', '/purchase', click(OURS), '{}')).status).toBe(201);
});
