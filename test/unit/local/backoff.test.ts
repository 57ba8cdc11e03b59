// How long a process that died waits.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deathsInRow, waitAfter } from '../../../operator/local/backoff.ts';

test('the first wait is short, each next one twice as long, none longer than ten seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 20].map(waitAfter)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('one that had been ready for ten seconds begins anew', () => {
  expect(deathsInRow(7, 10_000)).toBe(1);
  expect(deathsInRow(7, 9_999)).toBe(8);
  expect(deathsInRow(0, 0)).toBe(1);
});

test('however long it dies, it is tried again', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 100_000 }), (deaths) => waitAfter(deaths) <= 10_000));
});
