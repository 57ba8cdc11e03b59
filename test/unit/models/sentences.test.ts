// The properties that hold the models to the stores do look: a model that lacks one of the stores' sentences is told from
// one that has them all, by the same calls that are made of the real stores.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ShardId } from '../../../dataplane/protocol/units.ts';
import { CacheNodeModel } from '../../models/cache-node.ts';
import { anyCall as anyNodeCall } from '../../models/cache-node-calls.ts';
import { asUser, World as NodeWorld, type RealNode, type User } from '../../models/cache-node-world.ts';
import { PoolModel } from '../../models/registry.ts';
import {
  NODE_SENTENCES,
  REGISTRY_SENTENCES,
  SHARD_SENTENCES,
  type WithoutStore,
  withAll,
} from '../../models/sentences.ts';
import { ShardModel } from '../../models/shard.ts';
import { anyCall as anyShardCall, aSale } from '../../models/shard-calls.ts';
import { type RealPool, type RealShard, World as SaleWorld, SHARDS } from '../../models/shard-world.ts';

/** Goes on with each call. */
let time = 1_000_000_000;
const clock = () => time;

/** The model behind the interface of a client, whose every answer is a promise. */
const client = <T extends object>(model: object): T =>
  new Proxy(model, {
    get: (_, name) => {
      const method: unknown = Reflect.get(model, name, model);
      if (typeof method !== 'function') return method;
      return async (...args: unknown[]) => {
        time += 1;
        return method.apply(model, args);
      };
    },
  }) as T;

/** A whole model in the place of the real node. */
function wholeNode(): RealNode {
  const model = new CacheNodeModel({ now: clock });
  const as = <T extends object>(user: User): T => client<T>(asUser(model, user));
  return {
    clients: {
      storefront: as('storefront'),
      pool: as('pool'),
      agent: as('agent'),
      audit: Object.assign(Object.create(as('audit')), {
        async *buyers() {
          yield* model.buyers();
        },
      }),
    },
    restart: async (wipe) => model.restart(wipe ? 'nothing' : 'all'),
    usersAnswer: async () => undefined,
    async issuedLater(buyer, by) {
      const token = model.data.buyers.get(buyer)?.token;
      if (token) token.issued += by;
    },
  };
}

const nodeProperty = (without: WithoutStore) =>
  fc.asyncProperty(fc.array(anyNodeCall, { maxLength: 60, size: 'max' }), async (calls) => {
    const world = new NodeWorld(wholeNode(), without);
    await world.begin();
    await world.compare();
    for (const call of calls) {
      await call.run(world);
      await world.compare();
    }
  });

/** Whole models in the place of the real databases. */
function wholeSale() {
  let drawn = 0;
  const options = () => ({ now: clock, peerIncarnation: `database ${++drawn}` });
  const doors = (model: ShardModel): RealShard => {
    model.migrate();
    return { storefront: client(model), cache: client(model), agent: client(model) };
  };
  const pool = new PoolModel({ ...options(), draw: () => `sale ${++drawn}` });
  const realPool: RealPool = { ...doors(pool), registry: client(pool.registry), operator: client(pool.registry) };
  return {
    pool: realPool,
    shards: new Map<ShardId, RealShard>(SHARDS.map((id) => [id, doors(new ShardModel(options()))])),
  };
}

const saleProperty = (without: WithoutStore) =>
  fc.asyncProperty(
    fc.constantFrom(aSale, aSale, aSale, aSale, aSale, aSale, []),
    fc.array(anyShardCall, { minLength: 10, maxLength: 60, size: 'max' }),
    async (begin, calls) => {
      const world = await SaleWorld.begin(wholeSale(), without);
      for (const call of [...begin, ...calls]) {
        world.ticks += 1;
        await call.run(world);
        await world.compare();
      }
    },
  );

/** Tries the same sequences in each run of the tests. */
const found = async (property: fc.IAsyncProperty<unknown>): Promise<boolean> =>
  (await fc.check(property, { numRuns: 1000, seed: 1, endOnFailure: true })).failed;

/** Bounds a failure on a busy machine; each takes less than a second otherwise. */
const LONG = 60_000;

test(
  'a whole model does what a whole model does',
  async () => {
    await fc.assert(nodeProperty(withAll), { numRuns: 50, seed: 1 });
    await fc.assert(saleProperty(withAll), { numRuns: 50, seed: 1 });
  },
  LONG,
);

const lacking =
  (missing: string): WithoutStore =>
  (sentence) =>
    sentence === missing;

test.each(Object.keys(NODE_SENTENCES))(
  'a node without "%s" is found',
  async (missing) => {
    expect(await found(nodeProperty(lacking(missing)))).toBe(true);
  },
  LONG,
);

test.each(Object.keys({ ...SHARD_SENTENCES, ...REGISTRY_SENTENCES }))(
  'a sale without "%s" is found',
  async (missing) => {
    expect(await found(saleProperty(lacking(missing)))).toBe(true);
  },
);
