// The model of a cache node, held to the real scripts on a real Redis: random sequences of every call, in any order and
// with any mark, identity or token; after each of them both have answered the same and hold the same.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StoreSentence, type WithoutStore, withAll } from '../../models/sentences.ts';
import { anyCall } from './model-calls.ts';
import { RealNode, World } from './model-world.ts';

let node: RealNode;
beforeAll(async () => {
  node = await RealNode.start();
});
afterAll(() => node?.stop());

const property = (without: WithoutStore) =>
  fc.asyncProperty(fc.array(anyCall, { maxLength: 60, size: 'max' }), async (sequence) => {
    const world = new World(node, without);
    await world.begin();
    await world.compare();
    for (const call of sequence) {
      await call.run(world);
      await world.compare();
    }
  });

test('R4, R5, R27, R28, R32: the scripts do what the model does, in any order; granted − revoked = V + live + ordered', async () => {
  await fc.assert(property(withAll), { numRuns: 60, interruptAfterTimeLimit: 60_000 });
}, 120_000);

const SENTENCES: StoreSentence[] = [
  'stale-refused',
  'paused-refused',
  'one-live-token',
  'buyer-limit',
  'virtual-covers',
  'grant-totals',
  'return-only-live',
  'far-future-is-due',
  'draining-stays',
  'recovery-marks',
  'one-run-recovery',
  'users-off-until-recovered',
];
describe('a model without one of its sentences differs from the scripts', () => {
  test.each(SENTENCES)(
    '%s',
    async (missing) => {
      const found = await fc.check(
        property((sentence) => sentence === missing),
        {
          numRuns: 500,
          endOnFailure: true,
          interruptAfterTimeLimit: 60_000,
        },
      );
      expect(found.counterexample).not.toBeNull();
    },
    120_000,
  );
});
