// The stores of a sale and its agents, without storefronts and without a balancer: for tests in which nothing moves
// but what the test moves. Real servers; agents are real processes of their own, to be killed. Fast settings.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { databaseSecret, redisSecret, type SaleConfig, SECRETS } from '../../dataplane/protocol/config.ts';
import {
  type NodeId,
  nodeId,
  type ShardId,
  type StockHolderId,
  shardId,
  type Units,
} from '../../dataplane/protocol/units.ts';
import type { Bus } from '../../dataplane/runtime/bus.ts';
import { connectBus } from '../../dataplane/runtime/bus-kafka.ts';
import { secretsIn } from '../../dataplane/runtime/config.ts';
import type { Failpoint } from '../../dataplane/runtime/failpoint.ts';
import type { PoolNode, StorefrontNode } from '../../dataplane/stores/cache-node/cache-node.ts';
import { connectPoolNode, connectStorefrontNode } from '../../dataplane/stores/cache-node/redis.ts';
import { connectAgentRegistry, connectOperatorRegistry } from '../../dataplane/stores/registry/postgres.ts';
import type { AgentRegistry, OperatorRegistry, RegistryView } from '../../dataplane/stores/registry/registry.ts';
import { connectAgentShard, connectStorefrontShard } from '../../dataplane/stores/shard/postgres.ts';
import type { AgentShard, StorefrontShard } from '../../dataplane/stores/shard/shard.ts';
import { PATIENT } from './cache-node.ts';
import { BUS_KEY, ORDERS_KEY, startKafka, type TestKafka } from './kafka.ts';
import { freePorts } from './ports.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { startRedis, type TestRedis } from './redis.ts';
import { until } from './until.ts';

export interface Agent {
  kill9(): Promise<void>;
  /** Asked to stop. */
  stop(): Promise<void>;
  /** Resolves when it ended by itself, at a failpoint. */
  ended(): Promise<void>;
  metrics(): Promise<string>;
  ready(): Promise<boolean>;
}

export interface Servers {
  kafka: TestKafka;
  postgres: Postgres;
  stop(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const [kafka, postgres] = await Promise.all([startKafka(), startPostgres()]);
  return { kafka, postgres, stop: () => Promise.all([kafka.destroy(), postgres.stop()]).then(() => undefined) };
}

export interface Backstage {
  config: SaleConfig;
  redis: Map<NodeId, TestRedis>;
  refillUrl: string;
  /** Starts an agent: `s0`, `pool`, `c0`. A second one of the same id is a second process. `listen`: a pool's port. */
  agent(id: StockHolderId | NodeId, listen?: number): Agent;
  /** The next process of the role to pass the point dies there. */
  failAt(role: 'shard-agent' | 'cache-agent', id: StockHolderId | NodeId, point: Failpoint): void;
  /** Rewrites the configuration that the agents watch. */
  edit(change: (config: SaleConfig) => void): void;
  shard(id: StockHolderId): AgentShard;
  storefrontShard(id: ShardId): StorefrontShard;
  /** As a storefront or the pool's agent would reach the node. */
  node(id: NodeId): StorefrontNode & Pick<PoolNode, 'state'>;
  registry: OperatorRegistry;
  agentRegistry: AgentRegistry;
  /** Wishes of the newest generation for the sale that is there now. */
  wantNodes(count: number): Promise<boolean>;
  setSupply(generation: number, target: Units): Promise<boolean>;
  view(): Promise<RegistryView>;
  bus(): Bus;
  startRedis(id: NodeId): Promise<void>;
  stop(): Promise<void>;
}

let sales = 0;

/** `nodes`: cache nodes with a Redis of their own (their agents are not started). */
export async function openBackstage(
  servers: Servers,
  { shards, nodes = 0, ttl = 2000 }: { shards: number; nodes?: number; ttl?: number },
): Promise<Backstage> {
  const { kafka, postgres } = servers;
  const name = `sale${sales++}`;
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-backstage-'));
  const secrets = join(folder, 'secrets');
  const points = join(folder, 'failpoints');
  const configFile = join(folder, 'config.json');
  for (const path of [secrets, points]) mkdirSync(path);
  const shardIds = Array.from({ length: shards }, (_, i) => shardId(i));
  const database = (peer: StockHolderId) => `${name}_${peer}`;
  await postgres.createDatabases(['pool' as StockHolderId, ...shardIds].map(database));
  const [listen = 0] = await freePorts(1);
  const redis = new Map<NodeId, TestRedis>();
  const config: SaleConfig = {
    namespace: 'default',
    name,
    generation: 1,
    sku: 'TEST',
    stock: 100,
    window: {},
    paused: false,
    token: { ttl },
    orders: {},
    storefront: { connections: { most: 1000 } },
    qualification: { perBuyer: 4, maxQuantity: 4 },
    auth: { kind: 'header', header: 'X-Buyer-Id' },
    cache: { durability: 'Always', nodes: [] },
    shards: shardIds.map((id) => ({ id, host: postgres.host, port: postgres.port, database: database(id) })),
    pool: { ...postgres.address(database('pool')), agent: { host: '127.0.0.1', port: listen } },
    kafka: kafka.config(name),
    balancer: { rule: 'None', deadBand: 0.1, summaryPeriod: 100, shardTime: 30, delay: 20 },
  };
  const write = () => {
    writeFileSync(`${configFile}.new`, JSON.stringify(config));
    renameSync(`${configFile}.new`, configFile);
  };
  const secret = (file: string, value: string) => writeFileSync(join(secrets, file), value);
  for (const user of ['owner', 'storefront', 'cache', 'operator', 'audit'] as const)
    secret(databaseSecret(user), postgres.passwordOf(user));
  // As the harness' nodes have them; there even without a node.
  for (const user of ['agent', 'storefront', 'pool', 'audit'] as const) secret(redisSecret(user), `${user}-secret`);
  secret(SECRETS.internal, 'internal-secret');
  secret(SECRETS.busKey, BUS_KEY);
  secret(SECRETS.ordersKey, ORDERS_KEY);
  const startNode = async (id: NodeId) => {
    const started = await startRedis();
    redis.set(id, started);
    config.cache.nodes.push({ id, host: started.host, port: started.port });
    write();
  };
  write();
  for (let i = 0; i < nodes; i++) await startNode(nodeId(i));

  const open: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(client: T): T => {
    open.push(client);
    return client;
  };
  /** A test that waits for a store asks it again and again: one client of each, for connecting costs more than asking. */
  const once = <K, T>(make: (key: K) => T) => {
    const made = new Map<K, T>();
    return (key: K): T => {
      const client = made.get(key) ?? make(key);
      made.set(key, client);
      return client;
    };
  };
  const spawning: Promise<ChildProcess>[] = [];
  const registry = keep(connectOperatorRegistry(config.pool, postgres.passwordOf('operator')));
  const agentRegistry = keep(connectAgentRegistry(config.pool, postgres.passwordOf('owner')));
  const view = () => until('the registry', () => registry.read().catch(() => undefined));

  return {
    config,
    redis,
    registry,
    agentRegistry,
    refillUrl: `http://127.0.0.1:${listen}/refill`,
    agent(id, port = listen) {
      const main = id.startsWith('c') ? 'cache-agent' : 'shard-agent';
      const log = join(folder, `${id}.log`);
      const output = openSync(log, 'a');
      const started = freePorts(1).then(([metrics]) => {
        const child = spawn(
          process.execPath,
          [
            new URL(`../../dataplane/${main}/main.ts`, import.meta.url).pathname,
            ...['--config', configFile, '--secrets', secrets, '--id', id, '--metrics', `127.0.0.1:${metrics}`],
            ...(id === 'pool' ? ['--listen', `127.0.0.1:${port}`] : []),
          ],
          { stdio: ['ignore', output, output], env: { ...process.env, FLASHSALE_FAILPOINTS: points } },
        );
        return { child, metrics };
      });
      spawning.push(started.then(({ child }) => child));
      const gone = started.then(
        ({ child }) =>
          new Promise<void>((resolve) => {
            child.once('exit', (code, signal) => {
              if (signal === null && code !== 0) console.error(readFileSync(log, 'utf8').slice(-3000));
              resolve();
            });
          }),
      );
      const kill = async (signal: NodeJS.Signals) => {
        (await started).child.kill(signal);
        await gone;
      };
      const get = async (path: string) => fetch(`http://127.0.0.1:${(await started).metrics}${path}`);
      return {
        kill9: () => kill('SIGKILL'),
        stop: () => kill('SIGTERM'),
        ended: () => gone,
        metrics: async () => (await get('/metrics')).text(),
        ready: () =>
          get('/ready').then(
            ({ ok }) => ok,
            () => false,
          ),
      };
    },
    failAt: (role, id, point) => writeFileSync(join(points, `${role}.${id}.${point}`), ''),
    edit(change) {
      change(config);
      write();
    },
    shard: once((id: StockHolderId) =>
      keep(connectAgentShard(postgres.address(database(id)), postgres.passwordOf('owner'))),
    ),
    storefrontShard: once((id: ShardId) =>
      keep(connectStorefrontShard(postgres.address(database(id)), postgres.passwordOf('storefront'))),
    ),
    node: once((id: NodeId) => {
      const server = redis.get(id);
      if (!server) throw new Error(`no such node: ${id}`);
      const storefront = keep(connectStorefrontNode(server, server.passwordOf('storefront'), PATIENT));
      const pool = keep(connectPoolNode(server, server.passwordOf('pool'), PATIENT));
      return { ...storefront, state: pool.state };
    }),
    view,
    async wantNodes(count) {
      const { incarnation, generation } = await view();
      return registry.wantNodes(incarnation, generation, count);
    },
    async setSupply(generation, target) {
      return registry.setSupply((await view()).incarnation, generation, target);
    },
    bus: () => keep(connectBus(config.kafka, secretsIn(secrets), pino({ level: 'silent' }), new Registry())),
    startRedis: startNode,
    async stop() {
      await Promise.all(
        spawning.map(async (spawned) => {
          const child = await spawned;
          if (child.exitCode !== null || child.signalCode !== null) return;
          const gone = new Promise((resolve) => child.once('exit', resolve));
          child.kill('SIGKILL');
          await gone;
        }),
      );
      await Promise.all(open.map((client) => client.close()));
      await Promise.all([...redis.values()].map((server) => server.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
