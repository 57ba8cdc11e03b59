// R32: a node that lost its data, or is new, gets numbers it can sell by; cut off anywhere, begun twice, with buyers in
// the middle of it. Real Redis, real PostgreSQL.

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NotReady, type RecoveryDeps, recover } from '../../../dataplane/cache-agent/recover.ts';
import { ownerNode } from '../../../dataplane/protocol/owner-node.ts';
import type { NodeIdentity, TokenRecord } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { CacheShard } from '../../../dataplane/stores/shard/shard.ts';
import { answers, request, reserve, stored } from '../../harness/cache-node.ts';
import { until } from '../../harness/until.ts';
import { type Fixture, startFixture } from '../shard-sql/fixture.ts';
import { startTiers, type Tier, type TierOptions, type Tiers } from './tier.ts';

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

const start = (options: TierOptions = {}): Promise<Tier> => tiers.start(options);

interface Held {
  token: TokenRecord;
  identity: NodeIdentity;
}

async function buy(tier: Tier, buyer: string, patch: Partial<Parameters<typeof request>[1]> = {}): Promise<Held> {
  const held = await tier.purchase(buyer, patch);
  if (held === undefined) throw new Error(`${buyer} got no token`);
  return held;
}

/** Three buyers: one sold and settled, one sold whose settle was lost, one who has not decided. */
async function threeBuyers(tier: Tier, round: string | number = '') {
  const [settled, unsettled, undecided] = [
    await buy(tier, `settled${round}`),
    await buy(tier, `unsettled${round}`, { shard: 's1' }),
    await buy(tier, `undecided${round}`, { shard: 's1' }),
  ];
  for (const { token, identity } of [settled, unsettled]) expect(await tier.checkout(token, identity)).toBe('sold');
  await tier.nodeOf('c0').storefront.settle(settled.identity, [settled.token]);
  return { settled, unsettled, undecided };
}

async function loseData(tier: Tier): Promise<void> {
  const { redis, agent } = tier.nodeOf('c0');
  await redis.restart({ wipe: true });
  await answers(agent.state);
}

describe('a recovered node', () => {
  test('R1: a brand-new one has what it was granted, and is off until then', async () => {
    const tier = await start({ nodes: 2, supply: 7 });
    expect(await tier.nodeOf('c0').agent.server()).toMatchObject({ users: 'none' });
    expect(await tier.recover('c0')).toEqual({ kind: 'recovered', epoch: 1, virtual: 4 });
    expect(await tier.recover('c1')).toEqual({ kind: 'recovered', epoch: 1, virtual: 3 });
    expect(await tier.nodeOf('c0').agent.server()).toMatchObject({ users: 'none' });
    expect(await tier.enable('c0')).toMatchObject({ node: 'c0', epoch: 1, layout: 1, count: 2, paused: false });
  });

  test('R32: after losing everything it has what is unsold, and knows what its buyers ordered', async () => {
    const tier = await start();
    await tier.enable();
    const { settled, unsettled, undecided } = await threeBuyers(tier);
    await loseData(tier);
    const identity = await tier.enable();
    expect(await tier.state()).toMatchObject({ virtual: 98, granted: 100, issued: 0, liveUnits: 0, orderedBefore: 2 });
    const { storefront } = tier.nodeOf('c0');
    for (const { token } of [settled, unsettled])
      expect(await reserve(storefront, request(identity, { buyer: token.buyer }))).toEqual({
        kind: 'limit',
        ordered: 1,
      });
    // The undecided token is void, its unit on sale again at once, and its buyer free.
    expect(await tier.checkout(undecided.token, undecided.identity)).toBe('expired');
    const again = await buy(tier, 'undecided');
    expect(await tier.checkout(again.token, again.identity)).toBe('sold');
    // Late settles of the old epoch change nothing.
    await storefront.settle(unsettled.identity, [unsettled.token]);
    expect(await tier.wrong()).toEqual([]);
  });

  test('R32: cancelled orders count as ordered, for the node and for the buyer', async () => {
    const tier = await start();
    await tier.enable();
    const { token, identity } = await buy(tier, 'b');
    const [outcome] = await tier
      .shardOf('s0')
      .storefront.checkout(
        tier.incarnation,
        [{ token: token.id, buyer: 'b', quantity: 1, node: 'c0', epoch: identity.epoch, sequence: token.sequence }],
        3_600_000,
      );
    expect(outcome).toBe('sold');
    expect(await tier.shardOf('s0').storefront.cancel(tier.incarnation, token.id, 'b')).toMatchObject({
      kind: 'cancelled',
    });
    await loseData(tier);
    const now = await tier.enable();
    expect(await tier.state()).toMatchObject({ virtual: 99, orderedBefore: 1 });
    expect(await reserve(tier.nodeOf('c0').storefront, request(now, { buyer: 'b' }))).toEqual({
      kind: 'limit',
      ordered: 1,
    });
  });

  test('R4: knows the buyers whom it owns, whatever node they ordered through', async () => {
    const tier = await start({ nodes: 2 });
    await tier.enable('c0');
    const buyers = Array.from({ length: 20 }, (_, i) => `b${i}`);
    for (const buyer of buyers) {
      const { token, identity } = await buy(tier, buyer, { shard: Number(buyer.slice(1)) % 2 ? 's1' : 's0' });
      await tier.checkout(token, identity);
    }
    for (const id of ['c0', 'c1'] as const) {
      await tier.recover(id);
      const known = (await tier.nodeOf(id).redis.raw().keys('b:*')).map((key) => key.slice(2)).sort();
      expect(known).toEqual(buyers.filter((buyer) => ownerNode(buyer, 2) === id).sort());
    }
    expect(await tier.state('c0')).toMatchObject({ virtual: 30, orderedBefore: 20 });
    expect(await tier.state('c1')).toMatchObject({ virtual: 50, orderedBefore: 0 });
  });

  test('R33: is paused or drains as the registry says at that moment', async () => {
    const tier = await start();
    await tier.pool.setPaused(true);
    await tier.recover();
    expect(await tier.state()).toMatchObject({ identity: { paused: true }, draining: false });
    await tier.pool.wantNodes(2);
    await tier.pool.step('none', 'draining');
    await tier.recover();
    expect(await tier.state()).toMatchObject({ identity: { paused: true, layout: 1, count: 1 }, draining: true });
    await tier.pool.step('draining', 'rebuilding');
    await tier.recover();
    expect(await tier.state()).toMatchObject({ identity: { paused: true, layout: 2, count: 2 }, draining: false });
  });
});

describe('what recovery waits for', () => {
  const unreachable = new Error('away');
  const away: CacheShard = {
    info: () => Promise.reject(unreachable),
    closeTokens: () => Promise.reject(unreachable),
    raiseEpoch: () => Promise.reject(unreachable),
    orderedThrough: () => Promise.reject(unreachable),
    orderedByBuyer: () => Promise.reject(unreachable),
    close: () => Promise.resolve(),
  };

  test('R32: a shard that is away: nothing is done, not even an epoch raised', async () => {
    const tier = await start();
    const deps = tier.recoveryDeps('c0');
    await expect(recover({ ...deps, shard: (id) => (id === 's1' ? away : deps.shard(id)) })).rejects.toBe(unreachable);
    expect((await tier.view()).nodes).toMatchObject([{ id: 'c0', epoch: 0 }]);
  });

  test('R33: a shard that entered the registry and has not joined', async () => {
    const tier = await start();
    await tier.addShard('s2', false);
    await expect(tier.recover()).rejects.toBeInstanceOf(NotReady);
    await tier.joinShard('s2');
    expect(await tier.recover()).toMatchObject({ kind: 'recovered' });
    expect((await tier.shardOf('s2').sql.query('SELECT epoch::int FROM nodes')).rows).toEqual([{ epoch: 1 }]);
  });

  test('a shard whose address is not known yet', async () => {
    const tier = await start();
    await expect(recover({ ...tier.recoveryDeps('c0'), shard: () => undefined })).rejects.toBeInstanceOf(NotReady);
  });
});

class Crash extends Error {}

type Around = <T>(call: () => Promise<T>) => Promise<T>;

/** Every call recovery makes to a store goes through `around`. */
function wrapped(deps: RecoveryDeps, around: Around): RecoveryDeps {
  const wrap = <T extends object>(target: T): T =>
    new Proxy(target, {
      get: (object, name) => {
        const member: unknown = Reflect.get(object, name);
        return typeof member === 'function' ? (...args: unknown[]) => around(() => member.apply(object, args)) : member;
      },
    });
  return {
    ...deps,
    node: wrap(deps.node),
    registry: wrap(deps.registry),
    shard: (id) => {
      const shard = deps.shard(id);
      return shard && wrap(shard);
    },
  };
}

describe('R32: a recovery that is cut off', () => {
  test.each(['before', 'after'] as const)('%s any of its calls: the next one makes everything right', async (when) => {
    const tier = await start();
    await tier.enable();
    let finished = false;
    for (let crashAt = 0; !finished; crashAt++) {
      const { undecided, unsettled } = await threeBuyers(tier, `-${crashAt}`);
      let calls = 0;
      const attempt = recover(
        wrapped(tier.recoveryDeps('c0'), async (call) => {
          const crashes = calls++ === crashAt;
          if (crashes && when === 'before') throw new Crash();
          const answer = await call();
          if (crashes) throw new Crash();
          return answer;
        }),
      );
      finished = await attempt.then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(Crash);
          return false;
        },
      );
      // Meanwhile buyers go on with what they have.
      await tier.checkout(undecided.token, undecided.identity);
      await tier.nodeOf('c0').storefront.settle(unsettled.identity, [unsettled.token]);
      await tier.enable();
      expect(await tier.wrong(), `cut off ${when} call ${crashAt}`).toEqual([]);
      expect(crashAt).toBeLessThan(50);
    }
  });
});

describe('R32: two recoveries of one node', () => {
  test('one held up at any step while the other runs through: it changes nothing any more', async () => {
    const tier = await start();
    await tier.enable();
    let finished = false;
    for (let stopAt = 1; !finished; stopAt++) {
      await threeBuyers(tier, `-${stopAt}`);
      let calls = 0;
      let heldUp = false;
      const outcome = await recover(
        wrapped(tier.recoveryDeps('c0'), async (call) => {
          if (++calls === stopAt) {
            heldUp = true;
            expect(await tier.recover()).toMatchObject({ kind: 'recovered' });
            await tier.enable();
            // And the node has sold by what the other one wrote.
            const { token, identity } = await buy(tier, `between-${stopAt}`);
            await tier.checkout(token, identity);
          }
          return call();
        }),
      );
      finished = !heldUp;
      if (heldUp && stopAt > 4) expect(outcome).toEqual({ kind: 'overtaken' });
      await tier.enable();
      expect(await tier.wrong(), `held up before call ${stopAt}`).toEqual([]);
      expect(stopAt).toBeLessThan(50);
    }
  });

  test('interleaved with each other, with buyers, an expiry and a refill of another node, in any order', async () => {
    const tier = await start({ nodes: 2, supply: 100_000, stock: 100_000 });
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const identity = await tier.enable();
        round += 1;
        const held = await Promise.all(
          [0, 1, 2].map((i) =>
            buy(tier, `r${round}-${i}`, { shard: i === 0 ? 's0' : 's1', ttl: i === 2 ? 0 : 60_000 }),
          ),
        );
        const step: Around = (call) => scheduler.schedule(Promise.resolve()).then(call);
        const recovery = () => recover(wrapped(tier.recoveryDeps('c0'), step)).catch(() => undefined);
        const { storefront, agent, pool: poolNode } = tier.nodeOf('c0');
        const quietly = <T>(call: () => Promise<T>) => step(call).catch(() => undefined);
        const buyer = async ({ token, identity: was }: Held) => {
          const outcome = await quietly(() => tier.checkout(token, was));
          if (outcome === 'sold') await quietly(() => storefront.settle(was, [token]));
          const next = await quietly(() => tier.purchase(token.buyer));
          if (next) await quietly(() => tier.checkout(next.token, next.identity));
        };
        const expiry = async () => {
          const due = await quietly(() => agent.due(identity, 0, 100));
          for (const token of due?.tokens ?? []) {
            const { cache } = tier.shardOf(token.shard);
            const upTo = due?.upTo ?? 0;
            const ordered = await quietly(() =>
              cache.closeTokens(tier.incarnation, 'c0', identity.epoch, upTo, [token.id]),
            );
            if (ordered) await quietly(() => agent.finish(identity, [{ ...token, ordered: ordered.has(token.id) }]));
          }
        };
        const refill = async () => {
          const taken = await quietly(() => poolNode.revoke(identity, 5));
          if (taken)
            await quietly(() =>
              tier.pool.registry.book(tier.pool.incarnation, 'c0', identity.epoch, taken.revoked, 'c1'),
            );
        };
        const all = Promise.all([recovery(), recovery(), expiry(), refill(), ...held.map(buyer)]);
        await scheduler.waitFor(all);
        await tier.enable();
        expect(await tier.wrong()).toEqual([]);
      }),
      { numRuns: 40, interruptAfterTimeLimit: 30_000 },
    );
  }, 120_000);
});

describe('R32: a node that restarts', () => {
  test('Always: with its data it goes on in the same epoch, tokens and all', async () => {
    const tier = await start();
    const identity = await tier.enable();
    const { undecided, settled } = await threeBuyers(tier);
    const before = await tier.state();
    await tier.nodeOf('c0').redis.kill9();
    await tier.nodeOf('c0').redis.restart();
    await answers(tier.nodeOf('c0').agent.state);
    expect(await tier.nodeOf('c0').agent.server()).toMatchObject({ users: 'none' });
    expect(await tier.enable()).toEqual(identity);
    expect(await tier.state()).toEqual(before);
    expect(await stored(tier.nodeOf('c0').storefront, settled.token)).toMatchObject({ state: 'settled' });
    expect(await tier.checkout(undecided.token, undecided.identity)).toBe('sold');
    expect(await tier.wrong()).toEqual([]);
  });

  test('EverySecond: after every restart it recovers, whatever it kept', async () => {
    const tier = await start({ durability: 'EverySecond' });
    const identity = await tier.enable();
    const { undecided } = await threeBuyers(tier);
    await tier.nodeOf('c0').redis.restart();
    await answers(tier.nodeOf('c0').agent.state);
    const after = await tier.enable();
    expect(after).toEqual({ ...identity, epoch: identity.epoch + 1 });
    expect(await tier.checkout(undecided.token, undecided.identity)).toBe('expired');
    expect(await tier.wrong()).toEqual([]);
    // And only after a restart: the next look finds it fit.
    expect(await tier.enable()).toEqual(after);
  });

  test('EverySecond: in the middle of a recovery: what it may have lost gets no identity', async () => {
    const tier = await start({ durability: 'EverySecond' });
    const { redis, agent } = tier.nodeOf('c0');
    await tier.enable();
    await threeBuyers(tier);
    const deps = tier.recoveryDeps('c0');
    const outcome = await recover({
      ...deps,
      node: {
        ...deps.node,
        endRecovery: async (...args) => {
          await redis.restart();
          await answers(agent.state);
          return deps.node.endRecovery(...args);
        },
      },
    });
    expect(outcome).toEqual({ kind: 'overtaken' });
    expect(await agent.state()).toBeUndefined();
    await tier.enable();
    expect(await tier.wrong()).toEqual([]);
  });

  test('R32: rolled back to an older state, it is not enabled by what was judged before', async () => {
    const tier = await start({ durability: 'EverySecond' });
    const { redis, agent, storefront } = tier.nodeOf('c0');
    await tier.enable();
    const { run } = await agent.server();
    const { identity } = await tier.state();
    await redis.kill9();
    await redis.restart();
    await until('the agent to be connected', () => agent.server().catch(() => undefined));
    expect(await agent.enable(run, identity)).toBe(false);
    await expect(storefront.identity()).rejects.toThrow();
  });
});
