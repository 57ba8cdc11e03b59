// Topology → processes: names, ports, and what must never be in a command line.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { validate } from '../../../operator/api/validate.ts';
import { dataFolder } from '../../../operator/local/data-folder.ts';
import { specFingerprint } from '../../../operator/local/process-spec.ts';
import { portNames, processesOf, promisedPort, type Surroundings } from '../../../operator/local/processes.ts';
import { findKafka } from '../../../operator/local/tools.ts';
import { connectionsFor } from '../../../operator/topology/postgres-settings.ts';
import { buildTopology, type Topology } from '../../../operator/topology/topology.ts';

function topology(spec: Record<string, unknown> = {}): Topology {
  const validation = validate({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'x' },
    spec: {
      sku: 'A',
      stock: 1,
      cache: { nodes: 2 },
      shards: { count: 2 },
      auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      ...spec,
    },
  });
  if (!validation.ok) throw new Error(JSON.stringify(validation.findings));
  return buildTopology(validation.sale);
}

const surroundings = (patch: Partial<Surroundings> = {}): Surroundings => ({
  folder: dataFolder('/data/x'),
  tools: {
    node: '/bin/node',
    redisServer: '/bin/redis-server',
    postgresBin: '/pg/bin',
    postgresUser: undefined,
    kafka: { java: '/bin/java', libs: '/kafka/libs' },
  },
  nodes: [nodeId(0), nodeId(1)],
  port: (name) => 20_000 + name.length,
  secret: (name) => `secret of ${name}`,
  superuserPassword: 'secret of superuser',
  startedWith: 'x',
  kafkaClusterId: 'k',
  compiled: '/cache/compiled',
  root: '/app',
  env: {},
  ...patch,
});

const names = (t: Topology, s = surroundings()) => processesOf(t, s).map(({ name }) => name);

test('a sale is its servers, an agent for each cache node and shard, pool agent, balancer and storefronts', () => {
  expect(names(topology())).toEqual([
    ...['redis-c0', 'redis-c1', 'postgres', 'kafka', 'cache-agent-c0', 'cache-agent-c1'],
    ...['shard-agent-s0', 'shard-agent-s1', 'pool-agent', 'balancer', 'storefront-0', 'storefront-1'],
  ]);
});

test('with a Kafka of its owner’s a sale runs none', () => {
  expect(names(topology({ kafka: { bootstrapServers: ['a:1'] } }))).not.toContain('kafka');
});

test('R33: a cache node that is leaving runs on, with its agent', () => {
  const leaving = surroundings({ nodes: [nodeId(0), nodeId(1), nodeId(2)] });
  expect(names(topology(), leaving)).toEqual(expect.arrayContaining(['redis-c2', 'cache-agent-c2']));
});

test('each process has ports of its own, and every name is one of a process', () => {
  const ports = portNames(topology(), [nodeId(0), nodeId(1)]);
  expect([...ports.keys()].sort()).toEqual(names(topology()).sort());
  const all = [...ports.values()].flat();
  expect(new Set(all).size).toBe(all.length);
});

test('only storefronts are promised a port, one after the other', () => {
  expect(
    ['storefront-0', 'storefront-3', 'redis-c0', 'storefront-0.metrics'].map((name) => promisedPort(name, 8080)),
  ).toEqual([8080, 8083, undefined, undefined]);
  expect(promisedPort('storefront-0', undefined)).toBeUndefined();
});

test('R25: no password stands in a command line, an environment or redis.conf', () => {
  for (const { args, env, files } of processesOf(topology(), surroundings()))
    expect(JSON.stringify([args, env, files])).not.toContain('secret of');
});

describe('a fingerprint', () => {
  const of = (t: Topology, s = surroundings()) =>
    Object.fromEntries(processesOf(t, s).map((spec) => [spec.name, specFingerprint(spec)]));
  const changed = (a: Record<string, string>, b: Record<string, string>) =>
    Object.keys(a).filter((name) => a[name] !== b[name]);
  const before = of(topology());

  test('is the same for the same process', () => {
    expect(of(topology())).toEqual(before);
    expect(changed(before, of(topology({ stock: 5, shards: { count: 3 }, storefront: { replicas: 5 } })))).toEqual([]);
  });

  test('differs for cache nodes of another durability', () => {
    expect(changed(before, of(topology({ cache: { nodes: 2, durability: 'EverySecond' } })))).toEqual([
      'redis-c0',
      'redis-c1',
    ]);
  });

  test('differs for the roles when something differs that they read only when they start', () => {
    const roles = Object.keys(before).filter((name) => !/redis|postgres|kafka/.test(name));
    expect(changed(before, of(topology(), surroundings({ startedWith: 'y' })))).toEqual(roles);
  });

  test('is not that of the files a server keeps', () => {
    expect(of(topology(), surroundings({ kafkaClusterId: 'another' }))).toEqual(before);
  });
});

describe('PostgreSQL', () => {
  const postgres = (patch: Partial<Surroundings> = {}) => {
    const spec = processesOf(topology(), surroundings(patch)).find(({ name }) => name === 'postgres');
    if (!spec) throw new Error('there is no PostgreSQL');
    return spec;
  };

  test('keeps every commit', () => {
    const args = postgres().args;
    for (const setting of ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on']) expect(args).toContain(setting);
  });

  test('run by root it is another user, who gets its folder handed over and may not walk to it', () => {
    const tools = { ...surroundings().tools, postgresUser: { uid: 101, gid: 104 } };
    expect(postgres({ tools })).toMatchObject({ user: { uid: 101, gid: 104 }, folder: '/data/x/postgres', cwd: '/' });
    expect(postgres({ tools }).args.slice(0, 2)).toEqual(['-D', '/proc/self/fd/3/data']);
    expect(postgres().args.slice(0, 2)).toEqual(['-D', '/data/x/postgres/data']);
  });

  test('has connections for everybody, in steps that growing seldom passes', () => {
    expect(connectionsFor({ storefronts: 2, nodes: 3, shards: 4, databases: 5 })).toBe(512);
    expect(connectionsFor({ storefronts: 3, nodes: 4, shards: 5, databases: 6 })).toBe(512);
    expect(connectionsFor({ storefronts: 8, nodes: 8, shards: 32, databases: 33 })).toBe(4096);
    expect(connectionsFor({ storefronts: 200, nodes: 64, shards: 256, databases: 1 })).toBe(4096);
  });
});

test('Kafka starts from its classes as Java has read them once, where setup has put them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-tools-'));
  try {
    const libs = join(folder, 'libs');
    mkdirSync(libs);
    writeFileSync(join(libs, 'kafka_2.13-4.1.0.jar'), '');
    const argumentsNow = () => {
      const tools = {
        ...surroundings().tools,
        kafka: { java: '/bin/java', ...findKafka({ FLASHSALE_KAFKA_LIBS: libs }) },
      };
      return processesOf(topology(), surroundings({ tools })).find(({ name }) => name === 'kafka')?.args ?? [];
    };
    expect(argumentsNow().join()).not.toContain('SharedArchiveFile');
    writeFileSync(join(folder, 'classes.jsa'), '');
    expect(argumentsNow()).toContain(`-XX:SharedArchiveFile=${join(folder, 'classes.jsa')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
