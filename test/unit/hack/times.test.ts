import { expect, test } from 'vitest';
import { durationText, parseTimes, slowestText } from '../../../hack/lib/times.ts';

test.each([
  [400, '0 s'],
  [59_499, '59 s'],
  [59_500, '1 min 00 s'],
  [3_725_000, '62 min 05 s'],
])('%i ms are %s', (took, text) => {
  expect(durationText(took)).toBe(text);
});

test('the slowest files come first, and no more of them than were asked for', () => {
  const times = parseTimes(
    ['{"file":"a","took":1000}', '{"file":"b","took":61000}', '{"file":"c","took":2000}', ''].join('\n'),
  );
  expect(slowestText(times, 2)).toEqual(['  1 min 01 s  b', '         2 s  c']);
});
