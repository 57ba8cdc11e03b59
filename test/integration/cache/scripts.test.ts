// Every outcome of every script of dataplane/stores/cache-node/lua, on a real Redis, through the clients.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ShardId } from '../../../dataplane/protocol/units.ts';
import type { NodeIdentity } from '../../../dataplane/stores/cache-node/cache-node.ts';
import {
  type CacheNodeClients,
  connectAll,
  missing,
  PATIENT_TERMS,
  prepare,
  purchase,
  request,
  reserve,
  stateOf,
  stored,
  tokenId,
} from '../../harness/cache-node.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';

let redis: TestRedis;
let node: CacheNodeClients;

beforeAll(async () => {
  redis = await startRedis({ enabled: true });
  node = await connectAll(redis);
});
afterAll(async () => {
  await node?.close();
  await redis?.stop();
});

const keys = () => redis.raw().keys('*');

describe('reserve', () => {
  test('R4: takes virtual stock at the node and leaves a token that names its shard', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    const wanted = request(identity, { quantity: 2, shard: 's3', perBuyer: 4, ttl: 30_000 });
    const reply = await reserve(node.storefront, wanted);
    const { id, buyer } = wanted;
    expect(reply).toMatchObject({
      kind: 'token',
      fresh: true,
      left: 30_000,
      token: { sequence: 1, id, buyer, quantity: 2, shard: 's3', state: 'live' },
    });
    expect(await stateOf(node.agent)).toMatchObject({
      virtual: 3,
      issued: 1,
      liveTokens: 1,
      liveUnits: 2,
      pinned: { s3: 2 },
    });
    expect(await stored(node.storefront, { sequence: 1, id, buyer })).toEqual(
      reply.kind === 'token' ? reply.token : undefined,
    );
  });

  test('R27: hands a buyer’s live token out again, whatever the second click asks for, and takes nothing', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    const first = await reserve(node.storefront, request(identity, { buyer: 'b', perBuyer: 9 }));
    const again = await reserve(
      node.storefront,
      request(identity, { buyer: 'b', quantity: 3, shard: 's1', ttl: 0, perBuyer: 9 }),
    );
    if (first.kind !== 'token' || again.kind !== 'token') throw new Error('no token');
    expect(again.token).toEqual(first.token);
    expect(again.fresh).toBe(false);
    expect(again.left).toBeGreaterThan(0);
    expect(again.left).toBeLessThanOrEqual(60_000);
    expect((await stateOf(node.agent)).virtual).toBe(4);
  });

  test('R27: a thousand clicks of one buyer at the same moment take one unit', async () => {
    const identity = await prepare(node.agent, { granted: 1000 });
    const replies = await Promise.all(
      Array.from({ length: 1000 }, () => reserve(node.storefront, request(identity, { buyer: 'impatient' }))),
    );
    const tokens = replies.map((r) => (r.kind === 'token' ? r : undefined));
    expect(new Set(tokens.map((t) => t?.token.id)).size).toBe(1);
    expect(tokens.filter((t) => t?.fresh)).toHaveLength(1);
    expect(await stateOf(node.agent)).toMatchObject({ virtual: 999, issued: 1, liveUnits: 1 });
  });

  test('R4, R5, R27: purchases in one call are answered one after the other, as if each had come alone', async () => {
    const identity = await prepare(node.agent, { granted: 4, ordered: 1, buyers: [['old', 1]] });
    const ask = (buyer: string, quantity: number, shard: ShardId) => request(identity, { buyer, quantity, shard });
    const [first, last] = [ask('a', 2, 's0'), ask('d', 1, 's1')];
    const wanted = [first, ask('old', 2, 's0'), ask('b', 3, 's0'), ask('a', 1, 's1'), last, ask('c', 2, 's1')];
    const replies = await node.storefront.reserve({ ...identity, ttl: 60_000, perBuyer: 2, ...PATIENT_TERMS }, wanted);
    const { id, buyer } = first;
    const token = { sequence: 1, id, buyer, quantity: 2, shard: 's0', state: 'live' };
    expect(replies).toMatchObject([
      { kind: 'token', fresh: true, token },
      { kind: 'limit', ordered: 1 },
      { kind: 'limit', ordered: 0 },
      { kind: 'token', fresh: false, left: 60_000, token },
      { kind: 'token', fresh: true, token: { sequence: 2, id: last.id, buyer: 'd', quantity: 1, shard: 's1' } },
      { kind: 'short', virtual: 0 },
    ]);
    const state = await stateOf(node.agent);
    expect(state).toMatchObject({ virtual: 0, issued: 2, liveUnits: 3, pinned: { s0: 2, s1: 1 } });
    expect(await redis.raw().lrange('sequences', 0, -1)).toEqual(['a', 'd']);
    expect(missing(state)).toBe(0);
  });

  test('R33: a stale call does nothing for any of its purchases', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    const wanted = [request(identity), request(identity)];
    const stale = { kind: 'stale', identity };
    expect(
      await node.storefront.reserve({ ...identity, layout: 0, ttl: 1, perBuyer: 1, ...PATIENT_TERMS }, wanted),
    ).toEqual([stale, stale]);
    expect((await stateOf(node.agent)).issued).toBe(0);
  });

  test('R3, R5: beyond the buyer’s limit nothing is deducted and no token exists', async () => {
    const identity = await prepare(node.agent, { granted: 5, ordered: 2, buyers: [['b', 2]] });
    const before = await keys();
    expect(await reserve(node.storefront, request(identity, { buyer: 'b', quantity: 2, perBuyer: 3 }))).toEqual({
      kind: 'limit',
      ordered: 2,
    });
    expect(await keys()).toEqual(before);
    expect(await stateOf(node.agent)).toMatchObject({ virtual: 3, issued: 0, liveUnits: 0 });
    expect((await reserve(node.storefront, request(identity, { buyer: 'b', perBuyer: 3 }))).kind).toBe('token');
  });

  test('R5: without enough virtual stock nothing is deducted', async () => {
    const identity = await prepare(node.agent, { granted: 3 });
    await purchase(node.storefront, identity, { quantity: 2, perBuyer: 2 });
    const before = await keys();
    expect(await reserve(node.storefront, request(identity, { quantity: 2, perBuyer: 2 }))).toEqual({
      kind: 'short',
      virtual: 1,
    });
    expect(await keys()).toEqual(before);
    expect((await stateOf(node.agent)).virtual).toBe(1);
  });

  test.each<[string, Partial<NodeIdentity>]>([
    ['another life of the sale', { incarnation: 'i0' }],
    ['an older epoch', { epoch: 0 }],
    ['an older layout', { layout: 0 }],
  ])('%s is stale: nothing is done, and the answer says what the node is', async (_, wrong) => {
    const identity = await prepare(node.agent, { granted: 5 });
    expect(await reserve(node.storefront, request({ ...identity, ...wrong }))).toEqual({ kind: 'stale', identity });
    expect((await stateOf(node.agent)).issued).toBe(0);
  });

  test('R32: a node without an identity sells nothing', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    await node.agent.beginRecovery(identity.incarnation, identity.epoch + 1_000_000);
    expect(await reserve(node.storefront, request(identity))).toEqual({ kind: 'stale', identity: undefined });
    expect(await node.storefront.identity()).toBeUndefined();
    await redis.raw().flushall();
  });

  test.each(['paused', 'draining'] as const)('R33: a %s node lets no purchase through', async (mode) => {
    const identity = await prepare(node.agent, { granted: 5, mode });
    expect(await reserve(node.storefront, request(identity))).toEqual({ kind: 'paused' });
    expect(await node.storefront.identity()).toEqual({ ...identity, paused: true });
  });

  test('a storefront that expects an older epoch of a paused node is stale, not paused', async () => {
    const identity = await prepare(node.agent, { granted: 5, mode: 'paused' });
    expect(await reserve(node.storefront, request({ ...identity, epoch: 0 }))).toEqual({ kind: 'stale', identity });
  });

  test.each(['with spaces and "quotes"', '日本語の買い手', '1 2 L s0 1 1 1 1 forged', `${'x'.repeat(128)}`])(
    'any text is a buyer: %s',
    async (buyer) => {
      const identity = await prepare(node.agent, { granted: 5 });
      const token = await purchase(node.storefront, identity, { buyer });
      expect(token.buyer).toBe(buyer);
      expect(await stored(node.storefront, token)).toEqual(token);
      await node.storefront.settle(identity, [token]);
      expect(await stored(node.storefront, token)).toEqual({ ...token, state: 'settled' });
    },
  );
});

describe('settle', () => {
  test('R28: a live token becomes an order of its buyer: counted, no longer pinned, and free to buy again', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    const token = await purchase(node.storefront, identity, { buyer: 'b', quantity: 2, perBuyer: 3 });
    await node.storefront.settle(identity, [token]);
    expect(await stored(node.storefront, token)).toEqual({ ...token, state: 'settled' });
    expect(await stateOf(node.agent)).toMatchObject({
      virtual: 3,
      liveTokens: 0,
      liveUnits: 0,
      pinned: {},
      settledUnits: 2,
    });
    expect(await reserve(node.storefront, request(identity, { buyer: 'b', quantity: 2, perBuyer: 3 }))).toEqual({
      kind: 'limit',
      ordered: 2,
    });
    const next = await purchase(node.storefront, identity, { buyer: 'b', perBuyer: 3 });
    expect(next.sequence).toBe(2);
    expect(await stored(node.storefront, token)).toBeUndefined();
  });

  test('R34: twice is once; an unknown token and a wrong id are left alone', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    const token = await purchase(node.storefront, identity, { buyer: 'b' });
    await node.storefront.settle(identity, [
      { ...token, id: tokenId(0) },
      { ...token, sequence: 7 },
      { ...token, buyer: 'nobody' },
    ]);
    expect(await stateOf(node.agent)).toMatchObject({ liveTokens: 1, settledUnits: 0 });
    await node.storefront.settle(identity, [token, token]);
    await node.storefront.settle(identity, [token]);
    expect(await stateOf(node.agent)).toMatchObject({ liveTokens: 0, settledUnits: 1 });
  });

  test('under another epoch it does nothing', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    const token = await purchase(node.storefront, identity);
    await node.storefront.settle({ ...identity, epoch: identity.epoch + 1 }, [token]);
    // The epoch is a number, not a prefix of one: 12 is not 1.
    await node.storefront.settle({ ...identity, epoch: Math.floor(identity.epoch / 10) }, [token]);
    expect(await stored(node.storefront, token)).toEqual(token);
  });
});

describe('due and finish', () => {
  test('R28: due is the prefix whose time has passed; its end is stored; live tokens behind it wait', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    const first = await purchase(node.storefront, identity, { ttl: 0 });
    const sold = await purchase(node.storefront, identity, { ttl: 60_000 });
    const third = await purchase(node.storefront, identity, { ttl: 0, shard: 's1' });
    const fourth = await purchase(node.storefront, identity, { ttl: 60_000 });
    await purchase(node.storefront, identity, { ttl: 0 });
    await node.storefront.settle(identity, [sold]);
    const due = await node.agent.due(identity, 0, 100);
    expect(due).toMatchObject({ upTo: 3, looked: 3, tokens: [first, third] });
    expect((await stateOf(node.agent)).closing).toBe(3);
    expect((await node.agent.due(identity, 3, 100))?.tokens).toEqual([]);
    expect(fourth.sequence).toBe(4);
  });

  test('pages: at most so many numbers are looked at, and the next page begins after them', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    for (let i = 0; i < 5; i++) await purchase(node.storefront, identity, { ttl: 0 });
    const page = async (after: number, limit: number) => {
      const due = await node.agent.due(identity, after, limit);
      return [due?.tokens.map(({ sequence }) => sequence), due?.more];
    };
    expect(await page(0, 2)).toEqual([[1, 2], true]);
    expect(await page(2, 2)).toEqual([[3, 4], true]);
    expect(await page(4, 2)).toEqual([[5], false]);
    expect(await page(5, 2)).toEqual([[], false]);
  });

  test('what is not live any more at the front is never looked at again', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    const tokens = [];
    for (let i = 0; i < 4; i++) tokens.push(await purchase(node.storefront, identity));
    await node.storefront.settle(identity, tokens.slice(0, 3));
    await node.agent.due(identity, 0, 2);
    expect(await redis.raw().hget('node', 'head')).toBe('2');
    await node.agent.due(identity, 0, 100);
    expect(await redis.raw().hget('node', 'head')).toBe('3');
  });

  test('R28: a token that waits for its shard stays in sight, whatever ends behind it', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    const waits = await purchase(node.storefront, identity, { ttl: 0 });
    const sold = await purchase(node.storefront, identity, { ttl: 0 });
    await node.storefront.settle(identity, [sold]);
    for (let round = 0; round < 3; round++)
      expect((await node.agent.due(identity, 0, 100))?.tokens.map(({ id }) => id)).toEqual([waits.id]);
  });

  test('R28: a clock that jumped back keeps nothing: a token issued in the future is due', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    const token = await purchase(node.storefront, identity, { buyer: 'b' });
    const record = String(await redis.raw().get('b:b')).split(' ');
    const issuedAt = Number(record[6]);
    await redis.raw().set('b:b', record.with(6, String(issuedAt + 3600)).join(' '));
    expect((await node.agent.due(identity, 0, 100))?.tokens.map(({ id }) => id)).toEqual([token.id]);
    const again = await reserve(node.storefront, request(identity, { buyer: 'b' }));
    expect(again).toMatchObject({ kind: 'token', left: 60_000 });
    await redis.raw().set('b:b', record.with(6, String(issuedAt + 1)).join(' '));
    expect((await node.agent.due(identity, 0, 100))?.tokens).toEqual([]);
  });

  test('R28: the ordered ones are settled, the others returned: their units are virtual stock again, once', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    const kept = await purchase(node.storefront, identity, { buyer: 'k', quantity: 2, perBuyer: 5 });
    const left = await purchase(node.storefront, identity, { buyer: 'l', quantity: 3, perBuyer: 5, shard: 's1' });
    const ended = [
      { ...kept, ordered: true },
      { ...left, ordered: false },
    ];
    expect(await node.agent.finish(identity, ended)).toBe(true);
    const after = {
      virtual: 7,
      liveTokens: 0,
      liveUnits: 0,
      pinned: {},
      settledUnits: 2,
      returnedUnits: 3,
    };
    expect(await stateOf(node.agent)).toMatchObject(after);
    expect(await node.agent.finish(identity, ended)).toBe(true);
    expect(await stateOf(node.agent)).toMatchObject(after);
    expect(await stored(node.storefront, left)).toBeUndefined();
    expect(await stored(node.storefront, kept)).toMatchObject({ state: 'settled' });
    const again = await purchase(node.storefront, identity, { buyer: 'l', quantity: 5, perBuyer: 5 });
    expect(again.sequence).toBe(3);
  });

  test('a returned token leaves of a buyer what they ordered, and that a reservation lapsed when it was due', async () => {
    const identity = await prepare(node.agent, { granted: 9, ordered: 1, buyers: [['o', 1]] });
    for (const buyer of ['o', 'n']) {
      const token = await purchase(node.storefront, identity, { buyer, perBuyer: 2 });
      await node.agent.finish(identity, [{ ...token, ordered: false }]);
      expect(await redis.raw().get(`b:${buyer}`)).toBe(`${buyer === 'o' ? 1 : 0}:1:${token.due}`);
    }
  });

  test.each([
    ['settle then finish', true],
    ['finish then settle', false],
  ])('R27, R28: %s: whoever is first decides, the other changes nothing', async (_, settleFirst) => {
    const identity = await prepare(node.agent, { granted: 9 });
    const token = await purchase(node.storefront, identity);
    const steps = [
      () => node.storefront.settle(identity, [token]),
      () => node.agent.finish(identity, [{ ...token, ordered: false }]),
    ];
    for (const step of settleFirst ? steps : steps.toReversed()) await step();
    const state = await stateOf(node.agent);
    expect(state).toMatchObject(
      settleFirst
        ? { virtual: 8, settledUnits: 1, returnedUnits: 0 }
        : { virtual: 9, settledUnits: 0, returnedUnits: 1 },
    );
    expect(missing(state)).toBe(0);
  });

  test('another epoch changes nothing', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    const token = await purchase(node.storefront, identity, { ttl: 0 });
    const wrong = { ...identity, epoch: identity.epoch + 1 };
    expect(await node.agent.due(wrong, 0, 100)).toBeUndefined();
    expect(await node.agent.finish(wrong, [{ ...token, ordered: false }])).toBe(false);
    expect(await stateOf(node.agent)).toMatchObject({ liveTokens: 1, closing: 0 });
  });
});

describe('grants and revocations', () => {
  test('R1: V rises by the difference of lifetime totals: a repeat or an older total changes nothing', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    expect(await node.pool.grant(identity, 8)).toBe(true);
    expect(await node.agent.grant(identity, 8)).toBe(true);
    expect(await node.pool.grant(identity, 6)).toBe(true);
    expect(await stateOf(node.agent)).toMatchObject({ virtual: 8, granted: 8 });
    expect(await node.pool.grant({ ...identity, epoch: identity.epoch + 1 }, 100)).toBe(false);
    expect(await stateOf(node.agent)).toMatchObject({ virtual: 8, granted: 8 });
  });

  test('R29: a revocation takes at most what is there and raises the lifetime total', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    expect(await node.pool.revoke(identity, 2)).toEqual({ revoked: 2, virtual: 3 });
    expect(await node.pool.revoke(identity, 9)).toEqual({ revoked: 5, virtual: 0 });
    expect(await node.pool.revoke(identity, 1)).toEqual({ revoked: 5, virtual: 0 });
    expect(await node.pool.revoke({ ...identity, epoch: identity.epoch + 1 }, 1)).toBeUndefined();
    expect(missing(await stateOf(node.agent))).toBe(0);
  });
});

describe('the mode of an identity', () => {
  test('pauses and sells again', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    expect(await node.agent.setMode(identity, 'paused')).toBe(true);
    expect((await stateOf(node.agent)).identity.paused).toBe(true);
    expect(await node.agent.setMode(identity, 'selling')).toBe(true);
    await purchase(node.storefront, identity);
  });

  test('R33: a draining node stays so until it takes a newer layout, whatever a late agent says', async () => {
    const identity = await prepare(node.agent, { granted: 5 });
    expect(await node.agent.setMode(identity, 'draining')).toBe(true);
    expect(await node.agent.setMode(identity, 'selling')).toBe(false);
    expect(await node.agent.setMode(identity, 'paused')).toBe(false);
    expect(await node.agent.setMode(identity, 'draining')).toBe(true);
    expect(await stateOf(node.agent)).toMatchObject({ draining: true });
    const newer = await prepare(node.agent, { granted: 5, layout: 2, mode: 'paused' });
    expect(await node.agent.setMode(identity, 'selling')).toBe(false);
    expect(await node.agent.setMode(newer, 'selling')).toBe(true);
  });
});

describe('recovery', () => {
  test('R32: begins once, only upward, and forgets everything', async () => {
    const { epoch } = await prepare(node.agent, { granted: 5 });
    expect(await node.agent.beginRecovery('i1', epoch)).toBe(false);
    expect(await node.agent.beginRecovery('i1', epoch - 1)).toBe(false);
    expect(await node.agent.state()).toBeDefined();
    expect(await node.agent.beginRecovery('i1', epoch + 1)).toBe(true);
    expect(await node.agent.state()).toBeUndefined();
    expect(await keys()).toEqual(['node']);
    await redis.raw().flushall();
  });

  test('a new life of the sale begins with small epochs again', async () => {
    await prepare(node.agent, { granted: 5 });
    expect(await node.agent.beginRecovery('i2', 1)).toBe(true);
    await redis.raw().flushall();
  });

  test('R32: only the newest recovery writes, and nothing after its end', async () => {
    const identity = await prepare(node.agent, { granted: 9, revoked: 1, ordered: 3, buyers: [['b', 2]] });
    const { incarnation, epoch } = identity;
    expect(await stateOf(node.agent)).toMatchObject({ virtual: 5, granted: 9, revoked: 1, orderedBefore: 3 });
    expect(await node.agent.recoverBuyers(incarnation, epoch, [['b', 0]])).toBe(false);
    expect(await node.agent.endRecovery(identity, 'selling', { granted: 99, revoked: 0, ordered: 0 })).toBe(false);
    await node.agent.beginRecovery(incarnation, epoch + 1);
    expect(await node.agent.recoverBuyers(incarnation, epoch, [['b', 0]])).toBe(false);
    expect(await node.agent.endRecovery(identity, 'selling', { granted: 99, revoked: 0, ordered: 0 })).toBe(false);
    expect(await node.agent.state()).toBeUndefined();
    await redis.raw().flushall();
  });

  test('refuses numbers that cannot be', async () => {
    await expect(prepare(node.agent, { granted: 1, ordered: 2 })).rejects.toThrow('more was ordered');
    expect(await node.agent.state()).toBeUndefined();
  });
});

test('the audit sees every buyer, page by page', async () => {
  const identity = await prepare(node.agent, { granted: 60, ordered: 2, buyers: [['before', 2]] });
  const tokens = [];
  for (let i = 0; i < 50; i++) tokens.push(await purchase(node.storefront, identity, { buyer: `a${i}` }));
  const seen = new Map((await Array.fromAsync(node.audit.buyers())).flat().map((record) => [record.buyer, record]));
  expect(seen.get('before')).toEqual({ buyer: 'before', ordered: 2, token: undefined });
  expect([...seen.values()].flatMap(({ token }) => token ?? []).sort((a, b) => a.sequence - b.sequence)).toEqual(
    tokens,
  );
});

describe('reservations that lapse', () => {
  const terms = { perBuyer: 2, ttl: 0, mostLapsed: 3, cooldown: 60_000 };
  const lapse = async (identity: NodeIdentity, buyer: string) => {
    const token = await purchase(node.storefront, identity, { ...terms, buyer });
    await node.agent.finish(identity, [{ ...token, ordered: false }]);
    return token;
  };

  test('make their buyer wait after so many in a row, and nobody else; no stock is touched', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    await lapse(identity, 'h');
    await lapse(identity, 'h');
    const last = await lapse(identity, 'h');
    const refused = await reserve(node.storefront, request(identity, { ...terms, buyer: 'h' }));
    expect(refused).toMatchObject({ kind: 'lapsed', lapsed: 3, until: last.due + 60_000 });
    expect(refused).toHaveProperty('left', expect.closeTo(60_000, -5));
    expect(await stateOf(node.agent)).toMatchObject({ virtual: 9, issued: 3 });
    expect(await reserve(node.storefront, request(identity, { ...terms, buyer: 'other' }))).toMatchObject({
      kind: 'token',
    });
    // An edit of the sale that allows more lets the buyer in at once.
    expect(await reserve(node.storefront, request(identity, { ...terms, mostLapsed: 4, buyer: 'h' }))).toMatchObject({
      kind: 'token',
    });
  });

  test('are forgiven by an order, however it becomes known', async () => {
    for (const settled of [true, false]) {
      const identity = await prepare(node.agent, { granted: 9 });
      await lapse(identity, 'b');
      await lapse(identity, 'b');
      const bought = await purchase(node.storefront, identity, { ...terms, buyer: 'b' });
      if (settled) await node.storefront.settle(identity, [bought]);
      else await node.agent.finish(identity, [{ ...bought, ordered: true }]);
      await lapse(identity, 'b');
      await lapse(identity, 'b');
      expect(await purchase(node.storefront, identity, { ...terms, buyer: 'b' })).toMatchObject({ state: 'live' });
    }
  });

  test('count no more once the cooldown is over, nor when the clock jumped back behind them', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    for (const shift of [-60_000, 3_600_000]) {
      const buyer = `b${shift}`;
      for (let n = 0; n < 3; n++) await lapse(identity, buyer);
      const [ordered, count, last] = String(await redis.raw().get(`b:${buyer}`)).split(':');
      await redis.raw().set(`b:${buyer}`, `${ordered}:${count}:${Number(last) + shift}`);
      await lapse(identity, buyer);
      expect(await redis.raw().get(`b:${buyer}`)).toMatch(/^0:1:/);
    }
  });

  test('are not forgotten while the next one is live', async () => {
    const identity = await prepare(node.agent, { granted: 9 });
    for (let n = 0; n < 2; n++) await lapse(identity, 'b');
    const token = await purchase(node.storefront, identity, { ...terms, ttl: 60_000, buyer: 'b' });
    expect(await reserve(node.storefront, request(identity, { ...terms, buyer: 'b' }))).toMatchObject({
      ...{ kind: 'token', fresh: false },
      token,
    });
    await node.agent.finish(identity, [{ ...token, ordered: false }]);
    expect(await redis.raw().get('b:b')).toMatch(/^0:3:/);
  });
});
