import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import { Batcher } from '../../../dataplane/storefront/batcher.ts';

/** A batcher of numbers, whose batches are answered by hand. */
function numbers(most: number) {
  const batches: number[][] = [];
  const answers: (() => void)[] = [];
  let idle = 0;
  const batcher: Batcher<number> = new Batcher(
    {
      most,
      together: (a, b) => a % 2 === b % 2,
      send(first, batch) {
        expect(batch[0]).toBe(first);
        batches.push(batch);
        return new Promise((resolve) => answers.push(resolve));
      },
      idle: () => {
        idle++;
      },
    },
    systemClock,
  );
  const answer = async () => {
    answers.shift()?.();
    await turn();
  };
  return { batcher, batches, answer, idle: () => idle };
}

test('what arrives in one turn of the event loop travels together, in its order', async () => {
  const { batcher, batches } = numbers(10);
  for (const n of [1, 3, 5]) batcher.push(n);
  await Promise.resolve();
  batcher.push(7);
  expect(batches).toEqual([]);
  await turn();
  expect(batches).toEqual([[1, 3, 5, 7]]);
});

test('one batch is under way at a time, and the next ones gather meanwhile', async () => {
  const { batcher, batches, answer, idle } = numbers(2);
  batcher.push(1);
  await turn();
  for (const n of [3, 5, 7, 2]) batcher.push(n);
  await turn();
  expect([batches, batcher.waiting]).toEqual([[[1]], 4]);
  for (let n = 0; n < 3; n++) await answer();
  expect(batches).toEqual([[1], [3, 5], [7], [2]]);
  expect(idle()).toBe(0);
  await answer();
  expect(idle()).toBe(1);
});

test('what is put back travels again, in front of what came meanwhile', async () => {
  const { batcher, batches, answer } = numbers(10);
  batcher.push(1);
  batcher.push(3);
  await turn();
  batcher.push(5);
  batcher.putBack(batches[0] ?? []);
  await answer();
  expect(batches[1]).toEqual([1, 3, 5]);
});

test('an item that comes after all were sent is sent, too', async () => {
  const { batcher, batches, answer, idle } = numbers(10);
  batcher.push(1);
  await turn();
  await answer();
  batcher.push(2);
  await turn();
  expect(batches).toEqual([[1], [2]]);
  expect(idle()).toBe(1);
});
