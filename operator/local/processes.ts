// Topology → the processes of a sale on this machine, as data. Pure: where everything lies and listens comes in.

import { join } from 'node:path';
import { type Address, type RedisUser, redisSecret } from '../../dataplane/protocol/config.ts';
import type { NodeId } from '../../dataplane/protocol/units.ts';
import { redisConf } from '../../dataplane/runtime/redis-conf.ts';
import type { Placement } from '../topology/placement.ts';
import { connectionsFor, SUPERUSER } from '../topology/postgres-settings.ts';
import type { Topology } from '../topology/topology.ts';
import type { DataFolder } from './data-folder.ts';
import { type KafkaServer, kafkaArguments, kafkaFiles } from './kafka.ts';
import { HOST } from './ports.ts';
import { initialize, type PostgresServer, postgresArguments } from './postgres.ts';
import type { ProcessSpec, SpecFile, Stop } from './process-spec.ts';
import type { Tools } from './tools.ts';

/** Everything the processes of a sale depend on besides its topology. */
export interface Surroundings {
  folder: DataFolder;
  tools: Tools;
  /** Nodes that run: the topology's, and those leaving. */
  nodes: NodeId[];
  /** Port by name; see `portNames`. */
  port: (name: string) => number;
  secret: (name: string) => string;
  superuserPassword: string;
  /** A fingerprint of what roles read only when they start: secrets, Kafka, the registry's address. */
  startedWith: string;
  kafkaClusterId: string;
  /** The folder in which Node keeps what it compiled, which lets the roles start twice as fast. */
  compiled: string;
  /** Folder of the package: where the roles' entry points are. */
  root: string;
  /** Added to the roles' environment. */
  env: Record<string, string>;
}

const redisName = (node: NodeId): string => `redis-${node}`;
export const storefrontName = (n: number): string => `storefront-${n}`;
export const METRICS = '.metrics';
export const POSTGRES = 'postgres';
export const KAFKA = 'kafka';
const POOL_AGENT = 'pool-agent';

const address = (s: Pick<Surroundings, 'port'>, name: string): Address => ({ host: HOST, port: s.port(name) });

export const place = (
  topology: Topology,
  s: Pick<Surroundings, 'port' | 'nodes'>,
  lists: Placement['lists'],
): Placement => ({
  caches: Object.fromEntries(s.nodes.map((node) => [node, address(s, redisName(node))])),
  shards: Object.fromEntries(topology.shards.members.map(({ id }) => [id, address(s, POSTGRES)])),
  pool: address(s, POSTGRES),
  poolAgent: address(s, POOL_AGENT),
  kafka: { brokers: topology.kafka.brokers ? [] : [`${HOST}:${s.port(KAFKA)}`], replicationFactor: 1 },
  lists,
});

/** The number somebody was promised for this port by `--port`, if it is such a one. */
export function promisedPort(name: string, firstPort: number | undefined): number | undefined {
  const n = /^storefront-(\d+)$/.exec(name)?.[1];
  return firstPort === undefined || n === undefined ? undefined : firstPort + Number(n);
}

/** Ports by process: what must be free before it starts. */
export function portNames(topology: Topology, nodes: NodeId[]): Map<string, string[]> {
  const own = (name: string): [string, string[]] => [name, [name]];
  const metrics = (name: string): [string, string[]] => [name, [name + METRICS]];
  const both = (name: string): [string, string[]] => [name, [name, name + METRICS]];
  return new Map([
    ...nodes.map((node) => own(redisName(node))),
    own(POSTGRES),
    ...(topology.kafka.brokers ? [] : [[KAFKA, [KAFKA, 'kafka-controller']] as [string, string[]]]),
    ...nodes.map((node) => metrics(`cache-agent-${node}`)),
    ...topology.shards.members.map(({ id }) => metrics(`shard-agent-${id}`)),
    both(POOL_AGENT),
    metrics('balancer'),
    ...Array.from({ length: topology.storefronts.replicas }, (_, n) => both(storefrontName(n))),
  ]);
}

/** Describes the processes in the order in which people like to read them. The supervisor decides in which order they start. */
export function processesOf(topology: Topology, s: Surroundings): ProcessSpec[] {
  const { folder } = s;
  const role = (name: string, title: string, entry: string, options: RoleOptions): ProcessSpec => ({
    name,
    title,
    stage: options.stage,
    command: s.tools.node,
    args: [
      ...(options.nodeFlags ?? []),
      join(s.root, entry),
      ...['--config', folder.config, '--secrets', folder.secrets],
      ...(options.id ? ['--id', options.id] : []),
      ...(options.listens ? ['--listen', `${HOST}:${s.port(name)}`] : []),
      ...['--metrics', `${HOST}:${s.port(name + METRICS)}`],
    ],
    env: { NODE_COMPILE_CACHE: s.compiled, FLASHSALE_STARTED_WITH: s.startedWith, ...s.env },
    cwd: folder.path,
    files: [],
    probe: { kind: 'http', url: `http://${HOST}:${s.port(name + METRICS)}/ready` },
    stop: ROLE_STOP,
    address:
      options.stage === 'front' ? `http://${HOST}:${s.port(name)}` : `http://${HOST}:${s.port(name + METRICS)}/metrics`,
  });

  return [
    ...s.nodes.map((node) => redisProcess(node, topology, s)),
    postgresProcess(topology, s),
    ...(topology.kafka.brokers || !s.tools.kafka ? [] : [kafkaProcess(s.tools.kafka, s)]),
    ...s.nodes.map((id) =>
      role(`cache-agent-${id}`, `cache agent ${id}`, 'dataplane/cache-agent/main.ts', { id, stage: 'agents' }),
    ),
    ...topology.shards.members.map(({ id }) =>
      role(`shard-agent-${id}`, `shard agent ${id}`, 'dataplane/shard-agent/main.ts', { id, stage: 'agents' }),
    ),
    role(POOL_AGENT, 'pool agent', 'dataplane/shard-agent/main.ts', { id: 'pool', stage: 'agents', listens: true }),
    role('balancer', 'balancer', 'operator/balancer/main.ts', { stage: 'agents' }),
    ...Array.from({ length: topology.storefronts.replicas }, (_, n) =>
      role(storefrontName(n), `storefront ${n}`, 'dataplane/storefront/main.ts', {
        stage: 'front',
        nodeFlags: LEAN,
        listens: true,
      }),
    ),
  ];
}

interface RoleOptions {
  stage: ProcessSpec['stage'];
  nodeFlags?: string[];
  id?: string;
  listens?: boolean;
}

/** Young objects die young in a storefront: a small nursery keeps its memory below 200 MB at no cost in speed. */
const LEAN = ['--max-semi-space-size=8'];

/** A role drains when asked to; nobody needs longer than its longest request. */
const ROLE_STOP: Stop = { signal: 'SIGTERM', grace: 10_000 };

function redisProcess(node: NodeId, topology: Topology, s: Surroundings): ProcessSpec {
  const at = address(s, redisName(node));
  const home = s.folder.redis(node);
  const password = (user: RedisUser) => s.secret(redisSecret(user));
  const content = redisConf({
    bind: [at.host],
    port: at.port,
    folder: home,
    durability: topology.caches.durability,
    passwords: {
      agent: password('agent'),
      storefront: password('storefront'),
      pool: password('pool'),
      audit: password('audit'),
    },
  });
  const path = join(home, 'redis.conf');
  return {
    name: redisName(node),
    title: `Redis ${node}`,
    stage: 'servers',
    command: s.tools.redisServer,
    args: [path],
    env: {},
    cwd: s.folder.path,
    files: [{ path, content, keep: false }],
    address: `${at.host}:${at.port}`,
    probe: { kind: 'redis', at, user: 'agent', password: password('agent') },
    stop: { signal: 'SIGTERM', grace: 10_000 },
  };
}

function postgresProcess(topology: Topology, s: Surroundings): ProcessSpec {
  const shards = topology.shards.members.length;
  const users = {
    storefronts: topology.storefronts.replicas,
    nodes: s.nodes.length,
    shards,
    databases: shards + 1,
  };
  const server: PostgresServer = {
    ...address(s, POSTGRES),
    folder: s.folder.postgres,
    connections: connectionsFor(users),
  };
  const user = s.tools.postgresUser;
  return {
    name: POSTGRES,
    title: 'PostgreSQL',
    stage: 'servers',
    command: join(s.tools.postgresBin, 'postgres'),
    args: postgresArguments(server, user),
    env: {},
    // Not the data folder: another user could not enter it.
    cwd: '/',
    folder: s.folder.postgres,
    files: [],
    prepare: (signal) => initialize(server, s.tools, s.superuserPassword, signal),
    address: `${server.host}:${server.port}`,
    probe: { kind: 'postgres', at: address(s, POSTGRES), user: SUPERUSER, password: s.superuserPassword },
    // Its fast shutdown: sessions are ended, everything committed is kept.
    stop: { signal: 'SIGINT', grace: 30_000 },
    ...(user ? { user } : {}),
  };
}

function kafkaProcess(tools: NonNullable<Tools['kafka']>, s: Surroundings): ProcessSpec {
  const server: KafkaServer = {
    folder: s.folder.kafka,
    port: s.port(KAFKA),
    controllerPort: s.port('kafka-controller'),
    clusterId: s.kafkaClusterId,
  };
  const files: SpecFile[] = kafkaFiles(server);
  return {
    name: KAFKA,
    title: 'Kafka',
    stage: 'servers',
    command: tools.java,
    args: kafkaArguments(server, tools),
    env: {},
    cwd: s.folder.path,
    files,
    address: `${HOST}:${server.port}`,
    probe: { kind: 'kafka', at: address(s, KAFKA) },
    stop: { signal: 'SIGTERM', grace: 10_000 },
  };
}
