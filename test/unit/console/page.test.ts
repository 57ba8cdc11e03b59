// The parts of the page that decide something; how it looks and behaves is for a browser (test/integration/console).

import { describe, expect, test } from 'vitest';
import { Curve, thinned } from '../../../operator/console/page/curve.js';
import { inOrder, movedBetween } from '../../../operator/console/page/flows.js';
import { latency, number, percent, rate, span, words } from '../../../operator/console/page/format.js';
import { outcomeRows } from '../../../operator/console/page/outcomes.js';
import { sinceInWords } from '../../../operator/console/page/phases.js';
import { counted, quantile } from '../../../operator/console/page/quantiles.js';
import type { SaleSnapshot } from '../../../operator/console/source.ts';

const T0 = 1_700_000_000_000;
const sample = (second: number, sold: number) => ({
  at: T0 + 1000 * second,
  sold,
  available: 1000 - sold,
  virtual: 1000 - sold,
});
const curveOf = (...samples: ReturnType<typeof sample>[]): Curve => {
  const curve = new Curve();
  for (const each of samples) curve.add(each);
  return curve;
};
const seconds = (...sold: number[]) => sold.map((units, second) => sample(second, units));

describe('the curve', () => {
  test('sold per second is what was sold between two samples', () => {
    expect(curveOf(...seconds(0, 0, 10, 40, 40)).columns().perSecond).toEqual([0, 0, 10, 30, 0]);
  });

  test('the rate of now is that of the last three seconds, and unknown at first', () => {
    expect(curveOf(...seconds(0, 300, 600, 600, 600)).perSecond()).toBe(100);
    expect(curveOf(...seconds(7)).perSecond()).toBeUndefined();
  });

  test('cancelled orders are no negative sale', () => {
    expect(Math.min(...curveOf(...seconds(0, 10, 4)).columns().perSecond)).toBe(0);
  });

  test('two samples of nearly the same moment are one', () => {
    const curve = curveOf(sample(0, 0), sample(1, 5), sample(1.2, 6), sample(2, 9));
    expect(curve.columns().sold).toEqual([0, 6, 9]);
  });

  test('a sale that rested for an hour is drawn from shortly before it moved to shortly after', () => {
    const { at } = curveOf(
      sample(0, 0),
      sample(3600, 0),
      sample(3601, 50),
      sample(3602, 90),
      sample(7200, 90),
    ).columns();
    expect(at.at(0)).toBe((T0 + 3_591_000) / 1000);
    expect(at.at(-1)).toBe((T0 + 3_602_000) / 1000);
  });

  test('moments go forward, for a chart draws nothing else', () => {
    const { at } = curveOf(...Array.from({ length: 900 }, (_, second) => sample(second, second))).columns();
    expect(at.every((time, i) => i === 0 || time > (at[i - 1] ?? 0))).toBe(true);
    expect((at.at(-1) ?? 0) - (at[0] ?? 0)).toBeLessThanOrEqual(620);
  });

  test('sold out in as long as from the first sale to the last; unknown to who came later', () => {
    expect(curveOf(...seconds(0, 0, 400, 1000, 1000, 1000)).soldOutIn()).toBe(2000);
    expect(curveOf(...seconds(300, 1000, 1000)).soldOutIn()).toBeUndefined();
    expect(curveOf(...seconds(0, 0)).soldOutIn()).toBeUndefined();
  });

  test('a table has few rows, the newest among them', () => {
    expect(thinned([0, 1, 2, 3, 4, 5, 6], 3)).toEqual([0, 3, 6]);
    expect(thinned([1, 2], 15)).toEqual([1, 2]);
  });
});

describe('latencies', () => {
  const buckets = [{ upTo: 0.01, count: 50 }, { upTo: 0.1, count: 90 }, { count: 100 }];

  test.each([
    [0.25, { seconds: 0.005, beyond: false }],
    [0.5, { seconds: 0.01, beyond: false }],
    [0.7, { seconds: 0.055, beyond: false }],
    [0.99, { seconds: 0.1, beyond: true }],
  ])('%d of the answers took at most %o', (q, found) => {
    expect(quantile(buckets, q)).toEqual({ ...found, seconds: expect.closeTo(found.seconds, 6) });
  });

  test('nobody answered: nothing is known', () => expect(quantile([], 0.5)).toBeUndefined());

  test('between two looks counts what is new', () => {
    const before = [{ upTo: 0.01, count: 50 }, { upTo: 0.1, count: 60 }, { count: 60 }];
    expect(counted(buckets, before)).toEqual([{ upTo: 0.01, count: 0 }, { upTo: 0.1, count: 30 }, { count: 40 }]);
    expect(counted(buckets, buckets)).toBeUndefined();
  });

  test('a storefront that counts anew gives no figure, not a wrong one', () => {
    expect(counted(buckets, [{ upTo: 0.01, count: 80 }, { upTo: 0.1, count: 95 }, { count: 99 }])).toBeUndefined();
  });
});

test('a transfer is what a pair moved more than before', () => {
  const before = [{ from: 'pool', to: 's0', units: 50 }] as const;
  const now = [
    { from: 'pool', to: 's0', units: 50 },
    { from: 's0', to: 's1', units: 4 },
    { from: 's1', to: 's0', units: 9 },
  ] as const;
  expect(movedBetween(before, now)).toEqual([
    { from: 's1', to: 's0', units: 9 },
    { from: 's0', to: 's1', units: 4 },
  ]);
});

test('shards stand in the order of their numbers, the pool before them', () => {
  expect(inOrder(['s10', 's2', 'pool', 's2'])).toEqual(['pool', 's2', 's10']);
});

test('answers are told yes first, then by how often; what never happened is left out', () => {
  const now = { fresh: 10, again: 0, 'sold-out': 30, unavailable: 2, 'not-invented-yet': 1 };
  expect(outcomeRows(now, { fresh: 4, 'sold-out': 30 }, 3)).toEqual([
    { code: 'fresh', words: 'Token handed out', tone: 'yes', count: 10, perSecond: 2 },
    { code: 'sold-out', words: 'Sold out', tone: 'no', count: 30, perSecond: 0 },
    {
      code: 'unavailable',
      words: 'Something did not answer',
      tone: 'trouble',
      count: 2,
      perSecond: expect.closeTo(2 / 3),
    },
    { code: 'not-invented-yet', words: 'Not invented yet', tone: 'no', count: 1, perSecond: expect.closeTo(1 / 3) },
  ]);
});

test.each<[string, Partial<SaleSnapshot>, string]>([
  ['before it opens', { window: { opensAt: T0 + 90_000 } }, 'opens in 1 min 30 s'],
  ['while it is open', { window: {}, openSince: T0 - 42_000 }, 'open for 42 s'],
  ['with an end', { window: { closesAt: T0 + 600_000 }, openSince: T0 - 1000 }, 'open for 1 s · closes in 10 min'],
  ['after its end', { window: { closesAt: T0 - 3_600_000 } }, 'closed 1 h 0 min ago'],
  ['sold out', { phase: 'SoldOut', window: {}, openSince: T0 - 60_000 }, 'in 14 s · open for 1 min 0 s'],
  ['nothing is known', { window: {} }, ''],
])('how long: %s', (_, patch, text) => {
  const sale: SaleSnapshot = { namespace: 'n', name: 's', sku: 'x', stock: 1, at: T0, window: {}, ...patch };
  expect(sinceInWords(sale, 14_000)).toBe(text);
});

test('figures in words', () => {
  expect([number(undefined), number(0), number(1234567)]).toEqual(['–', '0', '1,234,567']);
  expect([rate(undefined), rate(0), rate(0.44), rate(1234.6)]).toEqual(['–', '0', '0.4', '1,235']);
  expect([percent(19_999, 20_000), percent(20_000, 20_000), percent(undefined, 5), percent(1, 0)]).toEqual([
    '99 %',
    '100 %',
    '',
    '',
  ]);
  expect([span(400), span(61_000), span(11 * 60_000), span(90_000_000)]).toEqual([
    '0 s',
    '1 min 1 s',
    '11 min',
    '1 d 1 h',
  ]);
  expect([latency(0.0042), latency(0.044), latency(1.26)]).toEqual(['4.2 ms', '44 ms', '1.3 s']);
  expect(words('rate-limited')).toBe('Rate limited');
});
