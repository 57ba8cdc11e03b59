// R28: every token ends as settled or returned, its units come back exactly once, whoever dies and whatever is away.
// Real Redis, real PostgreSQL, agents that run only when they are told to.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CacheAgent } from '../../../dataplane/cache-agent/agent.ts';
import type { ShardId } from '../../../dataplane/protocol/units.ts';
import type { CacheShard } from '../../../dataplane/stores/shard/shard.ts';
import { type request, stored } from '../../harness/cache-node.ts';
import { type Fixture, startFixture } from '../shard-sql/fixture.ts';
import { startTiers, type Tier, type Tiers } from './tier.ts';

let fixture: Fixture;
let tiers: Tiers;
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
  tiers = startTiers(fixture);
});
afterAll(async () => {
  await tiers?.stop();
  await fixture?.stop();
});

async function buy(tier: Tier, buyer: string, patch: Partial<Parameters<typeof request>[1]> = {}) {
  const held = await tier.purchase(buyer, patch);
  if (held === undefined) throw new Error(`${buyer} got no token`);
  return held;
}

/** An agent that knows its node, and no more. */
async function attending(tier: Tier, patch: Parameters<Tier['agent']>[1] = {}) {
  const agent = tier.agent('c0', patch);
  await agent.attend();
  return agent;
}

async function expire(agent: CacheAgent): Promise<void> {
  while (await agent.expire()) await agent.settled();
  await agent.settled();
}

const away = (shard: CacheShard): CacheShard => ({ ...shard, closeTokens: () => Promise.reject(new Error('away')) });

test('R28: abandoned tokens come back, bought ones are settled, though nobody said so', async () => {
  const tier = await tiers.start();
  await tier.enable();
  const bought = await buy(tier, 'bought', { ttl: 0 });
  const told = await buy(tier, 'told', { ttl: 0, shard: 's1' });
  await buy(tier, 'gone', { ttl: 0, shard: 's1' });
  const thinking = await buy(tier, 'thinking');
  for (const { token, identity } of [bought, told]) expect(await tier.checkout(token, identity)).toBe('sold');
  await tier.nodeOf('c0').storefront.settle(told.identity, [told.token]);

  await expire(await attending(tier));
  expect(await tier.state()).toMatchObject({
    virtual: 97,
    liveTokens: 1,
    pinned: { s0: 1 },
    settledUnits: 2,
    returnedUnits: 1,
    closing: 3,
  });
  expect(await stored(tier.nodeOf('c0').storefront, bought.token)).toMatchObject({ state: 'settled' });
  expect(await tier.wrong()).toEqual([]);
  // The buyer who went away may come back; the one who thinks still may buy.
  const again = await buy(tier, 'gone');
  expect(await tier.checkout(again.token, again.identity)).toBe('sold');
  expect(await tier.checkout(thinking.token, thinking.identity)).toBe('sold');
});

test('R28: a token due behind thousands that were sold is found at once', async () => {
  const tier = await tiers.start({ supply: 5000 });
  const identity = await tier.enable();
  for (let i = 0; i < 2400; i += 200) {
    const held = await Promise.all(Array.from({ length: 200 }, (_, n) => buy(tier, `b${i + n}`)));
    await tier.nodeOf('c0').storefront.settle(
      identity,
      held.map(({ token }) => token),
    );
  }
  await buy(tier, 'gone', { ttl: 0 });
  await expire(await attending(tier));
  expect(await tier.state()).toMatchObject({ liveTokens: 0, returnedUnits: 1, settledUnits: 2400 });
});

test('R28: a returned token cannot be sold any more', async () => {
  const tier = await tiers.start();
  await tier.enable();
  const { token, identity } = await buy(tier, 'late', { ttl: 0 });
  await expire(await attending(tier));
  expect(await tier.checkout(token, identity)).toBe('expired');
  expect(await tier.wrong()).toEqual([]);
});

test('R28, R32: an agent that dies between the fence and the return: the next one finds the tokens', async () => {
  const tier = await tiers.start();
  await tier.enable();
  const bought = await buy(tier, 'bought', { ttl: 0 });
  const gone = await buy(tier, 'gone', { ttl: 0 });
  await tier.checkout(bought.token, bought.identity);
  const dying = await attending(tier, {
    passed: () => {
      throw new Error('dies');
    },
  });
  await dying.expire();
  await dying.settled();
  expect(await tier.state()).toMatchObject({ liveTokens: 2, returnedUnits: 0 });
  expect(await tier.checkout(gone.token, gone.identity)).toBe('expired');
  await expire(await attending(tier));
  expect(await tier.state()).toMatchObject({ virtual: 99, liveTokens: 0, settledUnits: 1, returnedUnits: 1 });
  expect(await tier.wrong()).toEqual([]);
});

test('R28: a shard that is away keeps its tokens reserved and holds up nobody else’s', async () => {
  const tier = await tiers.start({ supply: 5000 });
  await tier.enable();
  const count = 2400;
  for (let i = 0; i < count; i += 200)
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => buy(tier, `b${i + n}`, { ttl: 0, shard: i + n < 1200 ? 's1' : 's0' })),
    );
  const reachable = new Set<ShardId>(['s0']);
  const agent = await attending(tier, {
    shard: (id) => {
      const { cache } = tier.shardOf(id);
      return reachable.has(id) ? cache : away(cache);
    },
  });
  await expire(agent);
  expect(await tier.state()).toMatchObject({ virtual: 3800, liveTokens: 1200, pinned: { s1: 1200 } });
  reachable.add('s1');
  await expire(agent);
  expect(await tier.state()).toMatchObject({ virtual: 5000, liveTokens: 0, pinned: {}, returnedUnits: count });
  expect(await tier.wrong()).toEqual([]);
});

test('R28: a shard whose address is not known yet is a shard that is away', async () => {
  const tier = await tiers.start();
  await tier.enable();
  await buy(tier, 'b', { ttl: 0, shard: 's1' });
  let known = false;
  const agent = await attending(tier, { shard: (id) => (known ? tier.shardOf(id).cache : undefined) });
  await expire(agent);
  expect(await tier.state()).toMatchObject({ liveTokens: 1 });
  known = true;
  await expire(agent);
  expect(await tier.state()).toMatchObject({ liveTokens: 0, virtual: 100 });
});

test('R28: a list of an older epoch is void, for the shard and for the node', async () => {
  const tier = await tiers.start();
  await tier.enable();
  await buy(tier, 'old', { ttl: 0 });
  const agent = await attending(tier);
  const recovered = await tier.recover();
  expect(recovered).toMatchObject({ kind: 'recovered', virtual: 100 });
  await expire(agent);
  expect(await tier.state()).toMatchObject({ virtual: 100, liveTokens: 0, returnedUnits: 0 });
  expect(await tier.wrong()).toEqual([]);
});

test('R27, R28: buyers against two expiries, in any order: sold or returned, never both, never neither', async () => {
  const tier = await tiers.start({ supply: 100_000, stock: 100_000 });
  const identity = await tier.enable();
  let round = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), async (scheduler) => {
      round += 1;
      const { storefront, agent: node } = tier.nodeOf('c0');
      const held = await Promise.all(
        [0, 1, 2, 3].map((i) => buy(tier, `r${round}-${i}`, { shard: i % 2 ? 's1' : 's0', ttl: 0 })),
      );
      const step = <T>(call: () => Promise<T>) => scheduler.schedule(Promise.resolve()).then(call);
      const buyer = async ({ token }: (typeof held)[number]) => {
        const outcome = await step(() => tier.checkout(token, identity));
        if (outcome === 'sold') await step(() => storefront.settle(identity, [token]));
        if (outcome !== 'expired') return;
        const next = await step(() => tier.purchase(token.buyer, { ttl: 0 }));
        if (next) await step(() => tier.checkout(next.token, next.identity));
      };
      const expiry = async () => {
        const due = await step(() => node.due(identity, 0, 100));
        for (const shard of ['s0', 's1'] as const) {
          const tokens = due?.tokens.filter((token) => token.shard === shard) ?? [];
          const ids = tokens.map(({ id }) => id);
          const close = () =>
            tier.shardOf(shard).cache.closeTokens(tier.incarnation, 'c0', identity.epoch, due?.upTo ?? 0, ids);
          const ordered = await step(close);
          await step(() =>
            node.finish(
              identity,
              tokens.map((token) => ({ ...token, ordered: ordered?.has(token.id) ?? false })),
            ),
          );
        }
      };
      await scheduler.waitFor(Promise.all([expiry(), expiry(), ...held.map(buyer)]));
      expect(await tier.wrong()).toEqual([]);
    }),
    { numRuns: 40, interruptAfterTimeLimit: 30_000 },
  );
}, 120_000);
