// Storefronts as real processes in front of real cache nodes and real shards. There are no agents, no Kafka and no
// balancer: what one would do, the test does, and the sale must go on without. The pool's agent is a small server
// here that moves virtual stock between the nodes by their real scripts.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { databaseSecret, redisSecret, type SaleConfig, SECRETS } from '../../../dataplane/protocol/config.ts';
import { PROBLEM_TYPE } from '../../../dataplane/protocol/problems.ts';
import { parseRefill, type RefillAnswer } from '../../../dataplane/protocol/refill.ts';
import { type NodeId, nodeId, shardId, type Units } from '../../../dataplane/protocol/units.ts';
import type { Failpoint } from '../../../dataplane/runtime/failpoint.ts';
import type { NodeState, PoolNode } from '../../../dataplane/stores/cache-node/cache-node.ts';
import { connectAgentNode, connectPoolNode } from '../../../dataplane/stores/cache-node/redis.ts';
import { PATIENT, prepare } from '../../harness/cache-node.ts';
import { BUS_KEY } from '../../harness/kafka.ts';
import { freePorts } from '../../harness/ports.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';
import { until } from '../../harness/until.ts';
import { type Fixture, SALE, startFixture, type TestShard } from '../shard-sql/fixture.ts';

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
  problem: string | undefined;
}

export interface StorefrontProcess {
  port: number;
  /** The most memory that it ever had, in MiB, as the kernel counts it for a container's limit. */
  peakMemory(): number;
  post(path: string, body: unknown, buyer: string): Promise<Reply>;
  get(path: string, buyer?: string): Promise<Reply>;
  metrics(): Promise<string>;
  ready(): Promise<boolean>;
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves when it ended, by itself or not. */
  ended(): Promise<void>;
  log(): string;
}

export interface Stage {
  config: SaleConfig;
  postgres: Fixture['server'];
  redis: TestRedis[];
  shards: TestShard[];
  /** Starts a storefront, with more in its environment. */
  storefront(env?: Record<string, string>): Promise<StorefrontProcess>;
  edit(change: (config: SaleConfig) => unknown): void;
  failAt(point: Failpoint): void;
  node(n: number): Promise<NodeState>;
  /** Σ over all shards. */
  available(): Promise<Units>;
  orders(): Promise<number>;
  refills: { node: NodeId; quantity: Units }[];
  stop(): Promise<void>;
}

export interface StageOptions {
  nodes?: number;
  shards?: number;
  /** Virtual stock of each node. */
  virtual?: Units;
  /** Real stock of each shard. */
  available?: Units;
  change?: (config: SaleConfig) => unknown;
}

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const { nodes: m = 2, shards: n = 2, virtual = 50, available = 50 } = options;
  const fixture = await startFixture();
  const shards: TestShard[] = [];
  for (let i = 0; i < n; i++) shards.push(await fixture.shard(available, shardId(i)));
  const redis = await Promise.all(Array.from({ length: m }, () => startRedis({ enabled: true })));
  const agents = redis.map((server) => connectAgentNode(server, server.passwordOf('agent'), PATIENT));
  const pools = redis.map((server) => connectPoolNode(server, server.passwordOf('pool'), PATIENT));
  for (const [i, agent] of agents.entries()) {
    await until('the agent to connect', () => agent.server().catch(() => undefined));
    await prepare(agent, { incarnation: SALE, node: nodeId(i), epoch: 1, count: m, granted: virtual });
  }
  const stateOf = async (pool: PoolNode) => until('a node', () => pool.state().catch(() => undefined));

  const refills: Stage['refills'] = [];
  const agent = createServer(async (asked, response) => {
    let body = '';
    for await (const part of asked) body += part;
    const refill = parseRefill(body);
    if (asked.headers.authorization !== 'Bearer internal-secret' || refill === undefined) {
      response.writeHead(401).end();
      return;
    }
    refills.push(refill);
    response.end(JSON.stringify(await moveStock(pools, refill.node, refill.quantity)));
  });
  await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));

  const folder = mkdtempSync(join(tmpdir(), 'flashsale-storefront-'));
  const secrets = join(folder, 'secrets');
  const points = join(folder, 'failpoints');
  for (const path of [secrets, points]) mkdirSync(path);
  const secret = (name: string, value: string) => writeFileSync(join(secrets, name), value);
  secret(SECRETS.internal, 'internal-secret');
  secret(SECRETS.busKey, BUS_KEY);
  secret(SECRETS.tokenKey, Buffer.alloc(32, 7).toString('base64'));
  secret(redisSecret('storefront'), 'storefront-secret');
  secret(databaseSecret('storefront'), fixture.server.passwordOf('storefront'));
  const config: SaleConfig = {
    namespace: 'shop',
    name: 'phones',
    generation: 1,
    sku: 'PHONE',
    stock: m * virtual,
    window: {},
    paused: false,
    token: { ttl: 60_000 },
    orders: { paymentDeadline: 900_000 },
    storefront: { connections: { most: 1000 } },
    qualification: { perBuyer: 2, maxQuantity: 2 },
    auth: { kind: 'header', header: 'X-Buyer-Id' },
    cache: {
      durability: 'Always',
      nodes: redis.map(({ host, port }, i) => ({ id: nodeId(i), host, port })),
    },
    shards: shards.map(({ address }, i) => ({ id: shardId(i), ...address })),
    pool: { ...fixture.server.address('pool'), agent: { host: '127.0.0.1', port: portOf(agent) } },
    // Nobody is there, and nobody is missed.
    kafka: { brokers: ['127.0.0.1:1'], prefix: 'phones', replicationFactor: 1, tls: false },
    balancer: { rule: 'None', deadBand: 0.1, summaryPeriod: 100, shardTime: 30, delay: 20 },
  };
  options.change?.(config);
  const file = join(folder, 'config.json');
  const write = () => {
    writeFileSync(`${file}.new`, JSON.stringify(config));
    renameSync(`${file}.new`, file);
  };
  write();

  const children: ChildProcess[] = [];
  return {
    config,
    postgres: fixture.server,
    redis,
    shards,
    refills,
    async storefront(env = {}) {
      const [port = 0, metrics = 0] = await freePorts(2);
      const log = join(folder, `${port}.log`);
      const output = openSync(log, 'a');
      const main = new URL('../../../dataplane/storefront/main.ts', import.meta.url).pathname;
      const places = ['--listen', `127.0.0.1:${port}`, '--metrics', `127.0.0.1:${metrics}`];
      const child = spawn(process.execPath, [main, '--config', file, '--secrets', secrets, ...places], {
        stdio: ['ignore', output, output],
        env: { ...process.env, FLASHSALE_FAILPOINTS: points, ...env },
      });
      children.push(child);
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      const ask = async (method: 'GET' | 'POST', path: string, buyer: string, body?: unknown): Promise<Reply> => {
        const answer = await request(`http://127.0.0.1:${port}${path}`, {
          method,
          headers: { 'x-buyer-id': buyer, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await answer.body.text();
        const content = JSON.parse(text) as Record<string, unknown>;
        const problem =
          typeof content.type === 'string' && content.type.startsWith(PROBLEM_TYPE)
            ? content.type.slice(PROBLEM_TYPE.length)
            : undefined;
        return { status: answer.statusCode, headers: answer.headers, body: content, problem };
      };
      const side = (path: string) => fetch(`http://127.0.0.1:${metrics}${path}`);
      const made: StorefrontProcess = {
        port,
        peakMemory() {
          const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
          return Math.round(Number(kib) / 1024);
        },
        post: (path, body, buyer) => ask('POST', path, buyer, body),
        get: (path, buyer = 'nobody') => ask('GET', path, buyer),
        metrics: async () => (await side('/metrics')).text(),
        ready: () =>
          side('/ready').then(
            ({ ok }) => ok,
            () => false,
          ),
        async kill(signal) {
          child.kill(signal);
          await ended;
        },
        ended: () => ended,
        log: () => readFileSync(log, 'utf8'),
      };
      await until('the storefront to be ready', made.ready).catch((error) => {
        throw new Error(`${error}\n${made.log()}`);
      });
      return made;
    },
    edit(change) {
      change(config);
      write();
    },
    failAt: (point) => writeFileSync(join(points, `storefront.${point}`), ''),
    async node(n) {
      const pool = pools[n];
      if (pool === undefined) throw new Error(`no node ${n}`);
      return stateOf(pool);
    },
    async available() {
      const states = await Promise.all(shards.map(({ agent: shard }) => shard.state()));
      return states.reduce((sum, state) => sum + state.available, 0);
    },
    async orders() {
      const counts = await Promise.all(
        shards.map(async ({ sql }) => (await sql.query<{ n: string }>('SELECT count(*) AS n FROM orders')).rows[0]?.n),
      );
      return counts.reduce((sum, count) => sum + Number(count), 0);
    },
    async stop() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const gone = new Promise((resolve) => child.once('exit', resolve));
        child.kill('SIGKILL');
        await gone;
      }
      agent.closeAllConnections();
      agent.close();
      await Promise.all([...agents, ...pools].map((client) => client.close()));
      await Promise.all(redis.map((server) => server.stop()));
      await fixture.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const portOf = (server: Server): number => (server.address() as { port: number }).port;

/** As the pool's agent, but for the books. */
async function moveStock(pools: PoolNode[], asker: NodeId, quantity: Units): Promise<RefillAnswer> {
  try {
    const states = await Promise.all(pools.map((pool) => pool.state()));
    const liveUnits = states.reduce((sum, state) => sum + (state?.liveUnits ?? 0), 0);
    const to = Number(asker.slice(1));
    const from = states.reduce(
      (best, state, i) => ((state?.virtual ?? 0) > (states[best]?.virtual ?? 0) ? i : best),
      0,
    );
    const [giver, taker] = [states[from], states[to]];
    if (giver === undefined || taker === undefined) return { outcome: 'unavailable', liveUnits };
    if (taker.virtual >= quantity) return { outcome: 'granted', liveUnits };
    if (giver.virtual + taker.virtual < quantity || from === to) return { outcome: 'sold-out', liveUnits };
    const revoked = await pools[from]?.revoke(giver.identity, Math.max(Math.ceil(giver.virtual / 2), quantity));
    if (revoked === undefined) return { outcome: 'unavailable', liveUnits };
    await pools[to]?.grant(taker.identity, taker.granted + revoked.revoked - giver.revoked);
    return { outcome: 'granted', liveUnits };
  } catch {
    return { outcome: 'unavailable', liveUnits: 0 };
  }
}
