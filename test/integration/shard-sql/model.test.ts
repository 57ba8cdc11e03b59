// The models of a shard, the pool and the registry, held to the real functions on a real PostgreSQL: random sequences of
// every call; after each of them both have answered the same, hold the same, and every unit is somewhere (R26).

import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import type { ShardId, StockHolderId } from '../../../dataplane/protocol/units.ts';
import { withAll } from '../../models/sentences.ts';
import { anyCall, aSale } from '../../models/shard-calls.ts';
import { SHARDS, World } from '../../models/shard-world.ts';
import { type Fixture, reset, startFixture, type TestPool, type TestShard } from './fixture.ts';
import { compareRows } from './model-rows.ts';

let fixture: Fixture;
let pool: TestPool;
const shards = new Map<ShardId, TestShard>();
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
  pool = await fixture.pool();
  for (const id of SHARDS) shards.set(id, await fixture.shard());
});
afterAll(() => fixture.stop());

/** A busy machine makes fewer runs, rather than none in time. */
const TIME = 40_000;

test(
  'R9, R18–R22, R26, R27, R31, R33, R34: the databases do what the models do, and every unit is somewhere',
  async () => {
    const all = new Map<StockHolderId, TestShard>([...shards, ['pool', pool]]);
    const property = fc.asyncProperty(
      // Now and then there is no sale yet.
      fc.constantFrom(aSale, aSale, aSale, aSale, aSale, aSale, []),
      fc.array(anyCall, { minLength: 10, maxLength: 60, size: 'max' }),
      async (begin, calls) => {
        for (const database of all.values()) await reset(database);
        const world = await World.begin({ pool, shards }, withAll);
        for (const call of [...begin, ...calls]) {
          world.ticks += 1;
          await call.run(world);
          await world.compare();
        }
        await compareRows(world, all);
      },
    );
    await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: TIME });
  },
  3 * TIME,
);
