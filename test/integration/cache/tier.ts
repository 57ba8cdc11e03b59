// A cache tier for tests: real Redis nodes, real shards and a real registry, in-process agents that run only when they
// are told to, and what must hold between them. Storefronts' and the pool's parts are played by the test.

import { pino } from 'pino';
import { Registry } from 'prom-client';
import { CacheAgent } from '../../../dataplane/cache-agent/agent.ts';
import { cacheMetrics } from '../../../dataplane/cache-agent/metrics.ts';
import { type RecoveryDeps, recover } from '../../../dataplane/cache-agent/recover.ts';
import type { SaleConfig } from '../../../dataplane/protocol/config.ts';
import type { Level } from '../../../dataplane/protocol/messages.ts';
import {
  type BuyerId,
  type NodeId,
  nodeId,
  type ShardId,
  shardId,
  type Units,
} from '../../../dataplane/protocol/units.ts';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import type {
  AgentNode,
  NodeIdentity,
  NodeState,
  PoolNode,
  StorefrontNode,
  TokenRecord,
} from '../../../dataplane/stores/cache-node/cache-node.ts';
import {
  connectAgentNode,
  connectPoolNode,
  connectStorefrontNode,
} from '../../../dataplane/stores/cache-node/redis.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import type { CacheShard, CheckoutOutcome } from '../../../dataplane/stores/shard/shard.ts';
import { answers, PATIENT, request, reserve, stateOf } from '../../harness/cache-node.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';
import { until } from '../../harness/until.ts';
import {
  delivery,
  type Fixture,
  joinSale,
  openShard,
  reset,
  type TestPool,
  type TestShard,
} from '../shard-sql/fixture.ts';

export interface TierOptions {
  nodes?: number;
  shards?: number;
  supply?: Units;
  /** Stock of each shard; plenty by default, because shortage is no matter of this tier. */
  stock?: Units;
  durability?: Durability;
}

export interface TierNode {
  id: NodeId;
  redis: TestRedis;
  agent: AgentNode;
  storefront: StorefrontNode;
  pool: PoolNode;
}

export type Tier = Awaited<ReturnType<Tiers['start']>>;
export type Tiers = ReturnType<typeof startTiers>;

/** One tier after the other; a new one takes over the servers of the last, emptied, because starting them is slow. */
export function startTiers(fixture: Fixture) {
  const shards: TestShard[] = [];
  const nodes: (TierNode & { durability: Durability })[] = [];
  let pool: TestPool | undefined;
  return {
    async start(options: TierOptions = {}) {
      pool ??= await fixture.pool();
      await reset(pool);
      await pool.registry.initialize();
      pool.incarnation = (await pool.view()).incarnation;
      const spareShards = [...shards];
      for (const shard of spareShards) await reset(shard);
      const spareNodes = [...nodes];
      for (const { agent, redis } of spareNodes) {
        await answers(agent.server);
        await agent.disable();
        await redis.raw().flushall();
      }
      return startTier(options, {
        pool,
        shard: async () => {
          const spare = spareShards.pop();
          if (spare) return spare;
          const shard = await openShard(fixture.server, await fixture.database(true));
          shards.push(shard);
          return shard;
        },
        node: async (id, durability) => {
          const at = spareNodes.findIndex((node) => node.durability === durability);
          const [spare] = at < 0 ? [] : spareNodes.splice(at, 1);
          if (spare) return Object.assign(spare, { id });
          const node = { ...(await openNode(id, durability)), durability };
          nodes.push(node);
          return node;
        },
      });
    },
    async stop() {
      for (const { agent, storefront, pool: poolNode, redis } of nodes) {
        await Promise.all([agent.close(), storefront.close(), poolNode.close()]);
        await redis.stop();
      }
      for (const shard of shards) await shard.close();
    },
  };
}

type Durability = SaleConfig['cache']['durability'];

async function openNode(id: NodeId, durability: Durability): Promise<TierNode> {
  const redis = await startRedis({ durability });
  const agent = connectAgentNode(redis, redis.passwordOf('agent'), PATIENT);
  await answers(agent.state);
  return {
    id,
    redis,
    agent,
    storefront: connectStorefrontNode(redis, redis.passwordOf('storefront'), PATIENT),
    pool: connectPoolNode(redis, redis.passwordOf('pool'), PATIENT),
  };
}

interface Servers {
  pool: TestPool;
  /** Empty, and of no sale. */
  shard(): Promise<TestShard>;
  /** Empty, and off. */
  node(id: NodeId, durability: Durability): Promise<TierNode>;
}

async function startTier(options: TierOptions, servers: Servers) {
  const { nodes: count = 1, supply = 100, stock = 1000, durability = 'Always' } = options;
  const { pool } = servers;
  const { incarnation } = await pool.view();
  const shards = new Map<ShardId, TestShard>();
  const nodes = new Map<NodeId, TierNode>();

  const addShard = async (id: ShardId, join = true): Promise<TestShard> => {
    const shard = await servers.shard();
    shards.set(id, shard);
    await pool.registry.enterShard(pool.incarnation, id, (await shard.agent.state()).peerIncarnation);
    if (join) await joinShard(id);
    return shard;
  };
  const joinShard = async (id: ShardId) => {
    const { agent } = shardOf(id);
    await joinSale(
      { agent },
      incarnation,
      id,
      (await pool.view()).nodes.map(({ id: node, epoch }) => ({ node, epoch })),
    );
    await pool.registry.shardJoined(pool.incarnation, id);
    if (stock > 0) await agent.receive({ ...delivery(id, stock), incarnation });
  };
  const shardOf = (id: ShardId): TestShard => {
    const shard = shards.get(id);
    if (shard === undefined) throw new Error(`no shard ${id}`);
    return shard;
  };
  const nodeOf = (id: NodeId): TierNode => {
    const node = nodes.get(id);
    if (node === undefined) throw new Error(`no node ${id}`);
    return node;
  };
  const addNode = async (id: NodeId) => {
    nodes.set(id, await servers.node(id, durability));
  };

  for (let s = 0; s < (options.shards ?? 2); s++) await addShard(shardId(s));
  for (let n = 0; n < count; n++) await addNode(nodeId(n));
  await pool.wantNodes(count);
  if (supply > 0) await pool.operator.setSupply(pool.incarnation, 1, supply);

  const cacheShard = (id: ShardId): CacheShard | undefined => shards.get(id)?.cache;

  const tier = {
    pool,
    incarnation,
    shards,
    shardOf,
    nodeOf,
    addShard,
    joinShard,
    addNode,
    view: (): Promise<RegistryView> => pool.view(),
    recoveryDeps: (self: NodeId): RecoveryDeps => ({
      self,
      node: nodeOf(self).agent,
      registry: pool.registry,
      shard: cacheShard,
      passed: () => undefined,
    }),
    recover: (self: NodeId = 'c0') => recover(tier.recoveryDeps(self)),
    /** An agent that does nothing by itself. `levels` is what it published. */
    agent(self: NodeId = 'c0', patch: Partial<ConstructorParameters<typeof CacheAgent>[0]> = {}) {
      const levels: Level[] = [];
      const clock = { now: 0 };
      const agent = new CacheAgent({
        self,
        durability: () => durability,
        node: nodeOf(self).agent,
        registry: pool.registry,
        shard: cacheShard,
        bus: {
          publish: async (_, messages) => {
            levels.push(...messages.map(({ value }) => value as Level));
            return true;
          },
        },
        metrics: cacheMetrics(new Registry()),
        log: pino({ level: 'silent' }),
        passed: () => undefined,
        clock: { ...systemClock, now: () => clock.now },
        random: () => 0,
        ...patch,
      });
      return Object.assign(agent, { levels, clock });
    },
    /** Lets a fresh agent attend until the node is on and its users are connected. */
    async enable(self: NodeId = 'c0'): Promise<NodeIdentity> {
      const agent = tier.agent(self);
      await until(`${self} to be on`, async () => {
        await agent.attend();
        return agent.unready() === undefined;
      });
      const { storefront, pool: poolNode } = nodeOf(self);
      await answers(storefront.identity);
      await answers(poolNode.state);
      return (await stateOf(nodeOf(self).agent)).identity;
    },
    state: (self: NodeId = 'c0'): Promise<NodeState> => stateOf(nodeOf(self).agent),
    async checkout(token: TokenRecord, identity: NodeIdentity): Promise<CheckoutOutcome> {
      const { id, buyer, quantity, sequence, shard } = token;
      const row = { token: id, buyer, quantity, node: identity.node, epoch: identity.epoch, sequence };
      const [outcome] = await shardOf(shard).storefront.checkout(incarnation, [row], undefined);
      if (outcome === undefined) throw new Error('a batch of one has one outcome');
      return outcome;
    },
    /** Purchase as the node's identity is now; undefined: refused. */
    async purchase(buyer: BuyerId, patch: Partial<Parameters<typeof request>[1]> = {}, self: NodeId = 'c0') {
      const identity = await nodeOf(self).storefront.identity();
      if (identity === undefined) return undefined;
      const reply = await reserve(nodeOf(self).storefront, request(identity, { buyer, ...patch }));
      return reply.kind === 'token' ? { token: reply.token, identity } : undefined;
    },
    /** What is wrong with a node at rest, one sentence each (R26, R27, R32): its numbers against registry and shards. */
    async wrong(self: NodeId = 'c0', perBuyer: Units = 1): Promise<string[]> {
      const state = await tier.state(self);
      const row = (await tier.view()).nodes.find(({ id }) => id === self);
      const orders: { token: string; buyer: string; quantity: number; node: string }[] = [];
      for (const { sql } of shards.values())
        orders.push(...(await sql.query('SELECT token, buyer, quantity::int, node FROM orders')).rows);
      const through = orders.filter(({ node }) => node === self);
      const ordered = through.reduce((sum, { quantity }) => sum + quantity, 0);
      const live = await liveTokens(nodeOf(self).redis);
      const sold = new Set(through.map(({ token }) => token));
      const unsold = live.filter(({ id }) => !sold.has(id)).reduce((sum, { quantity }) => sum + quantity, 0);
      const perBuyerOrdered = new Map<string, number>();
      for (const { buyer, quantity } of orders)
        perBuyerOrdered.set(buyer, (perBuyerOrdered.get(buyer) ?? 0) + quantity);
      const granted = row?.granted ?? 0;
      const claims: [string, boolean][] = [
        ['the identity is the registry’s', state.identity.epoch === row?.epoch],
        [
          `granted ${granted} − revoked ${state.revoked} = virtual ${state.virtual} + unapplied ${granted - state.granted} + live and unsold ${unsold} + ordered ${ordered}`,
          granted - state.revoked === state.virtual + (granted - state.granted) + unsold + ordered,
        ],
        ['everything booked was revoked here', state.revoked >= (row?.revoked ?? 0)],
        ['everything applied was granted', state.granted <= granted],
        ['live tokens are as counted', live.length === state.liveTokens],
        ['virtual stock is not negative', state.virtual >= 0],
        ['no buyer is over the limit', [...perBuyerOrdered.values()].every((units) => units <= perBuyer)],
      ];
      return claims.filter(([, holds]) => !holds).map(([claim]) => claim);
    },
  };
  return tier;
}

/** Read past every client, from the records themselves. */
async function liveTokens(redis: TestRedis): Promise<{ id: string; quantity: number }[]> {
  const raw = redis.raw();
  const keys = await raw.keys('b:*');
  const records = keys.length === 0 ? [] : await raw.mget(keys);
  return records.flatMap((record) => {
    const fields = record?.split(' ') ?? [];
    return fields[2] === 'L' ? [{ id: fields[8] ?? '', quantity: Number(fields[4]) }] : [];
  });
}
