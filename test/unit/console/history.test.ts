import fc from 'fast-check';
import { expect, test } from 'vitest';
import { History } from '../../../operator/console/history.ts';

const at = (time: number, sold: number) => ({ at: time, sold, available: 100 - sold, virtual: 100 - sold });

test('a sale at rest keeps two samples, however long it rests, and what came before', () => {
  const history = new History();
  history.add(at(0, 0));
  history.add(at(1, 7));
  for (let time = 2; time < 10_000; time++) history.add(at(time, 7));
  expect(history.samples()).toEqual([at(0, 0), at(1, 7), at(9999, 7)]);
});

test('after a rest the curve leaves its line at the last moment of it, not before', () => {
  const history = new History();
  for (const sample of [at(0, 5), at(1, 5), at(2, 5), at(3, 5), at(4, 9)]) history.add(sample);
  expect(history.samples()).toEqual([at(0, 5), at(3, 5), at(4, 9)]);
});

test('the oldest goes when there are too many', () => {
  const history = new History(3);
  for (let time = 0; time < 5; time++) history.add(at(time, time));
  expect(history.samples().map((sample) => sample.at)).toEqual([2, 3, 4]);
});

test('whatever is left out, the curve is the same at every moment', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 }), (sold) => {
      const history = new History();
      for (const [time, units] of sold.entries()) history.add(at(time, units));
      const kept = history.samples();
      const drawn = sold.map((_, time) => {
        const right = kept.findIndex((sample) => sample.at >= time);
        const [from, to] = [kept[Math.max(0, right - 1)], kept[right]];
        // What lies between two samples is a straight line, and only flat ones were left out.
        return to?.at === time || from?.sold === to?.sold ? to?.sold : undefined;
      });
      expect(drawn).toEqual(sold);
    }),
  );
});
