import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Attempts } from '../../../operator/reconcile/attempts.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const woken = vi.fn();
  const attempts = new Attempts(woken);
  const work = vi.fn(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    ends.push({ works: resolve, fails: (message) => reject(new Error(message)) });
    return promise;
  });
  const ends: { works(): void; fails(message: string): void }[] = [];
  /** Tries the work as a reconcile does, which waits a moment only. */
  const reconcile = async () => {
    const attempt = attempts.try('it', work);
    await vi.advanceTimersByTimeAsync(300);
    return attempt;
  };
  return { attempts, woken, work, ends, reconcile };
}

describe('work beside the reconciles', () => {
  test('that ends soon is waited for', async () => {
    const { attempts, woken } = setUp();
    expect(await attempts.try('it', async () => undefined)).toEqual({ done: true });
    const error = new Error('no');
    expect(await attempts.try('it', () => Promise.reject(error))).toEqual({ done: false, error });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(woken).not.toHaveBeenCalled();
  });

  test('that failed the last time is tried again, and waited for only after it has worked', async () => {
    const { attempts, woken } = setUp();
    const error = new Error('no');
    await attempts.try('it', () => Promise.reject(error));
    expect(await attempts.try('it', async () => undefined)).toEqual({ done: false, error });
    await vi.advanceTimersByTimeAsync(0);
    expect(woken).toHaveBeenCalledTimes(1);
    expect(await attempts.try('it', () => Promise.reject(error))).toEqual({ done: true });
    expect(await attempts.try('it', () => Promise.reject(error))).toEqual({ done: false, error });
  });

  test('that fails is told of each time, for the log', async () => {
    const failed = vi.fn();
    const attempts = new Attempts(() => undefined, failed);
    const error = new Error('no');
    await attempts.try('it', () => Promise.reject(error));
    await attempts.try('it', () => Promise.reject(error));
    await attempts.idle();
    expect(failed.mock.calls).toEqual([
      ['it', error],
      ['it', error],
    ]);
  });

  test('that hangs holds no reconcile up, and is not begun twice', async () => {
    const { reconcile, work } = setUp();
    expect(await reconcile()).toEqual({ done: false });
    expect(await reconcile()).toEqual({ done: false });
    expect(work).toHaveBeenCalledTimes(1);
  });

  test('that works late wakes the sale, whose next reconcile finds it done; the one after that tries anew', async () => {
    const { reconcile, work, ends, woken } = setUp();
    await reconcile();
    ends[0]?.works();
    await vi.advanceTimersByTimeAsync(0);
    expect(woken).toHaveBeenCalledTimes(1);
    expect(await reconcile()).toEqual({ done: true });
    expect(work).toHaveBeenCalledTimes(1);
    await reconcile();
    expect(work).toHaveBeenCalledTimes(2);
  });

  test('that fails late wakes nobody; its error is told until it works', async () => {
    const { reconcile, work, ends, woken } = setUp();
    await reconcile();
    ends[0]?.fails('it hangs');
    await vi.advanceTimersByTimeAsync(0);
    expect(woken).not.toHaveBeenCalled();
    const failed = { done: false, error: new Error('it hangs') };
    expect(await reconcile()).toEqual(failed);
    expect(await reconcile()).toEqual(failed);
    expect(work).toHaveBeenCalledTimes(2);
    ends[1]?.works();
    await vi.advanceTimersByTimeAsync(0);
    expect(await reconcile()).toEqual({ done: true });
    expect(await reconcile()).toEqual({ done: false });
  });

  test('is idle when nothing is under way', async () => {
    const { attempts, reconcile, ends } = setUp();
    await attempts.idle();
    await reconcile();
    let idle = false;
    const waited = attempts.idle().then(() => (idle = true));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(idle).toBe(false);
    ends[0]?.fails('enough');
    await waited;
  });
});
