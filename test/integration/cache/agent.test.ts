// The agent of a cache node, step by step: who is on, in which mode, with which grants, and what it reports. Real
// Redis, real PostgreSQL; the agent runs only when it is told to.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownerNode } from '../../../dataplane/protocol/owner-node.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import { answers, request, reserve } from '../../harness/cache-node.ts';
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

const registryAway = (tier: Tier) => ({ ...tier.pool.registry, read: () => Promise.reject(new StoreUnknown('away')) });
const users = async (tier: Tier) => (await tier.nodeOf('c0').agent.server()).users;

describe('who may use the node', () => {
  test('R32: nobody before it is recovered; then everybody, without a second recovery', async () => {
    const tier = await tiers.start();
    const agent = tier.agent();
    expect(agent.unready()).toBeDefined();
    expect(await agent.attend()).toBe(true);
    expect(await users(tier)).toBe('none');
    expect(await agent.attend()).toBe(false);
    expect(await users(tier)).toBe('all');
    expect(agent.unready()).toBeUndefined();
    await agent.attend();
    expect((await tier.view()).nodes).toMatchObject([{ epoch: 1 }]);
  });

  test('R32: with its data gone it is off at once, its connections ended, and then recovered', async () => {
    const tier = await tiers.start();
    const { epoch } = await tier.enable();
    const agent = tier.agent();
    await agent.attend();
    const connection = tier.nodeOf('c0').redis.raw('storefront', { retryStrategy: () => null });
    await connection.hget('node', 'identity');
    const ended = new Promise((resolve) => connection.once('end', resolve));
    await tier.nodeOf('c0').redis.raw().flushall();
    await agent.attend();
    await ended;
    expect(await tier.enable()).toMatchObject({ epoch: epoch + 1 });
    expect(await tier.wrong()).toEqual([]);
  });

  test('R32: an epoch raised elsewhere turns it off, and it comes back under a newer one', async () => {
    const tier = await tiers.start();
    const { epoch } = await tier.enable();
    await tier.pool.registry.raiseEpoch(tier.pool.incarnation, 'c0', epoch);
    const agent = tier.agent();
    await agent.attend();
    expect(await users(tier)).toBe('none');
    expect(await tier.enable()).toMatchObject({ epoch: epoch + 2 });
  });

  test('users that are on by half are turned on, or off, whole', async () => {
    const tier = await tiers.start();
    await tier.enable();
    await tier.nodeOf('c0').redis.raw().call('ACL', 'SETUSER', 'pool', 'off');
    expect(await users(tier)).toBe('some');
    await tier.agent().attend();
    expect(await users(tier)).toBe('all');
    await tier.nodeOf('c0').redis.raw().call('ACL', 'SETUSER', 'pool', 'off');
    await tier.nodeOf('c0').redis.raw().flushall();
    await tier.agent('c0', { registry: registryAway(tier) }).attend();
    expect(await users(tier)).toBe('none');
  });

  test('R32: with the registry away a fit node stays on, sells and ends its tokens', async () => {
    const tier = await tiers.start();
    await tier.enable();
    const agent = tier.agent('c0', { registry: registryAway(tier) });
    await agent.attend();
    expect(agent.unready()).toBeUndefined();
    await tier.purchase('b', { ttl: 0 });
    await agent.expire();
    await agent.settled();
    expect(await tier.state()).toMatchObject({ virtual: 100, returnedUnits: 1 });
    await agent.report();
    expect(agent.levels).toHaveLength(1);
  });

  test('R32: with the registry away an unfit node is kept off', async () => {
    const tier = await tiers.start();
    await tier.enable();
    await tier.nodeOf('c0').redis.raw().flushall();
    const agent = tier.agent('c0', { registry: registryAway(tier) });
    expect(await agent.attend()).toBe(false);
    expect(await users(tier)).toBe('none');
    expect(agent.unready()).toContain('no-identity');
    expect(await agent.expire()).toBe(false);
    await agent.report();
    expect(agent.levels).toEqual([]);
  });

  test('R32: with the registry away a restarted node waits for it', async () => {
    const tier = await tiers.start();
    const identity = await tier.enable();
    await tier.nodeOf('c0').redis.restart();
    await answers(tier.nodeOf('c0').agent.state);
    const agent = tier.agent('c0', { registry: registryAway(tier) });
    await agent.attend();
    expect(await users(tier)).toBe('none');
    expect(agent.unready()).toBeDefined();
    expect(await tier.enable()).toEqual(identity);
  });

  test('one that was overtaken stands back for a while', async () => {
    const tier = await tiers.start();
    const { registry } = tier.pool;
    let tried = 0;
    const agent = tier.agent('c0', {
      registry: {
        ...registry,
        raiseEpoch: () => {
          tried += 1;
          return Promise.resolve(undefined);
        },
      },
    });
    expect(await agent.attend()).toBe(false);
    await agent.attend();
    expect(tried).toBe(1);
    agent.clock.now += 1500;
    await agent.attend();
    expect(tried).toBe(2);
  });
});

describe('grants', () => {
  test('R33: a restock and a cancelled order become virtual stock while it sells', async () => {
    const tier = await tiers.start({ supply: 10 });
    await tier.enable();
    const agent = tier.agent();
    await tier.pool.operator.setSupply(tier.pool.incarnation, 2, 15);
    await agent.attend();
    expect(await tier.state()).toMatchObject({ virtual: 15, granted: 15 });
    const { registry, incarnation } = tier.pool;
    await registry.tellCancelled(incarnation, 's0', (await tier.pool.view()).shards[0]?.shardIncarnation ?? '', 3);
    expect(await registry.credit(incarnation, 's0', 'c0')).toBe(3);
    await agent.attend();
    await agent.attend();
    expect(await tier.state()).toMatchObject({ virtual: 18, granted: 18 });
    expect(await tier.wrong()).toEqual([]);
  });

  test('granted before the node existed, they are its first stock', async () => {
    const tier = await tiers.start({ supply: 0 });
    await tier.enable();
    expect(await tier.state()).toMatchObject({ virtual: 0 });
    await tier.pool.operator.setSupply(tier.pool.incarnation, 1, 4);
    await tier.agent().attend();
    expect(await tier.state()).toMatchObject({ virtual: 4 });
  });
});

describe('R33: pause and resize', () => {
  test('paused by the resource it lets no purchase through, and sells again after', async () => {
    const tier = await tiers.start();
    const identity = await tier.enable();
    const agent = tier.agent();
    const { storefront } = tier.nodeOf('c0');
    await tier.pool.setPaused(true);
    await agent.attend();
    expect(await reserve(storefront, request(identity))).toEqual({ kind: 'paused' });
    expect(agent.unready()).toBeUndefined();
    await tier.pool.setPaused(false);
    await agent.attend();
    expect(await reserve(storefront, request(identity))).toMatchObject({ kind: 'token' });
  });

  test('more nodes: it drains, then every node takes the new layout and its buyers, and sells at once', async () => {
    const tier = await tiers.start({ supply: 100 });
    const before = await tier.enable('c0');
    const buyers = Array.from({ length: 30 }, (_, i) => `b${i}`);
    for (const buyer of buyers.slice(0, 20)) {
      const held = await tier.purchase(buyer);
      if (held) await tier.checkout(held.token, held.identity);
    }
    const abandoned = await tier.purchase('b25', { ttl: 0 });
    expect(abandoned).toBeDefined();

    await tier.addNode('c1');
    await tier.pool.wantNodes(2);
    await tier.pool.step('none', 'draining');
    const agent = tier.agent('c0');
    await agent.attend();
    const { storefront } = tier.nodeOf('c0');
    expect(await reserve(storefront, request(before))).toEqual({ kind: 'paused' });
    expect(await tier.state('c0')).toMatchObject({ draining: true, liveTokens: 21 });
    await tier.enable('c1');
    expect(await tier.state('c1')).toMatchObject({ draining: true, identity: { layout: 1, count: 1 } });

    await tier.pool.step('draining', 'rebuilding');
    await tier.enable('c0');
    await tier.enable('c1');
    for (const id of ['c0', 'c1'] as const) {
      expect(await tier.state(id)).toMatchObject({ draining: false, identity: { layout: 2, count: 2, paused: false } });
      const known = (await tier.nodeOf(id).redis.raw().keys('b:*')).map((key) => key.slice(2)).sort();
      expect(known).toEqual(
        buyers
          .slice(0, 20)
          .filter((buyer) => ownerNode(buyer, 2) === id)
          .sort(),
      );
    }
    await tier.pool.step('rebuilding', 'none');
    for (const id of ['c0', 'c1'] as const) {
      await tier.agent(id).attend();
      expect(await tier.wrong(id)).toEqual([]);
    }
    // A storefront that still believes in the old layout gets nothing.
    expect(await reserve(tier.nodeOf('c0').storefront, request(before))).toMatchObject({ kind: 'stale' });
    // And whoever ordered under the old layout is known at the new owner node.
    for (const buyer of buyers.slice(0, 20)) {
      const owner = ownerNode(buyer, 2);
      const { identity } = await tier.state(owner);
      expect(await reserve(tier.nodeOf(owner).storefront, request(identity, { buyer }))).toEqual({
        kind: 'limit',
        ordered: 1,
      });
    }
  });

  test('fewer nodes: a leaving node takes the new layout too, and keeps no buyer', async () => {
    const tier = await tiers.start({ nodes: 2, supply: 10 });
    await tier.enable('c0');
    await tier.enable('c1');
    await tier.pool.wantNodes(1);
    await tier.pool.step('none', 'draining');
    for (const id of ['c0', 'c1'] as const) await tier.agent(id).attend();
    const { identity } = await tier.state('c1');
    const taken = await tier.nodeOf('c1').pool.revoke(identity, 100);
    expect(taken).toEqual({ revoked: 5, virtual: 0 });
    await tier.pool.registry.book(tier.pool.incarnation, 'c1', identity.epoch, 5, 'c0');
    await tier.pool.step('draining', 'rebuilding');
    await tier.enable('c0');
    await tier.enable('c1');
    expect(await tier.state('c0')).toMatchObject({ virtual: 10, identity: { layout: 2, count: 1 } });
    expect(await tier.state('c1')).toMatchObject({ virtual: 0, identity: { layout: 2, count: 1 } });
    expect(await tier.nodeOf('c1').redis.raw().keys('b:*')).toEqual([]);
  });
});

describe('levels', () => {
  test('say what the node holds: at once when it changed, else once a second', async () => {
    const tier = await tiers.start();
    const identity = await tier.enable();
    const agent = tier.agent();
    await agent.attend();
    await agent.report();
    await agent.report();
    expect(agent.levels).toHaveLength(1);
    agent.clock.now += 1000;
    await agent.report();
    expect(agent.levels[1]).toEqual(agent.levels[0]);
    await tier.purchase('b', { shard: 's1' });
    await agent.report();
    expect(agent.levels[2]).toMatchObject({
      incarnation: tier.incarnation,
      node: 'c0',
      epoch: identity.epoch,
      layout: 1,
      paused: false,
      virtual: 99,
      liveTokens: 1,
      liveUnits: 1,
      pinned: { s1: 1 },
      granted: 100,
      revoked: 0,
      issued: 1,
    });
  });

  test('keep their order when the agent is another one', async () => {
    const tier = await tiers.start();
    await tier.enable();
    const sequences: [number, number][] = [];
    for (let i = 0; i < 5; i++) {
      const agent = tier.agent();
      await agent.attend();
      await tier.purchase(`b${i}`, { ttl: 0 });
      await agent.report();
      await agent.expire();
      await agent.settled();
      await agent.report();
      sequences.push(...agent.levels.map(({ epoch, sequence }): [number, number] => [epoch, sequence]));
    }
    expect(sequences).toHaveLength(10);
    expect(sequences).toEqual(sequences.toSorted(([e1, s1], [e2, s2]) => e1 - e2 || s1 - s2));
    expect(new Set(sequences.map(String)).size).toBe(10);
  });

  test('that the queue did not take are sent again', async () => {
    const tier = await tiers.start();
    await tier.enable();
    let taken = 0;
    let works = false;
    const agent = tier.agent('c0', {
      bus: {
        publish: async () => {
          taken += 1;
          return works;
        },
      },
    });
    await agent.attend();
    await agent.report();
    await agent.report();
    works = true;
    await agent.report();
    await agent.report();
    expect(taken).toBe(3);
  });
});
