// A whole storefront on a free port, with stand-ins for the stores, and a client that holds every answer against the
// OpenAPI document: an answer that is not documented fails the test that got it.

import { connect } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { request } from 'undici';
import { expect, onTestFinished } from 'vitest';
import type { SaleConfig } from '../../../dataplane/protocol/config.ts';
import { PROBLEM_TYPE } from '../../../dataplane/protocol/problems.ts';
import { nodeId, shardId } from '../../../dataplane/protocol/units.ts';
import { systemClock } from '../../../dataplane/runtime/clock.ts';
import type { Watermarks } from '../../../dataplane/storefront/admission-limiter.ts';
import { OPERATIONS, openapi } from '../../../dataplane/storefront/openapi.ts';
import { createStorefront, type Storefront } from '../../../dataplane/storefront/storefront.ts';
import { MemoryNode, MemoryPool, MemoryShard } from './memory-stores.ts';

export const TOKEN_KEY = Buffer.alloc(32, 7).toString('base64');
const JWT_SECRET = 'a-shared-secret-of-at-least-32-bytes';

export function saleConfig(nodes: number, shards: number): SaleConfig {
  const address = { host: '127.0.0.1', port: 1 };
  return {
    namespace: 'shop',
    name: 'phones',
    generation: 1,
    sku: 'PHONE "17"',
    stock: 100,
    window: {},
    paused: false,
    token: { ttl: 60_000 },
    orders: { paymentDeadline: 900_000 },
    storefront: { connections: { most: 1000 } },
    qualification: { perBuyer: 4, maxQuantity: 3 },
    auth: { kind: 'header', header: 'X-Buyer-Id' },
    cache: {
      durability: 'Always',
      nodes: Array.from({ length: nodes }, (_, n) => ({ id: nodeId(n), ...address })),
    },
    shards: Array.from({ length: shards }, (_, n) => ({ id: shardId(n), database: `s${n}`, ...address })),
    pool: { ...address, database: 'pool', agent: address },
    kafka: { brokers: [], prefix: 'phones', replicationFactor: 1, tls: false },
    balancer: { rule: 'Average', deadBand: 0.1, summaryPeriod: 100, shardTime: 30, delay: 20 },
  };
}

export interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Record<string, unknown>;
  /** The code, when it is one. */
  problem: string | undefined;
}

export interface Shop {
  storefront: Storefront;
  nodes: Map<string, MemoryNode>;
  shards: Map<string, MemoryShard>;
  pool: MemoryPool;
  metrics: Registry;
  port: number;
  /** This storefront's clocks. */
  clock: { wall: number; now: number };
  config: SaleConfig;
  edit(change: (config: SaleConfig) => unknown): void;
  post(path: string, body?: unknown, buyer?: string): Promise<Reply>;
  get(path: string, buyer?: string): Promise<Reply>;
  send(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Reply>;
  /** Bytes as they are; resolves with all that came back when the server ended the connection. */
  raw(text: string): Promise<Reply>;
}

export interface ShopOptions {
  nodes?: number;
  shards?: number;
  /** Virtual stock of each node. */
  virtual?: number;
  /** Real stock of each shard. */
  available?: number;
  change?: (config: SaleConfig) => unknown;
  random?: () => number;
  admission?: Watermarks;
  committed?: () => void;
  /** Done to the nodes before the storefront is made. */
  prepare?: (nodes: Map<string, MemoryNode>) => unknown;
  /** What it waits for after that; absent: nothing. */
  notReady?: string;
}

/** Operation and problem or status of every answer that any shop of this file gave. */
export const answersSeen = new Set<string>();

export async function openShop(options: ShopOptions = {}): Promise<Shop> {
  const { nodes: m = 1, shards: n = 1, virtual = 10, available = 10 } = options;
  const config = saleConfig(m, n);
  options.change?.(config);
  const nodes = new Map(config.cache.nodes.map(({ id }) => [id, new MemoryNode(id, m, virtual)]));
  const shards = new Map(config.shards.map(({ id }) => [id, new MemoryShard(available)]));
  options.prepare?.(nodes);
  const pool = new MemoryPool(nodes);
  const metrics = new Registry();
  const clock = { wall: Date.parse('2026-12-01T12:00:00Z'), now: 0 };
  const started = performance.now();
  const held = <K, T>(map: Map<K, T>, key: K): T => {
    const found = map.get(key);
    if (found === undefined) throw new Error(`no stand-in for ${String(key)}`);
    return found;
  };
  const storefront = createStorefront(structuredClone(config), {
    stores: {
      node: ({ id }) => held(nodes, id),
      shard: ({ id }) => held(shards, id),
      refill: () => ({ ask: (node, quantity) => pool.ask(node, quantity), close: async () => undefined }),
    },
    secret: (name) => (name === 'token-key' ? TOKEN_KEY : JWT_SECRET),
    configFile: import.meta.filename,
    version: '0.0.0',
    log: pino({ level: 'silent' }),
    metrics,
    committed: options.committed ?? (() => undefined),
    batcher: { most: 4, mostQueued: 50, shortWait: 60, shortRetryEvery: 20, giveUpAfter: 400, resendAfter: 5 },
    random: options.random ?? Math.random,
    ...(options.admission ? { admission: options.admission } : {}),
    clock: { ...systemClock, wall: () => clock.wall, now: () => clock.now + performance.now() - started },
  });
  const { http } = storefront.server;
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const port = (http.address() as { port: number }).port;
  onTestFinished(() => storefront.drain());
  await expect.poll(() => storefront.ready()).toEqual(options.notReady);

  const seen = documented(config);
  const send: Shop['send'] = async (method, path, headers = {}, body) => {
    const answer = await request(`http://127.0.0.1:${port}${path}`, {
      method: method as 'GET',
      headers,
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.body.text();
    return seen(method, path, { status: answer.statusCode, headers: answer.headers, text });
  };
  const buyerHeader = (buyer: string) => ({ 'x-buyer-id': buyer, 'content-type': 'application/json' });
  return {
    storefront,
    nodes,
    shards,
    pool,
    metrics,
    port,
    clock,
    config,
    edit(change) {
      change(config);
      storefront.edit(structuredClone(config));
    },
    post: (path, body, buyer = 'alice') =>
      send('POST', path, buyerHeader(buyer), body === undefined ? undefined : JSON.stringify(body)),
    get: (path, buyer = 'alice') => send('GET', path, buyerHeader(buyer)),
    send,
    raw: (text) =>
      new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        let all = '';
        socket.setEncoding('utf8');
        socket.on('data', (part) => {
          all += part;
        });
        socket.on('error', reject);
        socket.on('close', () => {
          const [head = '', body = ''] = all.split('\r\n\r\n');
          const [first = '', ...lines] = head.split('\r\n');
          const headers = Object.fromEntries(lines.map((line) => line.toLowerCase().split(': ')));
          const [method = '', path = ''] = text.split(' ');
          resolve(seen(method, path, { status: Number(first.split(' ')[1]), headers, text: body }));
        });
      }),
  };
}

/** Holds an answer against the document, and remembers it. */
function documented(config: SaleConfig) {
  const document = openapi(config.auth, '0.0.0');
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'api', components: document.components });
  const validators = new Map<string, ReturnType<typeof ajv.compile>>();
  const validator = (key: string, schema: object) => {
    const text = JSON.stringify(schema).replaceAll('"#/', '"api#/');
    const made = validators.get(key) ?? ajv.compile(JSON.parse(text));
    validators.set(key, made);
    return made;
  };

  return (
    method: string,
    path: string,
    { status, headers, text }: { status: number; headers: Reply['headers']; text: string },
  ): Reply => {
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const type = String(headers['content-type']);
    const problem = type === 'application/problem+json' ? String(body.type).slice(PROBLEM_TYPE.length) : undefined;
    const operation = OPERATIONS.find(
      (o) => o.method === method && new RegExp(`^${o.path.replace('{id}', '[^/?]+')}([?]|$)`).test(path),
    );
    if (operation !== undefined) {
      const key = `${operation.id} ${problem ?? status}`;
      const paths = document.paths as Record<string, Record<string, { responses: Record<string, Response> }>>;
      const response = paths[operation.path]?.[method.toLowerCase()]?.responses[status];
      const schema = response?.content[type]?.schema;
      if (schema === undefined) throw new Error(`${key} (${status}, ${type}) is not documented: ${text}`);
      const validate = validator(`${operation.id} ${status} ${type}`, schema);
      if (!validate(body))
        throw new Error(`${key} is not as documented: ${ajv.errorsText(validate.errors)} in ${text}`);
      for (const [name, { required }] of Object.entries(response?.headers ?? {}))
        if (required && headers[name.toLowerCase()] === undefined) throw new Error(`${key} lacks the header ${name}`);
      answersSeen.add(key);
    } else if (problem === undefined) throw new Error(`${method} ${path} answered ${status} and is not documented`);
    return { status, headers, body, problem };
  };
}

interface Response {
  headers?: Record<string, { required?: boolean }>;
  content: Record<string, { schema: object }>;
}
