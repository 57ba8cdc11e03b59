// A sale of local mode from the first `up` to `down --wipe`, by the program itself: real servers, real roles, a real
// supervisor that is really killed. One story; each test goes on where the one before ended. Brokers are given, so
// that Java starts once; own-kafka.test.ts has the sale's own.

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { stopSale } from '../../../operator/local/daemon.ts';
import { dataFolder } from '../../../operator/local/data-folder.ts';
import { alive, type Identity, identify, signal } from '../../../operator/local/identity.ts';
import { holderOf } from '../../../operator/local/lock.ts';
import { readPids } from '../../../operator/local/pid-file.ts';
import type { SaleReport } from '../../../operator/local/report.ts';
import { flashsale, startFlashsale } from '../../harness/command.ts';
import { startKafka, type TestKafka } from '../../harness/kafka.ts';
import { twoFreePorts } from '../../harness/ports.ts';
import { until } from '../../harness/until.ts';

vi.setConfig({ testTimeout: 180_000 });

let kafka: TestKafka;
let state: string;
/** What the file says of spec; tests edit it. */
const spec = { stock: 100, nodes: 2, shards: 2, replicas: 1, sku: 'PHONE', more: '' };

const folder = () => dataFolder(join(state, 'flashsale', 'default.phone'));
const file = () => join(state, 'sale.yaml');
const yaml = (name = 'phone') => `apiVersion: flashsale.dev/v1alpha1
kind: FlashSale
metadata: {name: ${name}}
spec:
  sku: ${spec.sku}
  stock: ${spec.stock}
  cache: {nodes: ${spec.nodes}}
  shards: {count: ${spec.shards}}
  storefront: {replicas: ${spec.replicas}}
  token: {ttl: 5s}
  auth: {trustedHeader: {name: X-Buyer-Id, insecure: true}}
  kafka: {bootstrapServers: ['${kafka.broker}']}
  ${spec.more}
`;

const run = (...args: string[]) => flashsale(state, args);
async function up(edit: Partial<typeof spec> = {}, ...args: string[]) {
  Object.assign(spec, edit);
  writeFileSync(file(), yaml());
  const { code, stdout, stderr } = await run('up', '-f', file(), '-o', 'json', ...args);
  expect(stderr).toEqual([]);
  expect(code).toBe(0);
  return JSON.parse(stdout) as SaleReport & { generation: number; changes?: { field: string }[] };
}
const status = async () => JSON.parse((await run('status', '-o', 'json')).stdout) as SaleReport;
const pidsOf = (report: SaleReport) => Object.fromEntries(report.processes.map(({ name, pid }) => [name, pid]));
const running = (): Identity[] =>
  readPids(folder().run)
    .map(({ record }) => record)
    .filter(alive);
/** Processes whose command line names the data folder: whatever the pid files say. */
const named = () =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return (
          identify(Number(pid)) !== undefined && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder().path)
        );
      } catch {
        return false;
      }
    });

async function buy(buyer: string): Promise<{ order: string; url: string }> {
  const [url = ''] = (await status()).addresses.storefronts;
  const headers = { 'content-type': 'application/json', 'x-buyer-id': buyer };
  const post = async (path: string, body: unknown) => {
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  const purchase = await until('a purchase', async () => {
    const answer = await post('/purchase', { quantity: 1 });
    return answer.status === 201 && answer.body;
  });
  const checkout = await until('a checkout', async () => {
    const answer = await post('/checkout', { token: purchase.token });
    return (answer.status === 201 || answer.status === 200) && answer.body;
  });
  return { order: String(checkout.order), url };
}

const conserved = ({ status: { supplied, sold = 0, available = 0, inTransfer = 0 } }: SaleReport) =>
  supplied === sold + available + inTransfer;

let first: Awaited<ReturnType<typeof up>>;
let order: { order: string; url: string };

beforeAll(async () => {
  kafka = await startKafka();
  state = mkdtempSync(join(tmpdir(), 'flashsale-local-'));
});
afterAll(async () => {
  for (const name of existsSync(join(state, 'flashsale')) ? readdirSync(join(state, 'flashsale')) : [])
    await stopSale(dataFolder(join(state, 'flashsale', name)));
  await kafka.destroy();
  rmSync(state, { recursive: true, force: true });
});

test('up starts everything and returns when the sale is open', async () => {
  first = await up();
  expect(first).toMatchObject({ generation: 1, settled: true, namespace: 'default', name: 'phone' });
  expect(first.changes).toBeUndefined();
  expect(first.status).toMatchObject({ phase: 'Selling', supplied: 100, virtualAvailable: 100 });
  // What was allocated may still be under way.
  await until('the shards to have it', async () => (await status()).status.available === 100);
  expect(first.processes.map(({ name, phase }) => `${name} ${phase}`)).toEqual(
    [
      'redis-c0',
      'redis-c1',
      'postgres',
      'cache-agent-c0',
      'cache-agent-c1',
      'shard-agent-s0',
      'shard-agent-s1',
      'pool-agent',
      'balancer',
      'storefront-0',
    ].map((name) => `${name} ready`),
  );
  for (const url of Object.values(first.addresses.metrics)) expect((await fetch(url)).status).toBe(200);
  order = await buy('ann');
});

test('R25: the data folder is its owner’s alone, and no password is anywhere but in its file', () => {
  const { path, secrets, admin, state: stateFile, config, logs, control } = folder();
  for (const private_ of [path, secrets, admin, logs]) expect(statSync(private_).mode & 0o777).toBe(0o700);
  for (const private_ of [stateFile, config, control]) expect(statSync(private_).mode & 0o777).toBe(0o600);
  const values = [secrets, admin].flatMap((of) =>
    readdirSync(of).map((name) => {
      expect(statSync(join(of, name)).mode & 0o777).toBe(0o600);
      return readFileSync(join(of, name), 'utf8');
    }),
  );
  expect(values.length).toBe(14);
  const elsewhere = [stateFile, config, ...readdirSync(logs).map((name) => join(logs, name))].map((name) =>
    readFileSync(name, 'utf8'),
  );
  const commands = running().map(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  for (const value of values) expect([...elsewhere, ...commands].some((text) => text.includes(value))).toBe(false);
});

test('up with the same file changes nothing', async () => {
  const again = await up();
  expect(again).toMatchObject({ generation: 1, changes: [] });
  expect(pidsOf(again)).toEqual(pidsOf(first));
});

test('plan says what an edit would do, and does nothing', async () => {
  writeFileSync(file(), yaml().replace('stock: 100', 'stock: 150'));
  const { stdout } = await run('plan', '-f', file(), '-o', 'json');
  expect(JSON.parse(stdout)).toMatchObject({
    new: false,
    running: true,
    changes: [{ field: 'spec.stock', from: 100, to: 150 }],
  });
  expect((await status()).status.supplied).toBe(100);
});

test('R33: an edit restocks, and adds shards, cache nodes and storefronts, without a unit lost', async () => {
  const grown = await up({ stock: 150, nodes: 3, shards: 3, replicas: 2 });
  expect(grown.generation).toBe(2);
  expect(grown.status.caches?.map(({ id }) => id)).toEqual(['c0', 'c1', 'c2']);
  expect(grown.addresses.storefronts.length).toBe(2);
  expect(pidsOf(grown)).toMatchObject(pidsOf(first));
  const after = await until('everything is counted', async () => {
    const report = await status();
    return report.status.supplied === 150 && report.status.sold === 1 && conserved(report) && report;
  });
  expect(after.status.shards?.map(({ id }) => id)).toEqual(['s0', 's1', 's2', 'pool']);
  await buy('bob');
});

test('R33: an edit withdraws, and takes cache nodes and storefronts away, without a unit lost', async () => {
  const shrunk = await up({ stock: 90, nodes: 1, replicas: 1 });
  expect(shrunk.processes.map(({ name }) => name).filter((name) => /c1|c2|storefront-1/.test(name))).toEqual([]);
  const after = await until('the withdrawal is through', async () => {
    const report = await status();
    return report.status.supplied === 90 && report.status.sold === 2 && conserved(report) && report;
  });
  expect(after.status).toMatchObject({ available: 88, virtualAvailable: 88 });
  expect(after.status.caches?.map(({ id }) => id)).toEqual(['c0']);
  // What the leavers keep stays, for they may come back.
  expect(existsSync(folder().redis('c2'))).toBe(true);
});

test('R33: pausing stops purchases, resuming lets them go on', async () => {
  const paused = await up({ more: 'paused: true' });
  expect(paused.status.phase).toBe('Paused');
  const [url = ''] = paused.addresses.storefronts;
  // By one who may have no more: each node is told by itself, and until then it hands out units.
  await until('purchases are paused', async () => {
    const response = await fetch(`${url}/purchase`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-buyer-id': 'bob' },
      body: '{}',
    });
    return ((await response.json()) as { type: string }).type.endsWith('paused');
  });
  expect((await up({ more: '' })).status.phase).toBe('Selling');
  await buy('cid');
});

test('R33: what may not change is refused, by name and line, and nothing changes', async () => {
  const before = await status();
  writeFileSync(file(), yaml().replace('sku: PHONE', 'sku: OTHER').replace('count: 3', 'count: 1'));
  const { code, stdout, stderr } = await run('up', '-f', file());
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toEqual([
    expect.stringMatching(/sale\.yaml:5: spec\.sku: must stay PHONE|sale\.yaml:5: spec\.sku: cannot change/),
    expect.stringMatching(/sale\.yaml:8: spec\.shards\.count: cannot shrink/),
  ]);
  expect(pidsOf(await status())).toEqual(pidsOf(before));
});

test('R32: what is killed comes back, and nothing is forgotten', async () => {
  const before = pidsOf(await status());
  const killed = ['redis-c0', 'postgres', 'cache-agent-c0', 'pool-agent', 'storefront-0'];
  for (const name of killed) process.kill(before[name] ?? -1, 'SIGKILL');
  const after = await until(
    'everything is back',
    async () => {
      const report = await status();
      const pids = pidsOf(report);
      return (
        report.settled && killed.every((name) => pids[name] !== undefined && pids[name] !== before[name]) && report
      );
    },
    60_000,
  );
  expect(after.processes.filter(({ restarts }) => restarts > 0).map(({ name }) => name)).toEqual(
    expect.arrayContaining(killed),
  );
  // A storefront is ready when some shard has answered it; the order's own may answer a moment later.
  await until('her order is shown', async () => {
    const answer = await fetch(`${order.url}/orders/${order.order}`, { headers: { 'x-buyer-id': 'ann' } });
    return answer.status === 200;
  });
  await buy('dan');
});

test('a killed supervisor stops nothing that sells, and the next one takes everything over', async () => {
  const before = await status();
  const supervisor = holderOf(folder().lock);
  if (!supervisor) throw new Error('there is no supervisor');
  signal(supervisor, 'SIGKILL');
  await until('the supervisor is gone', () => !alive(supervisor));
  const [url = ''] = before.addresses.storefronts;
  expect((await fetch(`${url}/sale`)).status).toBe(200);
  expect((await run('status')).stderr).toEqual(['flashsale: no supervisor runs this sale; start it with flashsale up']);
  const after = await up();
  expect(pidsOf(after)).toEqual(pidsOf(before));
});

test('down stops everything, even what a killed supervisor left, and keeps the data', async () => {
  const supervisor = holderOf(folder().lock);
  const left = running();
  if (!supervisor) throw new Error('there is no supervisor');
  signal(supervisor, 'SIGKILL');
  await until('the supervisor is gone', () => !alive(supervisor));
  const { code, stdout } = await run('down');
  expect({ code, stdout }).toEqual({ code: 0, stdout: `stopped; kept ${folder().path}\n` });
  expect(left.filter(alive)).toEqual([]);
  expect(named()).toEqual([]);
  expect(await run('down')).toMatchObject({ code: 0, stdout: `nothing was running; kept ${folder().path}\n` });
});

test('up after down has the same addresses and secrets, and every order', async () => {
  const secret = readFileSync(join(folder().secrets, 'token-key'), 'utf8');
  const after = await up();
  expect(after.addresses.storefronts).toEqual([order.url]);
  expect(readFileSync(join(folder().secrets, 'token-key'), 'utf8')).toBe(secret);
  const answer = await fetch(`${order.url}/orders/${order.order}`, { headers: { 'x-buyer-id': 'ann' } });
  expect(await answer.json()).toMatchObject({ order: order.order });
  await until('everything is counted', async () => {
    const report = await status();
    return report.status.supplied === 90 && report.status.sold === 4 && conserved(report);
  });
});

test('another sale runs beside it', async () => {
  const other = join(state, 'other.yaml');
  writeFileSync(other, yaml('tablet').replace('nodes: 1', 'nodes: 1').replace('count: 3', 'count: 1'));
  expect(await run('up', '-f', other)).toMatchObject({ code: 0 });
  expect((await run('status')).stderr).toEqual(['flashsale: say which sale you mean: default/phone, default/tablet']);
  const tablet = JSON.parse((await run('status', 'tablet', '-o', 'json')).stdout) as SaleReport;
  const phone = JSON.parse((await run('status', 'default/phone', '-o', 'json')).stdout) as SaleReport;
  const addresses = [...tablet.processes, ...phone.processes].map(({ address }) => address);
  expect(new Set(addresses).size).toBe(addresses.length);
  expect(tablet.status.sold).toBe(0);
  expect(await run('down', 'tablet', '--wipe')).toMatchObject({ code: 0 });
  expect((await status()).settled).toBe(true);
});

test('down --wipe leaves nothing behind', async () => {
  expect(await run('down', '-f', file(), '--wipe')).toMatchObject({
    code: 0,
    stdout: `stopped; removed ${folder().path}\n`,
  });
  expect(existsSync(folder().path)).toBe(false);
  expect(named()).toEqual([]);
});

test('up --foreground stays, on the ports it was asked for, and Ctrl-C stops the sale', async () => {
  Object.assign(spec, { stock: 10, nodes: 1, shards: 1, replicas: 2 });
  const port = await twoFreePorts();
  writeFileSync(file(), yaml());
  const { child, outcome, stderr } = startFlashsale(state, [
    'up',
    '-f',
    file(),
    '--foreground',
    '--port',
    String(port),
  ]);
  await until('it is open', () => child.exitCode !== null || stderr().includes('Ctrl-C stops it'), 60_000);
  const urls = (await status()).addresses.storefronts;
  expect(urls).toEqual([`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`]);
  const left = running();
  child.kill('SIGINT');
  const { code, stdout } = await outcome;
  expect(code).toBe(0);
  expect(stdout).toContain('open after');
  expect(left.filter(alive)).toEqual([]);
  expect(named()).toEqual([]);
});
