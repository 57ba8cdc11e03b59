import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';
import { KeySet, KeysUnavailable } from '../../../dataplane/storefront/jwks.ts';

const key = async (kid: string): Promise<JWK> => ({
  ...(await exportJWK((await generateKeyPair('ES256')).publicKey)),
  kid,
  alg: 'ES256',
});
const [first, second] = await Promise.all([key('k1'), key('k2')]);
const MINUTE = 60_000;

/** A provider that serves `keys`, and a clock to move. */
function provider(keys: JWK[] | 'away' = [first]) {
  const state = { keys, now: 0, fetches: 0 };
  const set = new KeySet('https://id.example', {
    now: () => state.now,
    fetch: async () => {
      state.fetches++;
      if (state.keys === 'away') throw new Error('away');
      return { keys: state.keys };
    },
  });
  const find = async (kid: string) => set.find({ alg: 'ES256', kid }, { payload: '', signature: '' });
  return { state, find };
}

describe('the keys of an identity provider', () => {
  test('are fetched once, however many ask at once', async () => {
    const { state, find } = provider();
    await Promise.all(Array.from({ length: 100 }, () => find('k1')));
    expect(state.fetches).toBe(1);
  });

  test('are asked for anew for an unknown key once in half a minute, however many are invented', async () => {
    const { state, find } = provider();
    await find('k1');
    for (let i = 0; i < 4000; i++) {
      state.now += 15;
      await expect(find(`invented-${i}`)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' });
    }
    expect(state.fetches).toBeLessThanOrEqual(3);
  });

  test('are taken over when the provider has a new one', async () => {
    const { state, find } = provider();
    await find('k1');
    state.keys = [first, second];
    state.now += MINUTE;
    await expect(find('k2')).resolves.toBeDefined();
  });

  test('are renewed beside the buyers, and a key that was taken back is forgotten', async () => {
    const { state, find } = provider();
    await find('k1');
    state.keys = [second];
    state.now += 10 * MINUTE;
    // This buyer waits for nobody.
    await find('k1');
    await expect
      .poll(() =>
        find('k1').then(
          () => 'known',
          () => 'unknown',
        ),
      )
      .toBe('unknown');
    expect(state.fetches).toBe(2);
  });

  test('that are stale are used while the provider is away, for a day', async () => {
    const { state, find } = provider();
    await find('k1');
    state.keys = 'away';
    state.now += 23 * 60 * MINUTE;
    await expect(find('k1')).resolves.toBeDefined();
    // Whether another key is good cannot be said now.
    await expect(find('k2')).rejects.toBeInstanceOf(KeysUnavailable);
    state.now += 60 * MINUTE;
    await expect(find('k1')).rejects.toBeInstanceOf(KeysUnavailable);
  });

  test('are asked for seldom of a provider that is away, and again when it is back', async () => {
    const { state, find } = provider('away');
    for (let i = 0; i < 4000; i++) {
      state.now += 15;
      await expect(find('k1')).rejects.toBeInstanceOf(KeysUnavailable);
    }
    // After 1, 2, 4, … s: six in a minute.
    expect(state.fetches).toBeLessThanOrEqual(6);
    state.keys = [first];
    state.now += MINUTE;
    await expect(find('k1')).resolves.toBeDefined();
  });

  test('are not read beyond a quarter of a megabyte', async () => {
    let sent = 0;
    const server = createServer((_request, response) => {
      response.on('error', () => undefined);
      response.writeHead(200, { 'content-type': 'application/json' });
      const part = Buffer.alloc(64 * 1024, ' ');
      const more = () => {
        while (!response.destroyed && sent < 300_000_000) {
          sent += part.length;
          if (!response.write(part)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const set = new KeySet(`http://127.0.0.1:${port}`);
    await expect(set.find({ alg: 'ES256' }, { payload: '', signature: '' })).rejects.toBeInstanceOf(KeysUnavailable);
    expect(sent).toBeLessThan(100_000_000);
  });

  test('are not fetched from where a redirect leads', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(302, { location: '/secrets' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as { port: number };
    const set = new KeySet(`http://127.0.0.1:${port}/jwks`);
    await expect(set.find({ alg: 'ES256' }, { payload: '', signature: '' })).rejects.toBeInstanceOf(KeysUnavailable);
    expect(asked).toEqual(['/jwks']);
  });
});
