import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ShardId, shardId } from '../../../dataplane/protocol/units.ts';
import { pick, routesFor } from '../../../dataplane/storefront/route.ts';

const shards = (n: number): ShardId[] => Array.from({ length: n }, (_, i) => shardId(i));
const weightsOf = (weights: number[]) => (shard: ShardId) => weights[Number(shard.slice(1))] ?? 0;
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('R8: the shard of a purchase', () => {
  test('is random, in proportion to the units a shard has free', () => {
    const routes = routesFor(shards(4), weightsOf([10, 0, 30, 60]));
    const count = new Map<string | undefined, number>();
    for (let i = 0; i < 1000; i++) {
      const shard = pick(routes, i / 1000);
      count.set(shard, (count.get(shard) ?? 0) + 1);
    }
    expect(Object.fromEntries(count)).toEqual({ s0: 100, s2: 300, s3: 600 });
  });

  test('is never one without free units while another has some', () => {
    const weights = fc.array(fc.integer({ min: -5, max: 5 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(weights, random, (given, r) => {
        const chosen = pick(routesFor(shards(given.length), weightsOf(given)), r);
        const weight = given[Number(chosen?.slice(1))] ?? 0;
        if (given.some((w) => w > 0)) expect(weight).toBeGreaterThan(0);
        else expect(chosen).toBeDefined();
      }),
    );
  });

  test('is any one alike while no free units are known of', () => {
    const routes = routesFor(shards(3), () => 0);
    expect([0, 0.34, 0.67, 0.99].map((r) => pick(routes, r))).toEqual(['s0', 's1', 's2', 's2']);
  });

  test('is none where there is no shard', () => {
    expect(
      pick(
        routesFor([], () => 1),
        0.5,
      ),
    ).toBeUndefined();
  });
});
