// What the benchmarks share: a sale big enough not to run out, tokens made in bulk, and baseline servers as processes
// of their own.

import { spawn } from 'node:child_process';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { redisSecret, SECRETS } from '../../dataplane/protocol/config.ts';
import { ownerNumber } from '../../dataplane/protocol/owner-node.ts';
import { tokenSigner } from '../../dataplane/protocol/token.ts';
import { shardId } from '../../dataplane/protocol/units.ts';
import type { NodeIdentity, ReserveRequest, StorefrontNode } from '../../dataplane/stores/cache-node/cache-node.ts';
import { connectStorefrontNode } from '../../dataplane/stores/cache-node/redis.ts';
import { StoreUnknown } from '../../dataplane/stores/errors.ts';
import { PATIENT_TERMS } from '../harness/cache-node.ts';
import { freePort } from '../harness/ports.ts';
import { startSale, type TestSale } from '../harness/sale.ts';
import type { Shot } from './wrk.ts';

export const CONNECTIONS = 128;

/** Everything in it is as in production: durable Redis and PostgreSQL, Kafka, every agent. */
export const benchSale = (shards: number, stock: number, env: Record<string, string> = {}): Promise<TestSale> =>
  startSale(
    {
      stock,
      cache: { nodes: 1 },
      shards: { count: shards },
      storefront: { replicas: 1 },
      token: { ttl: '1h' },
    },
    { env, failpoints: false },
  );

let crowds = 0;
/** Purchases by buyers nobody has seen before. */
export const purchases = (count: number): Shot[] => {
  const crowd = crowds++;
  return Array.from({ length: count }, (_, i) => ({
    path: '/purchase',
    buyer: `b${crowd}-${i}`,
    body: '{"quantity":1}',
  }));
};

/** Live tokens, made by the storefront's own script and signature, spread evenly over the shards; as checkouts. */
export async function checkouts(sale: TestSale, count: number): Promise<Shot[]> {
  const crowd = crowds++;
  const { config } = sale;
  const signer = tokenSigner(sale.secret(SECRETS.tokenKey));
  const nodes = config.cache.nodes.map((n) => connectStorefrontNode(n, sale.secret(redisSecret('storefront')), {}));
  try {
    const identities = await Promise.all(nodes.map(stampOf));
    const shots: Shot[] = [];
    const some = async (home: number, wanted: ReserveRequest[]): Promise<void> => {
      const [node, identity] = [nodes[home], identities[home]];
      if (!node || !identity) throw new Error('a cache node is not ready');
      for (const reply of await node.reserve(
        { ...identity, ttl: config.token.ttl, perBuyer: 1, ...PATIENT_TERMS },
        wanted,
      )) {
        if (reply.kind !== 'token') throw new Error(`no token but ${reply.kind}`);
        const { token } = reply;
        const text = signer.sign({
          ...token,
          incarnation: identity.incarnation,
          node: identity.node,
          epoch: identity.epoch,
        });
        shots.push({ path: '/checkout', buyer: token.buyer, body: JSON.stringify({ token: text }) });
      }
    };
    for (let i = 0; i < count; i += 256) {
      const wanted = Array.from({ length: Math.min(256, count - i) }, (_, k): ReserveRequest & { home: number } => {
        const buyer = `c${crowd}-${i + k}`;
        const id = `${crowd}x${String(i + k).padStart(20 - String(crowd).length, '0')}`.padEnd(22, 'x');
        const shard = shardId((i + k) % config.shards.length);
        return { home: ownerNumber(buyer, nodes.length), id, buyer, quantity: 1, shard };
      });
      for (const [home, requests] of Map.groupBy(wanted, (request) => request.home)) await some(home, requests);
    }
    return shots;
  } finally {
    await Promise.all(nodes.map((n) => n.close()));
  }
}

/** A connection begins with its first call, which does not wait for it. */
async function stampOf(node: Pick<StorefrontNode, 'identity'>): Promise<NodeIdentity | undefined> {
  for (const deadline = performance.now() + 3000; ; await sleep(20)) {
    try {
      return await node.identity();
    } catch (error) {
      if (!(error instanceof StoreUnknown) || performance.now() > deadline) throw error;
    }
  }
}

export interface Baseline {
  url: string;
  stop(): Promise<void>;
}

/** `node test/bench/baselines/<name>.ts <port> …`, ready when it accepts connections. */
export async function startBaseline(name: string, ...args: string[]): Promise<Baseline> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, 'baselines', `${name}.ts`), String(port), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const accepts = () =>
    new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => socket.end(() => resolve(true)));
      socket.once('error', () => resolve(false));
    });
  for (const deadline = performance.now() + 10_000; !(await accepts()); await sleep(50))
    if (performance.now() > deadline || child.exitCode !== null) throw new Error(`the baseline ${name} did not start`);
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
