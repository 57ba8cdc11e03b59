// How fast credentials may be tried.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clientOf, LoginDelay } from '../../../operator/console/login-delay.ts';

test('nobody waits before a failure, and others do not wait for somebody’s', () => {
  const delay = new LoginDelay(100);
  expect(delay.turn('10.0.0.1', 0)).toBe(0);
  delay.failed('10.0.0.1', 0);
  expect(delay.turn('10.0.0.2', 0)).toBe(0);
});

test('after a failure attempts wait one after the other, longer each time, and too many are turned away', () => {
  const delay = new LoginDelay(1000);
  delay.failed('10.0.0.1', 0);
  expect([1, 2, 3, 4, 5, 6, 7].map(() => delay.turn('10.0.0.1', 0))).toEqual([
    ...[1000, 2000, 3000, 4000, 5000],
    ...[undefined, undefined],
  ]);
  delay.failed('10.0.0.1', 6000);
  expect(delay.turn('10.0.0.1', 6000)).toBe(2000);
  expect(delay.turn('10.0.0.1', 6000)).toBe(4000);
});

test('a failure is forgotten a minute after the last one', () => {
  const delay = new LoginDelay(1000);
  delay.failed('10.0.0.1', 0);
  expect(delay.turn('10.0.0.1', 60_000)).toBe(0);
  delay.failed('10.0.0.1', 60_000);
  expect(delay.turn('10.0.0.1', 120_001)).toBe(0);
  expect(delay.turn('10.0.0.1', 120_001)).toBe(0);
});

test('whoever guesses wrong, at whatever pace, is heard four times a second at most', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 200 }), (steps) => {
      const delay = new LoginDelay();
      const heard: number[] = [];
      let now = 0;
      delay.failed('a', now);
      for (const step of steps) {
        now += step;
        const wait = delay.turn('a', now);
        if (wait !== undefined) heard.push(now + wait);
      }
      for (const [n, at] of heard.entries()) if (n > 0) expect(at - (heard[n - 1] ?? 0)).toBeGreaterThanOrEqual(250);
    }),
  );
});

test('the addresses of one IPv6 network are one client', () => {
  expect(clientOf('2001:db8:1:2:3:4:5:6')).toBe(clientOf('2001:db8:1:2::9'));
  expect(clientOf('2001:db8::1')).toBe('2001:db8:0:0');
  expect(clientOf('::ffff:10.0.0.1')).toBe('::ffff:10.0.0.1');
});
