// A key waits once, runs alone, and comes back later each time it fails.

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KubeError } from '../../../operator/kube/errors.ts';
import { type QueueOptions, startQueue } from '../../../operator/kube/queue.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Work that ends when the test says so. */
function workshop(options: Partial<QueueOptions> = {}) {
  const begun: string[] = [];
  const open = new Map<
    string,
    { resolve: (answer: { again?: number } | undefined) => void; reject: (error: unknown) => void }
  >();
  const retries: [string, number][] = [];
  const queue = startQueue({
    concurrency: 2,
    work: (key) => {
      begun.push(key);
      if (open.has(key)) throw new Error(`${key} runs twice`);
      const { promise, resolve, reject } = Promise.withResolvers<{ again?: number } | undefined>();
      open.set(key, { resolve, reject });
      return promise.finally(() => open.delete(key));
    },
    failed: (key, _, retryIn) => retries.push([key, retryIn]),
    ...options,
  });
  const settle = () => vi.advanceTimersByTimeAsync(0);
  return {
    queue,
    begun,
    retries,
    finish: async (key: string, answer?: { again?: number }) => {
      open.get(key)?.resolve(answer);
      await settle();
    },
    fail: async (key: string, error: unknown = new Error('no')) => {
      open.get(key)?.reject(error);
      await settle();
    },
  };
}

describe('a key', () => {
  test('waits once, however often it is added', async () => {
    const { queue, begun, finish } = workshop({ concurrency: 1 });
    for (const key of ['a', 'b', 'b', 'c', 'b']) queue.add(key);
    expect([begun, queue.length]).toEqual([['a'], 2]);
    for (const key of ['a', 'b', 'c']) await finish(key);
    expect([begun, queue.length]).toEqual([['a', 'b', 'c'], 0]);
  });

  test('that is added while it runs is looked at once more, afterwards', async () => {
    const { queue, begun, finish } = workshop();
    queue.add('a');
    queue.add('a');
    queue.add('a');
    expect(begun).toEqual(['a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
    await finish('a');
    expect(begun).toEqual(['a', 'a']);
  });

  test('that runs and waits does not keep others from a free place', () => {
    const { queue, begun } = workshop();
    for (const key of ['a', 'a', 'b', 'c']) queue.add(key);
    expect([begun, queue.length]).toEqual([['a', 'b'], 1]);
  });
});

test('no more run at once than may', async () => {
  const { queue, begun, finish } = workshop({ concurrency: 2 });
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  expect(begun).toEqual(['a', 'b']);
  await finish('b');
  expect(begun).toEqual(['a', 'b', 'c']);
});

describe('later', () => {
  test('a delayed key comes when its earliest delay is over', async () => {
    const { queue, begun } = workshop();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 300);
    queue.addAfter('a', 2000);
    await vi.advanceTimersByTimeAsync(299);
    expect(begun).toEqual([]);
    await vi.advanceTimersByTimeAsync(2);
    expect(begun).toEqual(['a']);
  });

  test('work that wants to look again does, and a newer look replaces it', async () => {
    const { queue, begun, finish } = workshop();
    queue.add('a');
    await finish('a', { again: 1000 });
    await vi.advanceTimersByTimeAsync(500);
    queue.add('a');
    await finish('a', { again: 1000 });
    await vi.advanceTimersByTimeAsync(900);
    expect(begun).toEqual(['a', 'a']);
    await vi.advanceTimersByTimeAsync(101);
    expect(begun).toEqual(['a', 'a', 'a']);
  });

  test('a look in two months is not one at once', async () => {
    const { queue, begun, finish } = workshop();
    queue.add('a');
    await finish('a', { again: 60 * 24 * 3_600_000 });
    queue.addAfter('b', 60 * 24 * 3_600_000);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(begun).toEqual(['a']);
  });
});

describe('a failure', () => {
  test('is told, and tried again later each time, until it works', async () => {
    const { queue, begun, retries, fail, finish } = workshop({ timing: { first: 100, longest: 1000 } });
    queue.add('a');
    for (let i = 0; i < 6; i++) {
      await fail('a');
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(begun).toHaveLength(7);
    for (const [i, full] of [100, 200, 400, 800, 1000, 1000].entries()) {
      expect(retries[i]?.[1]).toBeGreaterThanOrEqual(full / 2);
      expect(retries[i]?.[1]).toBeLessThanOrEqual(full);
    }
    await finish('a');
    queue.add('a');
    await fail('a');
    expect(retries.at(-1)?.[1]).toBeLessThanOrEqual(100);
  });

  test('of one key holds no other one up', async () => {
    const { queue, begun, fail } = workshop({ concurrency: 1 });
    queue.add('a');
    queue.add('b');
    await fail('a');
    expect(begun).toEqual(['a', 'b']);
  });

  test('for which the server named a time waits that long', async () => {
    const { queue, retries, fail } = workshop();
    queue.add('a');
    await fail('a', new KubeError('slow down', 429, '', { retryAfter: 30_000 }));
    expect(retries).toEqual([['a', 30_000]]);
  });

  test('does not keep news from being looked at', async () => {
    const { queue, begun, fail } = workshop();
    queue.add('a');
    await fail('a');
    queue.add('a');
    expect(begun).toEqual(['a', 'a']);
  });
});

test('stopped, it waits for what runs and begins nothing more', async () => {
  const { queue, begun, finish, retries, fail } = workshop({ concurrency: 2 });
  for (const key of ['a', 'b', 'c']) queue.add(key);
  queue.addAfter('d', 10);
  let stopped = false;
  const stopping = queue.stop().then(() => {
    stopped = true;
  });
  await finish('a', { again: 1 });
  expect(stopped).toBe(false);
  await fail('b');
  await stopping;
  queue.add('e');
  await vi.advanceTimersByTimeAsync(100_000);
  expect(begun).toEqual(['a', 'b']);
  expect(retries).toEqual([]);
});

test('whatever is added when, no key runs twice at once, no place is wasted, and every addition is seen', async () => {
  const script = fc.array(fc.tuple(fc.nat(5), fc.nat(20), fc.boolean()), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(script, fc.integer({ min: 1, max: 3 }), async (steps, concurrency) => {
      const running = new Set<string>();
      const addedAt = new Map<string, number>();
      const seenAt = new Map<string, number>();
      const twice: string[] = [];
      let [clock, most] = [0, 0];
      const queue = startQueue({
        concurrency,
        timing: { first: 1, longest: 4 },
        failed: () => undefined,
        work: async (key) => {
          if (running.has(key)) twice.push(key);
          running.add(key);
          most = Math.max(most, running.size);
          const at = clock++;
          await new Promise((resolve) => setTimeout(resolve, 7));
          running.delete(key);
          const [, , fails] = steps[at] ?? [0, 0, false];
          if (fails) throw new Error('no');
          seenAt.set(key, at);
        },
      });
      for (const [key, pause] of steps) {
        addedAt.set(`k${key}`, clock++);
        queue.add(`k${key}`);
        await vi.advanceTimersByTimeAsync(pause);
      }
      await vi.advanceTimersByTimeAsync(10_000);
      expect(twice).toEqual([]);
      expect(most).toBeLessThanOrEqual(concurrency);
      for (const [key, at] of addedAt) expect(seenAt.get(key)).toBeGreaterThan(at);
      await queue.stop();
    }),
    { numRuns: 60 },
  );
});
