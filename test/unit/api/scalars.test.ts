// Durations, moments and quantities mean what Kubernetes and Go mean by them.

import { describe, expect, test } from 'vitest';
import { parseDuration, parseQuantity, parseTimestamp } from '../../../operator/api/scalars.ts';

describe('durations', () => {
  test.each([
    ['0s', 0],
    ['500ms', 500],
    ['120s', 120_000],
    ['15m', 900_000],
    ['1h30m', 5_400_000],
    ['1m1ms', 60_001],
    ['1s1s', 2_000],
  ])('%s is %d ms', (text, millis) => {
    expect(parseDuration(text)).toBe(millis);
  });
  test.each(['', '5', 's', '1d', '1.5s', '-1s', ' 1s', '1s\n', '1 s', '1S'])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow(RangeError);
  });
});

test('moments are milliseconds since 1970', () => {
  expect(parseTimestamp('1970-01-01T01:00:01.5+01:00')).toBe(1_500);
  expect(() => parseTimestamp('soon')).toThrow(RangeError);
});

describe('quantities', () => {
  const value = (text: string): number | undefined => {
    const parsed = parseQuantity(text);
    return parsed && Number(parsed.numerator) / Number(parsed.denominator);
  };
  test.each([
    ['0', 0],
    ['2', 2],
    ['500m', 0.5],
    ['1.5', 1.5],
    ['-1', -1],
    ['1k', 1_000],
    ['1Ki', 1_024],
    ['1.5Gi', 1.5 * 1024 ** 3],
    ['3M', 3_000_000],
    ['1E', 1e18],
    ['1e3', 1_000],
    ['12E-1', 1.2],
    ['5u', 0.000005],
  ])('%s is %d', (text, number) => {
    expect(value(text)).toBe(number);
  });
  test.each(['', 'Gi', '1GB', '1 Gi', '1K', '1ki', 'one', '0x10', '1e', '--1'])('%j is none', (text) => {
    expect(value(text)).toBeUndefined();
  });
});
