import { expect, test } from 'vitest';
import type { Refusal } from '../../../dataplane/protocol/problems.ts';
import { OrderLimiter } from '../../../dataplane/storefront/order-limiter.ts';

/** Requests that stay under way until they are ended. */
function scene() {
  const limiter = new OrderLimiter();
  const running: { buyer: string; end(): void }[] = [];
  const ask = (buyer: string, shard: 's0' | 's1' = 's0'): Promise<string | Refusal> =>
    limiter.run(buyer, shard, () => new Promise((resolve) => running.push({ buyer, end: () => resolve(buyer) })));
  const endAll = () => {
    for (const { end } of running.splice(0)) end();
  };
  return { ask, running, endAll };
}

test('one buyer has four requests under way, and everybody else is served', async () => {
  const { ask, running } = scene();
  const bogus = Array.from({ length: 2048 }, () => ask('mallory'));
  const refused = await Promise.all(bogus.slice(4));
  expect(new Set(refused.map((refusal) => JSON.stringify(refusal)))).toEqual(
    new Set(['{"problem":"rate-limited","parameters":{"seconds":1},"retryAfter":1}']),
  );
  const others = Array.from({ length: 28 }, (_, n) => ask(`b${n}`));
  let served = 0;
  void Promise.all(others).then((all) => {
    served = all.length;
  });
  while (served < 28) {
    running.shift()?.end();
    await new Promise(setImmediate);
  }
  expect(await Promise.all(others)).toEqual(Array.from({ length: 28 }, (_, n) => `b${n}`));
});

test('a shard is asked four at once, some wait their turn in order, and the rest is told to come back', async () => {
  const { ask, running, endAll } = scene();
  const asked = Array.from({ length: 100 }, (_, n) => ask(`b${n}`));
  expect(running.length).toBe(4);
  expect(await Promise.all(asked.slice(68))).toEqual(Array(32).fill({ problem: 'busy' }));
  // Another shard has a queue of its own.
  const elsewhere = ask('elsewhere', 's1');
  expect(running.at(-1)?.buyer).toBe('elsewhere');
  const order: string[] = [];
  while (running.length > 0) {
    order.push(...running.map(({ buyer }) => buyer).filter((buyer) => buyer !== 'elsewhere'));
    endAll();
    await new Promise(setImmediate);
  }
  expect(order).toEqual(Array.from({ length: 68 }, (_, n) => `b${n}`));
  expect(await elsewhere).toBe('elsewhere');
});

test('a request that fails gives its turn to the next, and leaves its buyer free', async () => {
  const limiter = new OrderLimiter();
  for (let n = 0; n < 200; n++)
    await expect(limiter.run('alice', 's0', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(await limiter.run('alice', 's0', async () => 'served')).toBe('served');
});
