import { createServer, type IncomingMessage } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { AuthConfig } from '../../../dataplane/protocol/config.ts';
import { challenge, identifier } from '../../../dataplane/storefront/authentication.ts';

const request = (headers: Record<string, string>) => ({ headers }) as unknown as IncomingMessage;
const bearer = (token: string) => request({ authorization: `Bearer ${token}` });
const refused = (what: string) => ({ problem: 'unauthenticated', parameters: { what } });
const noSecret = () => {
  throw new Error('no secret is needed');
};

describe('a buyer named by a trusted header', () => {
  const identify = identifier({ kind: 'header', header: 'X-Buyer-Id' }, noSecret);
  const odd = refused('The header X-Buyer-Id must have 1 to 128 visible ASCII characters.');

  test.each(['alice', 'auth0|5f7c', 'a@b.example', '!~', 'x'.repeat(128)])('is %s', (buyer) => {
    expect(identify(request({ 'x-buyer-id': buyer }))).toBe(buyer);
  });

  test('must be there', () => {
    expect(identify(request({}))).toEqual(refused('The header X-Buyer-Id is missing.'));
    expect(identify(request({ 'x-buyer-id': '' }))).toEqual(refused('The header X-Buyer-Id is missing.'));
  });

  test.each([
    ['spaces', 'a b'],
    ['too long', 'x'.repeat(129)],
    ['not ASCII', 'ä'],
    ['sent twice', 'alice, bob'],
  ])('must be well formed: %s is refused', (_, buyer) => {
    expect(identify(request({ 'x-buyer-id': buyer }))).toEqual(odd);
  });
});

describe('a buyer named by a trusted header beside the proxy’s secret', () => {
  const auth: AuthConfig = {
    kind: 'header',
    header: 'X-Buyer-Id',
    proxy: { header: 'X-Proxy-Secret', secretFile: 'proxy' },
  };
  const proxySecret = 'p'.repeat(32);
  const identify = identifier(auth, () => proxySecret);
  const stranger = refused('This request did not come by way of the shop’s own login.');

  test('is believed', () => {
    expect(identify(request({ 'x-buyer-id': 'alice', 'x-proxy-secret': proxySecret }))).toBe('alice');
  });

  test.each([
    ['no secret', {}],
    ['an empty one', { 'x-proxy-secret': '' }],
    ['another one', { 'x-proxy-secret': 'q'.repeat(32) }],
    ['its beginning', { 'x-proxy-secret': 'p'.repeat(31) }],
    ['it twice', { 'x-proxy-secret': `${proxySecret}, ${proxySecret}` }],
    ['one whose characters are not ASCII', { 'x-proxy-secret': `${'p'.repeat(31)}ð` }],
  ])('is not believed with %s', (_, headers) => {
    expect(identify(request({ 'x-buyer-id': 'alice', ...headers }))).toEqual(stranger);
  });

  test('must have a secret that cannot be guessed and that a header can carry', () => {
    expect(() => identifier(auth, () => 'p'.repeat(31))).toThrow(
      'the secret proxy has 31 bytes and must have at least 32',
    );
    expect(() => identifier(auth, () => `${'p'.repeat(32)}ä`)).toThrow(
      'the secret proxy must be visible ASCII characters',
    );
  });
});

test('a sale that says no way to know a buyer lets nobody in', () => {
  const identify = identifier({ kind: 'none' }, noSecret);
  expect(identify(request({ 'x-buyer-id': 'alice' }))).toEqual({ problem: 'unavailable' });
});

describe('a buyer named by a JWT with a shared secret', () => {
  const secret = 'a-shared-secret-of-at-least-32-bytes';
  const auth: AuthConfig = {
    kind: 'jwt',
    secretFile: 'jwt',
    issuer: 'https://id.example',
    audience: 'shop',
    buyerClaim: 'sub',
  };
  const identify = identifier(auth, (name) => (name === 'jwt' ? secret : ''));
  const jwt = (change: (token: SignJWT) => SignJWT = (t) => t, key = secret, alg = 'HS256') =>
    change(
      new SignJWT({}).setSubject('alice').setIssuer('https://id.example').setAudience('shop').setExpirationTime('5m'),
    )
      .setProtectedHeader({ alg })
      .sign(new TextEncoder().encode(key));

  test('is the claim the sale names, also the second time', async () => {
    const token = await jwt();
    expect(await identify(bearer(token))).toBe('alice');
    expect(identify(bearer(token))).toBe('alice');
    expect(await identify(request({ authorization: `bearer ${await jwt()}` }))).toBe('alice');
  });

  test.each([
    ['another key', () => jwt((t) => t, 'another-secret-of-at-least-32-bytes!'), 'The bearer token is not valid here.'],
    ['another algorithm', () => jwt((t) => t, secret, 'HS512'), 'The bearer token is not valid here.'],
    [
      'another issuer',
      () => jwt((t) => t.setIssuer('x')),
      'The bearer token’s claim "iss" is not what this sale asks for.',
    ],
    [
      'another audience',
      () => jwt((t) => t.setAudience('x')),
      'The bearer token’s claim "aud" is not what this sale asks for.',
    ],
    ['its time over', () => jwt((t) => t.setExpirationTime(1000)), 'The bearer token has expired.'],
    [
      'its time not come',
      () => jwt((t) => t.setNotBefore('1h')),
      'The bearer token’s claim "nbf" is not what this sale asks for.',
    ],
    [
      'a name with spaces',
      () => jwt((t) => t.setSubject('a b')),
      'The token’s claim "sub" must have 1 to 128 visible ASCII characters.',
    ],
  ])('is not believed with %s', async (_, make, what) => {
    expect(await identify(bearer(await make()))).toEqual(refused(what));
  });

  test('is not believed without an end, or unsigned', async () => {
    const endless = await new SignJWT({ sub: 'alice', iss: 'https://id.example', aud: 'shop' })
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(secret));
    expect(await identify(bearer(endless))).toMatchObject({ problem: 'unauthenticated' });
    const [, payload] = (await jwt()).split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await identify(bearer(`${none}.${payload}.`))).toEqual(refused('The bearer token is not valid here.'));
    expect(await identify(bearer('not-a-jwt'))).toEqual(refused('The bearer token is not valid here.'));
  });

  test('must have a secret of 32 bytes at least', () => {
    expect(() => identifier(auth, () => 'x'.repeat(31))).toThrow(
      'the secret jwt has 31 bytes and must have at least 32',
    );
  });

  test('must be of the type that the sale names', async () => {
    const typed = identifier({ ...auth, typ: 'at+jwt' }, () => secret);
    const sign = (typ?: string) =>
      new SignJWT({ sub: 'alice', iss: 'https://id.example', aud: 'shop' })
        .setExpirationTime('5m')
        .setProtectedHeader({ alg: 'HS256', ...(typ ? { typ } : {}) })
        .sign(new TextEncoder().encode(secret));
    expect(await typed(bearer(await sign('at+jwt')))).toBe('alice');
    expect(await typed(bearer(await sign('application/at+jwt')))).toBe('alice');
    for (const typ of [undefined, 'JWT', 'id+jwt'])
      expect(await typed(bearer(await sign(typ)))).toEqual(
        refused('The bearer token’s claim "typ" is not what this sale asks for.'),
      );
  });

  test('must be sent as a bearer token', () => {
    expect(identify(request({}))).toEqual(refused('Send a bearer token in the header Authorization.'));
    expect(identify(request({ authorization: 'Basic abc' }))).toEqual(
      refused('The header Authorization must be "Bearer" and a token.'),
    );
    expect(challenge(auth)).toBe('Bearer realm="flashsale"');
  });

  test('is not remembered beyond the token’s own end', async () => {
    const token = await jwt((t) => t.setExpirationTime(Math.floor(Date.now() / 1000) - 3));
    // Within the tolerance for clocks that differ, but not worth remembering.
    expect(await identify(bearer(token))).toBe('alice');
    expect(identify(bearer(token))).toBeInstanceOf(Promise);
  });
});

describe('a buyer named by a JWT with public keys', () => {
  async function provider() {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' };
    let asked = 0;
    let broken = false;
    const server = createServer((_, response) => {
      asked++;
      response
        .writeHead(broken ? 500 : 200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const jwksUri = `http://127.0.0.1:${(server.address() as { port: number }).port}/jwks`;
    return {
      identify: identifier({ kind: 'jwt', jwksUri, buyerClaim: 'buyer' }, noSecret),
      jwt: (kid = 'k1') =>
        new SignJWT({ buyer: 'alice' })
          .setExpirationTime('5m')
          .setProtectedHeader({ alg: 'ES256', kid })
          .sign(privateKey),
      asked: () => asked,
      break: () => {
        broken = true;
      },
      publicKeyText: JSON.stringify(jwk),
    };
  }

  test('is believed by the provider’s keys, which are fetched once', async () => {
    const { identify, jwt, asked } = await provider();
    expect(await identify(bearer(await jwt()))).toBe('alice');
    expect(await identify(bearer(await jwt()))).toBe('alice');
    expect(asked()).toBe(1);
  });

  test('is not believed with a key the provider does not have, or the public key taken for a secret', async () => {
    const { identify, jwt, publicKeyText } = await provider();
    expect(await identify(bearer(await jwt('k2')))).toMatchObject({ problem: 'unauthenticated' });
    const confused = await new SignJWT({ buyer: 'mallory' })
      .setExpirationTime('5m')
      .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
      .sign(new TextEncoder().encode(publicKeyText));
    expect(await identify(bearer(confused))).toMatchObject({ problem: 'unauthenticated' });
  });

  test('may try again while the provider’s keys cannot be had', async () => {
    const { identify, jwt, break: breakIt } = await provider();
    breakIt();
    expect(await identify(bearer(await jwt()))).toEqual({ problem: 'unavailable' });
  });
});
