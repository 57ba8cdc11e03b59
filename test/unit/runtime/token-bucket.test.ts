import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { takeToken } from '../../../dataplane/runtime/token-bucket.ts';

describe('a token bucket', () => {
  test('lets a burst through at once, and then one at a time', () => {
    let fullAt = 0;
    const waits = Array.from({ length: 6 }, () => {
      const taken = takeToken(fullAt, 1000, { perSecond: 10, burst: 3 });
      fullAt = taken.fullAt;
      return taken.wait;
    });
    expect(waits).toEqual([0, 0, 0, 100, 200, 300]);
  });

  test('no second has more than its rate and the burst', () => {
    const askings = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        askings,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (pauses, perSecond, burst) => {
          let [fullAt, now] = [0, 0];
          const sent = pauses.map((pause) => {
            now += pause;
            const taken = takeToken(fullAt, now, { perSecond, burst });
            fullAt = taken.fullAt;
            return now + taken.wait;
          });
          for (const from of sent)
            expect(sent.filter((at) => at >= from && at < from + 1000).length).toBeLessThanOrEqual(perSecond + burst);
          expect(sent).toEqual(sent.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
