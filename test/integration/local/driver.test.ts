// What the driver does where `up` and `down` do not lead: a Kafka of the sale's own, ports that somebody took, edits
// that restart processes, edits upon edits. Tests that leave a whole sale behind have one together.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { View } from '../../../operator/local/view.ts';
import { sharedKafka, startSale, stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { until } from '../../harness/until.ts';

vi.setConfig({ testTimeout: 180_000 });

const SMALL = { stock: 20, cache: { nodes: 1 }, shards: { count: 1 } };
const started: TestSale[] = [];
const cleanups: (() => void)[] = [];
const ended: (() => Promise<void>)[] = [];

async function start(...args: Parameters<typeof startSale>): Promise<TestSale> {
  const sale = await startSale(...args);
  started.push(sale);
  return sale;
}

/** Started for the first test that asks for it, and there for those after it, which buy under other names. */
function kept(kafka: 'own' | 'shared'): () => Promise<TestSale> {
  let sale: Promise<TestSale> | undefined;
  ended.push(async () => (await sale)?.stop());
  return () => {
    sale ??= startSale(SMALL, { kafka });
    return sale;
  };
}
const ownKafka = kept('own');
const whole = kept('shared');

afterEach(async () => {
  for (const sale of started.splice(0)) await sale.stop();
  for (const clean of cleanups.splice(0)) clean();
});
afterAll(async () => {
  await Promise.all(ended.map((end) => end()));
  await stopSharedKafka();
});

const pid = (sale: TestSale, name: string) => sale.processes.list().find((process) => process.name === name)?.pid;

async function buy(sale: TestSale, buyer: string): Promise<{ token: string; checkout: () => Promise<number> }> {
  const [url] = sale.storefrontUrls();
  const post = (path: string, body: unknown) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-buyer-id': buyer },
      body: JSON.stringify(body),
    });
  const { token } = await until('a purchase', async () => {
    const answer = await post('/purchase', {});
    return answer.ok && ((await answer.json()) as { token: string });
  });
  return { token, checkout: async () => (await post('/checkout', { token })).status };
}

test('a sale runs a Kafka of its own, which may lose everything', async () => {
  const sale = await ownKafka();
  expect(sale.processes.list().map(({ name }) => name)).toContain('kafka');
  await sale.processes.stop('kafka', { hard: true });
  sale.processes.wipe('kafka');
  const { checkout } = await buy(sale, 'ann');
  expect(await checkout()).toBe(201);
  await sale.processes.start('kafka');
  await until('the table is rebuilt', async () => (await sale.report()).status.sold === 1, 60_000);
});

test('an edit to a Kafka of somebody else ends the sale’s own, and restarts who must know', async () => {
  const sale = await ownKafka();
  const before = pid(sale, 'shard-agent-s0');
  const redis = pid(sale, 'redis-c0');
  const { broker } = await sharedKafka();
  await sale.apply({ kafka: { bootstrapServers: [broker] } });
  expect(sale.processes.list().map(({ name }) => name)).not.toContain('kafka');
  expect(sale.config.kafka.brokers).toEqual([broker]);
  expect(pid(sale, 'shard-agent-s0')).not.toBe(before);
  expect(pid(sale, 'redis-c0')).toBe(redis);
});

test('a look that is under way while Kafka is exchanged does not end all later ones', async () => {
  const sale = await whole();
  const view = new View(sale.secret, pino({ level: 'silent' }));
  const { pool, kafka } = sale.config;
  const [broker = ''] = kafka.brokers;
  try {
    await view.connect({ ...sale.config, pool, kafka });
    await view.read();
    for (let brokers = 2; brokers < 7; brokers++) {
      const underWay = view.read().catch(() => undefined);
      // The question is on its way, and the answer is not there yet.
      await new Promise(setImmediate);
      await view.connect({ ...sale.config, pool, kafka: { ...kafka, brokers: Array(brokers).fill(broker) } });
      await underWay;
    }
    await until('the table is filled', async () => {
      await view.read();
      return view.table?.pool() !== undefined;
    });
  } finally {
    await view.close();
  }
});

test('a cache node robbed of its data is rebuilt, and sells what it held', async () => {
  const sale = await whole();
  const before = (await sale.report()).status;
  expect(await (await buy(sale, 'dan')).checkout()).toBe(201);
  await sale.processes.stop('redis-c0', { hard: true });
  sale.processes.wipe('redis-c0');
  await sale.processes.start('redis-c0');
  const report = await until(
    'the node is back',
    async () => {
      const now = await sale.report();
      return now.settled && (now.status.caches?.[0]?.epoch ?? 0) > (before.caches?.[0]?.epoch ?? 0) && now;
    },
    60_000,
  );
  const sold = (before.sold ?? 0) + 1;
  expect(report.status).toMatchObject({ supplied: 20, sold, virtualAvailable: 20 - sold });
  expect(existsSync(join(sale.folder, 'redis-c0'))).toBe(true);
});

test('an edit of the durability restarts the cache nodes, and no buyer loses more than a click', async () => {
  const sale = await whole();
  await sale.apply({ token: { ttl: '60s' } });
  const { checkout } = await buy(sale, 'bob');
  const before = pid(sale, 'redis-c0');
  await sale.apply({ cache: { nodes: 1, durability: 'EverySecond' } });
  expect(pid(sale, 'redis-c0')).not.toBe(before);
  expect(readFileSync(join(sale.folder, 'redis-c0', 'redis.conf'), 'utf8')).toContain('appendfsync everysec');
  // A node that may have lost its last second is rebuilt (protocol): a token of before is then void, and its unit is
  // on sale again.
  const first = await checkout();
  expect([201, 410]).toContain(first);
  if (first === 410) expect(await (await buy(sale, 'bob')).checkout()).toBe(201);
});

test('a port that is taken while the sale runs is exchanged, and those who must know are started again', async () => {
  const sale = await whole();
  const { port } = sale.config.pool;
  const balancer = pid(sale, 'balancer');
  await sale.processes.stop('postgres');
  const thief = createServer();
  cleanups.push(() => thief.close());
  await new Promise<void>((resolve) => thief.listen(port, '127.0.0.1', resolve));
  await sale.processes.start('postgres');
  await until(
    'the sale is whole again',
    async () => (await sale.report()).settled && pid(sale, 'balancer') !== balancer,
    60_000,
  );
  expect(sale.config.pool.port).not.toBe(port);
  expect(await (await buy(sale, 'cid')).checkout()).toBe(201);
});

test('one that is held down stays down over an edit, and comes back when it is let go', async () => {
  const sale = await whole();
  await sale.processes.stop('balancer');
  await sale.apply({ qualification: { perBuyer: 2 } }, { wait: false });
  await until('the edit is carried out', () => sale.config.qualification.perBuyer === 2);
  expect(pid(sale, 'balancer')).toBeUndefined();
  await sale.processes.start('balancer');
  expect(pid(sale, 'balancer')).toBeDefined();
});

test('a port that somebody took meanwhile is exchanged, and everybody finds the way', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'flashsale-driver-'));
  cleanups.push(() => rmSync(dir, { recursive: true, force: true }));
  const first = await startSale(SMALL, { dir, kafka: 'shared' });
  const redis = first.config.cache.nodes[0]?.port ?? 0;
  const postgres = first.config.pool.port;
  const kept = first.storefrontUrls();
  await first.stop();
  const others: Server[] = [];
  cleanups.push(() => others.map((server) => server.close()));
  for (const port of [redis, postgres])
    await new Promise<void>((resolve) => others.push(createServer().listen(port, '127.0.0.1', resolve)));

  const again = await start(SMALL, { dir, kafka: 'shared' });
  expect(again.config.cache.nodes[0]?.port).not.toBe(redis);
  expect(again.config.pool.port).not.toBe(postgres);
  expect(again.storefrontUrls()).toEqual(kept);
  expect(await (await buy(again, 'ann')).checkout()).toBe(201);
});

test('R33: an edit that comes while another is carried out takes its place', async () => {
  const sale = await start(SMALL, { kafka: 'shared', wait: false });
  await sale.apply({ shards: { count: 3 } }, { wait: false });
  await sale.apply({ cache: { nodes: 2 } }, { wait: false });
  await sale.apply({ stock: 33 });
  const report = await sale.report();
  expect(report.status).toMatchObject({ supplied: 33, virtualAvailable: 33, observedGeneration: 4 });
  expect(report.status.caches?.length).toBe(2);
  expect(report.status.shards?.length).toBe(4);
});
