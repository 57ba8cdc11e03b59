// Whole-number sharing: nothing is lost to rounding.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apportion, levelDown } from '../../../operator/balancer/shares.ts';

const sum = (amounts: number[]) => amounts.reduce((a, b) => a + b, 0);

describe('apportion', () => {
  test.each([
    [10, [1, 1], [], [5, 5]],
    [10, [1, 1, 1], [], [4, 3, 3]],
    [10, [1, 1, 1], [0, 9, 0], [3, 4, 3]],
    [7, [2, 1], [], [5, 2]],
    [2, [1, 1, 1, 1, 1], [], [1, 1, 0, 0, 0]],
    [0, [1, 2], [], [0, 0]],
    [5, [0, 0], [], [3, 2]],
    [9_973, [1, 1, 1, 1, 1], [], [1995, 1995, 1995, 1994, 1994]],
    [5, [], [], []],
  ])('%i over %j, preferring %j: %j', (total, weights, prefer, expected) =>
    expect(apportion(total, weights, prefer)).toEqual(expected),
  );

  test('adds up exactly, and nobody is off by a unit or more', () => {
    fc.assert(
      fc.property(
        fc.nat(100_000_000),
        fc.array(fc.nat(100_000_000), { minLength: 1, maxLength: 256 }),
        (total, weights) => {
          const parts = apportion(total, weights);
          const whole = sum(weights);
          expect(sum(parts)).toBe(total);
          parts.forEach((part, i) => {
            const exact = whole > 0 ? (total * (weights[i] ?? 0)) / whole : total / weights.length;
            expect(Math.abs(part - exact)).toBeLessThanOrEqual(1.001);
          });
        },
      ),
    );
  });
});

describe('levelDown', () => {
  test.each([
    [[10, 4, 1], 6, [6, 0, 0]],
    [[10, 4, 1], 8, [7, 1, 0]],
    [[10, 4, 1], 7, [6, 1, 0]],
    [[5, 5, 5], 4, [1, 1, 2]],
    [[3, 2], 99, [3, 2]],
    [[3, 2], 0, [0, 0]],
    [[], 3, []],
  ])('of %j takes %i as %j', (amounts, total, expected) => expect(levelDown(amounts, total)).toEqual(expected));

  test('takes what is asked or all there is, never more than one has, and leaves the givers level', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { maxLength: 20 }), fc.nat(400), (amounts, total) => {
        const taken = levelDown(amounts, total);
        expect(sum(taken)).toBe(Math.min(total, sum(amounts)));
        const kept = amounts.map((amount, i) => amount - (taken[i] ?? 0));
        for (const [i, units] of taken.entries()) expect([units >= 0, (kept[i] ?? 0) >= 0]).toEqual([true, true]);
        const givers = kept.filter((_, i) => (taken[i] ?? 0) > 0);
        expect(Math.max(...kept, 0) - Math.min(...givers, Number.MAX_SAFE_INTEGER)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
