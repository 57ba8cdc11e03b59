import { describe, expect, test } from 'vitest';
import { RetryAfterPacer } from '../../../dataplane/storefront/retry-after-pacer.ts';

describe('the time to come back', () => {
  test('is a second for a few, more for many, and short again when it has gone', () => {
    const pacer = new RetryAfterPacer();
    let wait = 0;
    const second = (at: number, refusals: number) => {
      for (let i = 0; i < refusals; i++) wait = pacer.next(at * 1000 + i / refusals);
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
    const pacer = new RetryAfterPacer();
    const due = new Map<number, number>([[0, 2000]]);
    const asked = Array.from({ length: 40 }, (_, second) => {
      const now = due.get(second) ?? 0;
      for (let i = 0; i < now; i++) {
        const back = second + pacer.next(second * 1000 + (i / now) * 1000);
        due.set(back, (due.get(back) ?? 0) + 1);
      }
      return now;
    });
    expect(asked.slice(-8).reduce((sum, n) => sum + n, 0) / 8).toBeLessThanOrEqual(600);
  });
});
