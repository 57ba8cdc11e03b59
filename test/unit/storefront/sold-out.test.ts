import { describe, expect, test } from 'vitest';
import { BELIEVED, SoldOut } from '../../../dataplane/storefront/sold-out.ts';

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
