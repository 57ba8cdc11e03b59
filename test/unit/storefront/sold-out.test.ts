import { describe, expect, test } from 'vitest';
import { BELIEVED, RetryAfterPacer, SoldOut } from '../../../dataplane/storefront/sold-out.ts';

describe('R29: what is remembered as sold out', () => {
  test('is believed for its time and not longer', () => {
    const soldOut = new SoldOut();
    soldOut.remember('c0', 1, 'for-good', 100);
    expect(soldOut.recall('c0', 1, 100)).toBe('for-good');
    expect(soldOut.recall('c0', 1, 99 + BELIEVED.forGood)).toBe('for-good');
    expect(soldOut.recall('c0', 1, 100 + BELIEVED.forGood)).toBeUndefined();
    soldOut.remember('c1', 1, 'for-now', 100);
    expect(soldOut.recall('c1', 1, 99 + BELIEVED.forNow)).toBe('for-now');
    expect(soldOut.recall('c1', 1, 100 + BELIEVED.forNow)).toBeUndefined();
  });

  test('holds for its node only, and for this quantity and larger ones', () => {
    const soldOut = new SoldOut();
    soldOut.remember('c0', 2, 'for-good', 0);
    expect([1, 2, 3].map((q) => soldOut.recall('c0', q, 1))).toEqual([undefined, 'for-good', 'for-good']);
    expect(soldOut.recall('c1', 2, 1)).toBeUndefined();
  });

  test('of a large quantity does not make a small one last longer', () => {
    const soldOut = new SoldOut();
    soldOut.remember('c0', 1, 'for-good', 0);
    soldOut.remember('c0', 4, 'for-good', 900);
    expect(soldOut.recall('c0', 1, 1100)).toBeUndefined();
    soldOut.remember('c0', 4, 'for-good', 1100);
    soldOut.remember('c0', 1, 'for-good', 1200);
    expect(soldOut.recall('c0', 1, 1300)).toBe('for-good');
  });

  test('is forgotten as soon as any node is heard to have stock', () => {
    const soldOut = new SoldOut();
    soldOut.remember('c0', 1, 'for-good', 0);
    expect(soldOut.lately(9000)).toBe(true);
    soldOut.forget();
    expect(soldOut.recall('c0', 1, 1)).toBeUndefined();
    expect(soldOut.lately(1)).toBe(false);
  });

  test('is shown for a while when nobody asks any more, then not', () => {
    const soldOut = new SoldOut();
    soldOut.remember('c0', 2, 'for-good', 0);
    expect(soldOut.lately(1)).toBe(false);
    soldOut.remember('c0', 1, 'for-good', 0);
    expect(soldOut.lately(9999)).toBe(true);
    expect(soldOut.lately(10_000)).toBe(false);
  });
});

describe('the time to come back', () => {
  test('is a second for a few, more for a crowd, and short again when it has gone', () => {
    const pace = new RetryAfterPacer();
    let wait = 0;
    const second = (at: number, refusals: number) => {
      for (let i = 0; i < refusals; i++) wait = pace.next(at * 1000 + i / refusals);
      return wait;
    };
    expect(second(1, 500)).toBe(1);
    expect(second(2, 1300)).toBe(1);
    expect(second(3, 400)).toBe(3);
    expect(second(4, 400)).toBe(5);
    expect(second(5, 10)).toBe(5);
    // Of the last five seconds: 810.
    expect(second(8, 10)).toBe(2);
    expect(second(9, 100_000)).toBe(1);
    expect(second(10, 1)).toBe(5);
    expect(second(60, 1)).toBe(1);
  });

  test('holds those who wait to a number a second, however many they are', () => {
    const pace = new RetryAfterPacer();
    const due = new Map<number, number>([[0, 2000]]);
    const asked = Array.from({ length: 40 }, (_, second) => {
      const now = due.get(second) ?? 0;
      for (let i = 0; i < now; i++) {
        const back = second + pace.next(second * 1000 + (i / now) * 1000);
        due.set(back, (due.get(back) ?? 0) + 1);
      }
      return now;
    });
    expect(asked.slice(-8).reduce((sum, n) => sum + n, 0) / 8).toBeLessThanOrEqual(600);
  });
});
