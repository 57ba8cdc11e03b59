// How long this layer waits: after failures, and for what a server asks.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jitteredBackoff, spread } from '../../../operator/kube/backoff.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import { waitBeforeRetry } from '../../../operator/kube/retry.ts';

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('backoff', () => {
  test('doubles with each failure, up to the longest wait', () => {
    const waits = [1, 2, 3, 4, 5, 6, 1000].map((failures) =>
      jitteredBackoff(failures, { first: 100, longest: 1500 }, 1),
    );
    expect(waits).toEqual([100, 200, 400, 800, 1500, 1500, 1500]);
  });

  test('is spread over the upper half, so that not everybody comes at once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), random, (failures, chance) => {
        const timing = { first: 100, longest: 5000 };
        const [least, wait, most] = [0, chance, 1].map((r) => jitteredBackoff(failures, timing, r)) as [
          number,
          number,
          number,
        ];
        expect(least).toBe(most / 2);
        expect(wait).toBeGreaterThanOrEqual(least);
        expect(wait).toBeLessThanOrEqual(most);
      }),
    );
  });

  test('a spread time is from once to twice as long', () => {
    expect(spread(100, 0)).toBe(100);
    expect(spread(100, 0.5)).toBe(150);
  });
});

describe('sending again', () => {
  const error = (status: number, reason = '', retryAfter?: number) =>
    new KubeError('x', status, reason, { retryAfter });
  const wait = (failed: KubeError, { sent = 1, repeatable = true } = {}) =>
    waitBeforeRetry(failed, sent, repeatable, 0);

  test.each<[string, KubeError, { sent?: number; repeatable?: boolean }, number | undefined]>([
    ['429 with a time: after that time', error(429, '', 3000), {}, 3000],
    ['429 without one: after a second', error(429), {}, 1000],
    ['429 of what must not be done twice: nothing was done yet', error(429, '', 3000), { repeatable: false }, 3000],
    ['503 with a time', error(503, '', 2000), {}, 2000],
    ['503 of what must not be done twice', error(503, '', 2000), { repeatable: false }, undefined],
    ['503 without a time: the caller has a backoff', error(503), {}, undefined],
    ['a time that is too long to wait here', error(429, '', 60_000), {}, undefined],
    ['a kept connection that was cut: at once', error(0, 'Disconnected'), {}, 0],
    ['cut again', error(0, 'Disconnected'), { sent: 2 }, undefined],
    ['cut, of what must not be done twice', error(0, 'Disconnected'), { repeatable: false }, undefined],
    ['no server there', error(0, 'Unreachable'), {}, undefined],
    ['no answer in time', error(0, 'Timeout'), {}, undefined],
    ['what will not get better', error(422, 'Invalid'), {}, undefined],
    ['the last time of many', error(429, '', 1000), { sent: 5 }, undefined],
  ])('%s', (_, failed, how, expected) => expect(wait(failed, how)).toBe(expected));

  test('those sent away together do not come back together', () => {
    expect(waitBeforeRetry(error(429, '', 1000), 1, true, 0.5)).toBe(1100);
  });
});
