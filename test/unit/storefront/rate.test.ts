import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit } from '../../../dataplane/storefront/rate.ts';

test.each([
  { perSecond: 0.5, burst: 1 },
  { perSecond: 1, burst: 5 },
  { perSecond: 3, burst: 2 },
  { perSecond: 8, burst: 4 },
])('R3: $perSecond a second with a burst of $burst lets through what a bucket of tokens would', (limit) => {
  const { perSecond, burst } = limit;
  const rate = new RateLimit(limit);
  let buyers = 0;
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 30 }), (gaps) => {
      const buyer = `buyer-${buyers++}`;
      let tokens = burst;
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        tokens = Math.min(burst, tokens + (gap * perSecond) / 1000);
        const wait = rate.take(buyer, now);
        if (tokens >= 1 - 1e-9) {
          expect(wait).toBe(0);
          tokens -= 1;
        } else expect(wait).toBeCloseTo(((1 - tokens) / perSecond) * 1000, 3);
      }
    }),
  );
});

test('the wait it names is long enough', () => {
  const rate = new RateLimit({ perSecond: 3, burst: 1 });
  expect(rate.take('alice', 0)).toBe(0);
  const wait = rate.take('alice', 100);
  expect(wait).toBeGreaterThan(0);
  expect(rate.take('alice', 100 + wait)).toBe(0);
});

test('a buyer who was forgotten among hundreds of thousands starts anew, and nobody else is touched', () => {
  const rate = new RateLimit({ perSecond: 0.001, burst: 1 });
  const waits = Array.from({ length: 150_000 }, (_, i) => rate.take(`buyer-${i}`, 0));
  expect(Math.max(...new Set(waits))).toBe(0);
  expect(rate.take('buyer-0', 0)).toBe(0);
  expect(rate.take('buyer-149999', 0)).toBeGreaterThan(0);
});
