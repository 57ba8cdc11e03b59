// Starts the roles that ship, each in a process of the simulation: they get clients of the stores' models, a virtual
// clock and seeded randomness, and nothing else is different.

import { Registry } from 'prom-client';
import type { CacheMetrics } from '../../dataplane/cache-agent/metrics.ts';
import { Shards } from '../../dataplane/cache-agent/shards.ts';
import { startCacheAgent } from '../../dataplane/cache-agent/start.ts';
import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { RefillAnswer } from '../../dataplane/protocol/refill.ts';
import type { NodeId, ShardId } from '../../dataplane/protocol/units.ts';
import { startShardAgent } from '../../dataplane/shard-agent/agent.ts';
import type { PoolMetrics, StockHolderMetrics } from '../../dataplane/shard-agent/metrics.ts';
import { type PoolAgent, startPoolAgent } from '../../dataplane/shard-agent/pool/agent.ts';
import { openNodes } from '../../dataplane/shard-agent/pool/nodes.ts';
import { createStorefront, type Storefront } from '../../dataplane/storefront/storefront.ts';
import type { AgentNode, PoolNode, StorefrontNode } from '../../dataplane/stores/cache-node/cache-node.ts';
import type { AgentRegistry, CacheRegistry, OperatorRegistry } from '../../dataplane/stores/registry/registry.ts';
import type { AgentShard, CacheShard, StorefrontShard } from '../../dataplane/stores/shard/shard.ts';
import { type Balancer, startBalancer } from '../../operator/balancer/loop.ts';
import { registrySteps } from '../../operator/sale/registry-steps.ts';
import type { Process } from './engine/process.ts';
import type { World } from './world.ts';

/** Takes an edited configuration into use. */
export type Edited = (config: SaleConfig) => void;

/** Counts nothing. */
const silent = new Proxy({}, { get: () => () => undefined });

const TOKEN_KEY = Buffer.alloc(32, 7).toString('base64');
const CANNOT_SAY: RefillAnswer = { outcome: 'unavailable', liveUnits: 0 };
const REFILL_TIMEOUT = 3000;

const found = <K, T>(places: ReadonlyMap<K, T>, id: K): T => {
  const place = places.get(id);
  if (place === undefined) throw new RangeError(`no server for ${String(id)}`);
  return place;
};

export interface StorefrontProcess {
  process: Process;
  storefront: Storefront;
}

export function runStorefront(world: World, process: Process): Edited {
  const { stores } = world;
  const storefront = createStorefront(world.config(), {
    stores: {
      node: ({ id }) => {
        const place = found(stores.nodes, id);
        return process.connect<StorefrontNode>(place, {
          admit: () => place.model.allow('storefront'),
          once: 'reserve',
        });
      },
      shard: ({ id }) => process.connect<StorefrontShard>(found(stores.shards, id)),
      refill: (_, failed) => ({
        ask: async (node, quantity) => {
          try {
            const agent = world.actingPoolAgent();
            if (agent === undefined) return CANNOT_SAY;
            return await process.ask(agent.process, () => world.refill(agent, { node, quantity }), REFILL_TIMEOUT);
          } catch (error) {
            failed(error);
            return CANNOT_SAY;
          }
        },
        close: async () => undefined,
      }),
    },
    secret: () => TOKEN_KEY,
    configFile: '/',
    version: '0.0.0',
    log: process.log,
    metrics: new Registry(),
    committed: () => undefined,
    random: process.random,
    clock: process.clock,
    tokenId: () => world.newToken(),
  });
  world.storefronts.push({ process, storefront });
  process.run(() => storefront.follow(process.bus(stores.bus)));
  return storefront.edit;
}

export function runCacheAgent(world: World, self: NodeId, process: Process): Edited {
  const { stores } = world;
  let config = world.config();
  const connectShard = (id: ShardId) => process.connect<CacheShard>(found(stores.shards, id));
  const shards = new Shards(({ id }) => connectShard(id), config.shards);
  process.run(async () => {
    startCacheAgent({
      self,
      durability: () => config.cache.durability,
      node: process.connect<AgentNode>(found(stores.nodes, self)),
      registry: process.connect<CacheRegistry>(stores.registry),
      shard: (id) => shards.get(id),
      bus: process.bus(stores.bus),
      metrics: silent as CacheMetrics,
      log: process.log,
      passed: () => undefined,
      clock: process.clock,
      random: process.random,
    });
  });
  return (edited) => {
    config = edited;
    shards.configure(edited.shards);
  };
}

export function runShardAgent(world: World, id: ShardId, process: Process): Edited {
  const { stores } = world;
  let config = world.config();
  process.run(
    () =>
      startShardAgent({
        id,
        sale: config,
        shard: process.connect<AgentShard>(found(stores.shards, id)),
        registry: process.connect<AgentRegistry>(stores.registry),
        bus: process.bus(stores.bus),
        summaryPeriod: () => config.balancer.summaryPeriod,
        metrics: silent as StockHolderMetrics,
        clock: process.clock,
        log: process.log,
      }).started,
  );
  return (edited) => {
    config = edited;
  };
}

export interface PoolProcess {
  process: Process;
  agent: PoolAgent;
}

export function runPoolAgent(world: World, process: Process): Edited {
  const { stores } = world;
  let config = world.config();
  const registry = process.connect<AgentRegistry>(stores.registry);
  const connectNode = ({ id }: { id: NodeId }) => {
    const place = found(stores.nodes, id);
    return process.connect<PoolNode>(place, { admit: () => place.model.allow('pool') });
  };
  const nodes = openNodes(registry, connectNode, process.clock);
  nodes.configure(config.cache.nodes);
  process.run(() => {
    const agent = startPoolAgent({
      shard: process.connect<AgentShard>(stores.pool),
      registry,
      nodes,
      fenceShard: (id) =>
        config.shards.some((shard) => shard.id === id)
          ? process.connect<CacheShard>(found(stores.shards, id))
          : undefined,
      lock: (stop, waiting) => world.lock.acquire(process, stop, waiting),
      bus: process.bus(stores.bus),
      summaryPeriod: () => config.balancer.summaryPeriod,
      metrics: silent as StockHolderMetrics,
      poolMetrics: silent as PoolMetrics,
      clock: process.clock,
      log: process.log,
    });
    world.poolAgents.push({ process, agent });
    return agent.started;
  });
  return (edited) => {
    config = edited;
    nodes.configure(edited.cache.nodes);
  };
}

export function runBalancer(world: World, process: Process): Edited {
  const { stores } = world;
  let config = world.config();
  let balancer: Balancer | undefined;
  process.run(async () => {
    balancer = await startBalancer(
      {
        bus: process.bus(stores.bus),
        registry: process.connect<OperatorRegistry>(stores.registry),
        clock: process.clock,
        log: process.log,
        metrics: new Registry(),
      },
      config,
    );
    balancer.update(config);
    world.tables.push(balancer.table);
  });
  return (edited) => {
    config = edited;
    balancer?.update(edited);
  };
}

const OPERATOR_PERIOD = 200;

/** Applies the resource, as far as the registry goes: what it wants is compared with what the registry says. */
export function runOperator(world: World, process: Process): Edited {
  const { stores } = world;
  const registry = process.connect<OperatorRegistry>(stores.registry);
  let config = world.config();
  let wantedNodes = world.wantedNodes;
  async function reconcile(): Promise<void> {
    const { generation, stock, paused } = config;
    const view = await registry.read();
    if (view === undefined) return;
    const steps = registrySteps(view, { generation, stock, nodes: wantedNodes, paused });
    for (const step of steps) {
      if (step.kind === 'want-nodes') await registry.wantNodes(step.incarnation, generation, step.count);
      else if (step.kind === 'set-paused') await registry.setPaused(step.incarnation, generation, step.paused);
      else await registry.setSupply(step.incarnation, generation, step.target);
    }
    if (steps.length === 0) world.applied(generation, view.incarnation);
  }
  process.run(async () => {
    for (;;) {
      try {
        await reconcile();
      } catch (error) {
        process.log.warn({ err: error }, 'a reconcile failed');
      }
      await process.clock.sleep(OPERATOR_PERIOD);
    }
  });
  return (edited) => {
    config = edited;
    wantedNodes = world.wantedNodes;
  };
}
