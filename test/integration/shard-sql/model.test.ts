// The models of a shard, the pool and the registry, held to the real functions on a real PostgreSQL: random sequences of
// every call; after each of them both have answered the same, hold the same, and every unit is somewhere (R26).

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StockHolderId } from '../../../dataplane/protocol/units.ts';
import { type StoreSentence, type WithoutStore, withAll } from '../../models/sentences.ts';
import { type Fixture, startFixture, type TestShard } from './fixture.ts';
import { anyCall, aSale } from './model-calls.ts';
import { type Databases, SHARDS, World } from './model-world.ts';

let fixture: Fixture;
let databases: Databases;
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
  const pool = await fixture.pool();
  const shards = new Map<StockHolderId, TestShard>([['pool', pool]]);
  for (const id of SHARDS) shards.set(id, await fixture.shard());
  databases = { pool, shards };
});
afterAll(() => fixture.stop());

/** A busy machine makes fewer runs, rather than none in time. */
const TIME = 60_000;

const property = (without: WithoutStore) =>
  fc.asyncProperty(
    fc.constantFrom(true, true, true, true, true, true, false),
    fc.array(anyCall, { minLength: 10, maxLength: 60, size: 'max' }),
    async (begun, calls) => {
      const world = await World.begin(databases, without);
      for (const call of [...(begun ? aSale : []), ...calls]) {
        world.ticks += 1;
        await call.run(world);
        await world.compare();
      }
      await world.compareRows();
    },
  );

test(
  'R9, R18–R22, R26, R27, R31, R33, R34: the databases do what the models do, and every unit is somewhere',
  async () => {
    await fc.assert(property(withAll), { numRuns: 60, interruptAfterTimeLimit: TIME });
  },
  2 * TIME,
);

const SENTENCES: StoreSentence[] = [
  'epoch-refused',
  'closed-refused',
  'known-first',
  'close-checks-epoch',
  'close-before-reading',
  'epoch-resets-closed',
  'epochs-only-rise',
  'locked-then-read',
  'newest-command-wins',
  'chained-transfers',
  'paid-stays-paid',
  'newer-generation',
  'raise-by-reached',
  'unowe-first',
  'owe-only-the-excess',
  'book-current-epoch',
  'book-and-grant-at-once',
  'credit-totals',
  'epoch-compare-and-set',
  'owed-not-dealt',
];
describe('a model without one of its sentences differs from the database', () => {
  test.each(SENTENCES)(
    '%s',
    async (missing) => {
      const found = await fc.check(
        property((sentence) => sentence === missing),
        {
          numRuns: 500,
          endOnFailure: true,
          interruptAfterTimeLimit: TIME,
        },
      );
      expect(found.counterexample).not.toBeNull();
    },
    2 * TIME,
  );
});
