import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { AdmissionLimiter, isLimiting } from '../../../dataplane/storefront/admission-limiter.ts';
import { openShop } from './shop.ts';

const WATERMARKS = { high: 4, low: 2 };

test.each([
  [0, false, false],
  [3, false, false],
  [4, false, true],
  [9, false, true],
  [4, true, true],
  [3, true, true],
  [2, true, false],
  [0, true, false],
])('with %i purchases under way, a limiter that turned away before: %s, turns away: %s', (underWay, was, is) => {
  expect(isLimiting(WATERMARKS, was, underWay)).toBe(is);
});

describe('more purchases than the high watermark', () => {
  test('that stays is counted, one that was turned away is not', () => {
    const limiter = new AdmissionLimiter(WATERMARKS);
    const answers = Array.from({ length: 6 }, () => limiter.enter(0, () => 0));
    expect(answers.map((refusal) => refusal?.problem)).toEqual([...Array(4), 'busy', 'busy']);
    expect(limiter.underWay).toBe(4);
    limiter.leave();
    expect(limiter.enter(0, () => 0)?.problem).toBe('busy');
    limiter.leave();
    expect(limiter.enter(0, () => 0)).toBeUndefined();
  });

  test('that is turned away comes back at different moments, the larger it is the later', () => {
    const limiter = new AdmissionLimiter({ high: 0, low: 0 });
    const waits = (second: number, count: number) =>
      new Set(Array.from({ length: count }, (_, i) => limiter.enter(second * 1000, () => i / count)?.retryAfter));
    expect(waits(0, 900)).toEqual(new Set([1]));
    expect(waits(1, 5000)).toEqual(new Set([1, 2]));
    expect(waits(2, 10)).toEqual(new Set([1, 2, 3, 4, 5]));
  });
});

test('R29: buyers beyond the high watermark are told to come back, nothing is done for them, and checkouts go on', async () => {
  const shop = await openShop({ admission: WATERMARKS, virtual: 10, available: 10 });
  const node = shop.nodes.get(nodeId(0));
  if (node === undefined) throw new Error('no node');
  const { token } = (await shop.post('/purchase', {}, 'early')).body;
  const { promise: held, resolve: go } = Promise.withResolvers<void>();
  node.gate = held;
  const waiting = [1, 2, 3, 4].map((n) => shop.post('/purchase', {}, `b${n}`));
  await expect.poll(async () => (await shop.metrics.metrics()).includes('purchases_under_way 4')).toBe(true);
  const away = await shop.post('/purchase', {}, 'late');
  expect([away.status, away.problem, Number(away.headers['retry-after']) >= 1]).toEqual([503, 'busy', true]);
  expect((await shop.post('/checkout', { token }, 'early')).status).toBe(201);
  go();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  expect(node.tokenOf.has('late')).toBe(false);
  expect((await shop.post('/purchase', {}, 'late')).status).toBe(201);
  expect(await shop.metrics.metrics()).toContain('purchases_total{outcome="busy"} 1');
});

test('a sale that is over says so, however many purchases are under way', async () => {
  const shop = await openShop({ admission: { high: 0, low: 0 } });
  shop.edit((c) => Object.assign(c.window, { closesAt: shop.clock.wall }));
  expect((await shop.post('/purchase')).problem).toBe('closed');
});
