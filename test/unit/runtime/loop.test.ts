// When a repeated step runs again.

import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import { type Loop, startLoop, startPeriodicLoop } from '../../../dataplane/runtime/loop.ts';

const EVERY = 100;
const log = pino({ level: 'silent' });

describe('a repeated step', () => {
  let loop: Loop | undefined;
  let runs = 0;
  const start = (step: (run: number) => Promise<boolean | number | undefined>) => {
    loop = startLoop(systemClock, 'tested', EVERY, log, async () => step(++runs));
  };
  /** How often it has run by then. */
  const runsAfter = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms);
    return runs;
  };

  beforeEach(() => {
    vi.useFakeTimers();
    runs = 0;
  });
  afterEach(async () => {
    const stopped = loop?.stop();
    await vi.runAllTimersAsync();
    await stopped;
    vi.useRealTimers();
  });

  test('runs at once, and again after its pause', async () => {
    start(async () => undefined);
    expect(await runsAfter(EVERY - 1)).toBe(1);
    expect(await runsAfter(1)).toBe(2);
  });

  test('of a period runs again one period after its beginning, or when it ends', async () => {
    const takes = [30, 2 * EVERY, 0];
    loop = startPeriodicLoop(systemClock, 'tested', EVERY, log, async () => {
      await new Promise((resolve) => setTimeout(resolve, takes[runs++] ?? 0));
    });
    expect(await runsAfter(EVERY - 1)).toBe(1);
    expect(await runsAfter(1)).toBe(2);
    expect(await runsAfter(2 * EVERY - 1)).toBe(2);
    expect(await runsAfter(2)).toBe(3);
  });

  test('runs again at once while it says that there is more', async () => {
    start(async (run) => run < 5);
    expect(await runsAfter(EVERY / 2)).toBe(5);
    expect(await runsAfter(EVERY / 2 - 1)).toBe(5);
    expect(await runsAfter(EVERY)).toBe(6);
  });

  test('runs again when it says', async () => {
    start(async (run) => (run === 1 ? 3 * EVERY : undefined));
    expect(await runsAfter(3 * EVERY - 1)).toBe(1);
    expect(await runsAfter(1)).toBe(2);
    expect(await runsAfter(EVERY)).toBe(3);
  });

  test('runs at once when it is woken, once more if it is running', async () => {
    start(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return undefined;
    });
    loop?.wake();
    loop?.wake();
    expect(await runsAfter(10)).toBe(2);
    expect(await runsAfter(50)).toBe(2);
    loop?.wake();
    expect(await runsAfter(1)).toBe(3);
  });

  test('is tried again more and more slowly while it fails, and woken by nobody', async () => {
    const at: number[] = [];
    start(async () => {
      at.push(Date.now());
      throw new Error('the server is away');
    });
    await runsAfter(5000);
    loop?.wake();
    await runsAfter(5000);
    const pauses = at.slice(1).map((time, i) => time - (at[i] ?? 0));
    expect(pauses.slice(0, 5)).toEqual([100, 200, 400, 800, 1000]);
    expect(new Set(pauses.slice(5))).toEqual(new Set([1000]));
  });

  test('runs no more once it has stopped', async () => {
    start(async () => undefined);
    await loop?.stop();
    expect(await runsAfter(10 * EVERY)).toBe(1);
  });
});
