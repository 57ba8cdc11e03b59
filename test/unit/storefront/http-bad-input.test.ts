import { connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { openShop, type Shop } from './shop.ts';

const anybody = { 'content-type': 'application/json' };
const json = { 'x-buyer-id': 'alice', ...anybody };
/** Nothing was reserved, nothing sold. */
const untouched = (shop: Shop) => {
  for (const node of shop.nodes.values()) expect([node.virtual, node.reserves]).toEqual([10, 0]);
  for (const shard of shop.shards.values()) expect([shard.available, shard.batches.length]).toEqual([10, 0]);
};

describe('bad input gets its own answer and changes nothing', () => {
  test.each([
    ['POST', '/purchase', json, '{"quantity":', 400, 'malformed', 'The body is not JSON'],
    ['POST', '/purchase', json, '[]', 400, 'malformed', 'must be a JSON object, not an array'],
    ['POST', '/purchase', json, '{"quantity":"1"}', 400, 'malformed', 'not a string'],
    ['POST', '/purchase', json, '{"quantity":1,"x":2}', 400, 'malformed', 'There is no field "x"'],
    ['POST', '/purchase', json, '{"quantity":-1}', 400, 'malformed', 'it was negative'],
    ['POST', '/purchase', json, '{"quantity":0}', 400, 'malformed', 'it was 0'],
    ['POST', '/purchase', json, '{"quantity":0.5}', 400, 'malformed', '0.5 is not'],
    ['POST', '/purchase', json, '{"quantity":99999999999}', 400, 'malformed', 'at most 1000000'],
    ['POST', '/purchase', json, '{"quantity":4}', 403, 'quantity-limit', 'at most 3; this one asked for 4'],
    ['POST', '/purchase', json, `{"quantity":${' '.repeat(5000)}1}`, 413, 'too-large', 'at most 4096 bytes'],
    ['POST', '/purchase', anybody, '{}', 401, 'unauthenticated', 'The header X-Buyer-Id is missing.'],
    ['POST', '/purchase', { ...json, 'x-buyer-id': 'a b' }, '{}', 401, 'unauthenticated', '1 to 128 visible ASCII'],
    ['POST', '/checkout', json, '{"token":7}', 400, 'malformed', '"token" must be a string'],
    ['POST', '/checkout', json, '{}', 400, 'malformed', '"token" is missing'],
    ['POST', '/checkout', json, '', 400, 'malformed', 'The body is not JSON'],
    ['POST', '/checkout', json, '{"token":"fs1.forged"}', 403, 'token-invalid', 'not issued by this sale'],
    ['POST', '/checkout', json, `{"token":"${'x'.repeat(5000)}"}`, 413, 'too-large', 'at most 4096 bytes'],
    ['POST', '/checkout', anybody, '{"token":"x"}', 401, 'unauthenticated', 'is missing'],
    ['POST', '/orders/x/pay', json, '{"paymentId":5}', 400, 'malformed', '"paymentId" must be a string'],
    ['POST', '/orders/x/pay', json, '{"paymentId":""}', 400, 'malformed', '1 to 128 visible'],
    ['POST', '/orders/x/pay', json, 'x'.repeat(5000), 413, 'too-large', 'at most 4096 bytes'],
    [
      'POST',
      '/purchase',
      { ...json, 'content-type': 'text/plain' },
      '{}',
      415,
      'unsupported-media-type',
      'Content-Type',
    ],
    ['POST', '/purchase', { ...json, 'content-type': 'application/jsonp' }, '{}', 415, 'unsupported-media-type', ''],
    ['POST', '/checkout', { 'x-buyer-id': 'alice' }, '{}', 415, 'unsupported-media-type', 'Content-Type'],
    ['POST', '/orders/x/cancel', { 'x-buyer-id': 'alice' }, undefined, 415, 'unsupported-media-type', 'no body'],
    ['POST', '/purchase', { ...json, 'sec-fetch-site': 'cross-site' }, '{}', 403, 'cross-site', 'page of another site'],
    ['POST', '/orders/x/cancel', { ...json, 'sec-fetch-site': 'cross-site' }, '', 403, 'cross-site', 'another site'],
    ['GET', '/orders/x', {}, undefined, 401, 'unauthenticated', 'is missing'],
    ['GET', '/orders/%E0%A4%A', json, undefined, 400, 'malformed', 'cannot be decoded'],
    ['GET', '/nowhere', json, undefined, 404, 'not-found', 'GET /openapi.json'],
    ['POST', '/purchase/', json, '{}', 404, 'not-found', 'GET /openapi.json'],
    ['POST', '/Purchase', json, '{}', 404, 'not-found', 'GET /openapi.json'],
    ['GET', '/purchase', json, undefined, 405, 'method-not-allowed', 'Allowed here: POST.'],
    ['PUT', '/checkout', json, '{}', 405, 'method-not-allowed', 'Allowed here: POST.'],
    ['DELETE', '/orders/x', json, undefined, 405, 'method-not-allowed', 'Allowed here: GET, HEAD.'],
    ['OPTIONS', '/orders/x/pay', json, undefined, 405, 'method-not-allowed', 'Allowed here: POST.'],
    ['POST', '/sale', json, '{}', 405, 'method-not-allowed', 'Allowed here: GET, HEAD.'],
  ] as const)('%s %s %j %.40s: %i %s', async (method, path, headers, body, status, problem, detail) => {
    const shop = await openShop();
    const reply = await shop.send(method, path, headers, body);
    expect([reply.status, reply.problem]).toEqual([status, problem]);
    expect(reply.body.detail).toContain(detail);
    if (status === 405) expect(`Allowed here: ${reply.headers.allow}.`).toBe(detail);
    if (status === 401) expect(reply.headers['www-authenticate']).toBe('Header name="X-Buyer-Id"');
    untouched(shop);
  });

  test('a body that is far too large is answered before it has all arrived', async () => {
    const shop = await openShop();
    const start = 'POST /purchase HTTP/1.1\r\nhost: x\r\nx-buyer-id: alice\r\ncontent-length: 100000000\r\n\r\n';
    const reply = await shop.raw(start + 'x'.repeat(1024 * 1024 + 1));
    expect([reply.status, reply.problem, reply.headers.connection]).toEqual([413, 'too-large', 'close']);
    untouched(shop);
  });

  test('a body in many small pieces is put together', async () => {
    const shop = await openShop();
    const socket = connect(shop.port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('utf8').on('data', (part) => {
      answer += part;
    });
    socket.write(
      'POST /purchase HTTP/1.1\r\nhost: x\r\nx-buyer-id: alice\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    for (const part of '{"quantity":2}') {
      socket.write(`1\r\n${part}\r\n`);
      await setTimeout(1);
    }
    socket.write('0\r\n\r\n');
    await expect.poll(() => answer).toContain('"quantity":2');
    socket.destroy();
  });

  test('headers without end are too large', async () => {
    const shop = await openShop();
    const reply = await shop.raw(`POST /purchase HTTP/1.1\r\nhost: x\r\nx-filler: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect([reply.status, reply.problem]).toEqual([431, 'headers-too-large']);
  });

  test('a request that dribbles in is cut off', async () => {
    const shop = await openShop();
    shop.storefront.server.http.headersTimeout = 50;
    shop.storefront.server.http.requestTimeout = 50;
    const reply = await shop.raw('POST /purchase HTTP/1.1\r\nhost: x\r\nx-buyer');
    expect([reply.status, reply.problem]).toEqual([408, 'request-timeout']);
  });

  test('what is not HTTP is malformed', async () => {
    const shop = await openShop();
    const reply = await shop.raw('HELO shop\r\n\r\n');
    expect([reply.status, reply.problem, reply.headers.connection]).toEqual([400, 'malformed', 'close']);
  });

  test('a client that goes away in the middle harms nobody', async () => {
    const shop = await openShop();
    const socket = connect(shop.port, '127.0.0.1');
    socket.write('POST /purchase HTTP/1.1\r\nhost: x\r\nx-buyer-id: alice\r\ncontent-length: 20\r\n\r\n{"quan');
    await setTimeout(20);
    socket.destroy();
    expect((await shop.post('/purchase', {}, 'bob')).status).toBe(201);
    expect(shop.nodes.get(nodeId(0))?.tokenOf.size).toBe(1);
  });
});
