// Leader election on a real API server: one leads, another one follows within the lease's time when the first is gone,
// and whoever cannot renew hears of it before anybody else leads.

import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { elect } from '../../../operator/kube/lease.ts';
import { type KubeObject, RESOURCES } from '../../../operator/kube/objects.ts';
import type { ApiServer } from '../../harness/apiserver.ts';
import { type HttpProxy, startHttpProxy } from '../../harness/http-proxy.ts';
import { sharedApiServer } from '../../harness/shared-apiserver.ts';
import { startTcpProxy, type TcpProxy } from '../../harness/tcp-proxy.ts';
import { until } from '../../harness/until.ts';

let server: ApiServer;
let network: TcpProxy;
let proxy: HttpProxy;
let client: KubeClient;
let namespace: string;
const elections: { stop(): Promise<void> }[] = [];
/** In order: `a leads`, `a lost`. */
let said: string[];

beforeAll(async () => {
  server = await sharedApiServer();
  network = await startTcpProxy(server.port);
  proxy = await startHttpProxy(server.url);
  client = server.connect();
});
afterAll(async () => {
  await network?.stop();
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  namespace = await server.namespace();
  network.pass();
  proxy.interfere = () => undefined;
  said = [];
});
afterEach(async () => {
  network.pass();
  await Promise.all(elections.splice(0).map((election) => election.stop()));
});

const timing = { leaseDuration: 3000, renewDeadline: 2000, retryPeriod: 200 };
const log = pino({ level: 'silent' });

function run(identity: string, { through = client } = {}) {
  const reasons: string[] = [];
  const election = elect({
    client: through,
    namespace,
    name: 'leader',
    identity,
    lead: () => said.push(`${identity} leads`),
    lost: (reason) => {
      said.push(`${identity} lost`);
      reasons.push(reason);
    },
    log,
    timing,
  });
  elections.push(election);
  return { ...election, reasons };
}
/** By way of the network that can be cut. */
const cuttable = () => server.connect({ url: `https://127.0.0.1:${network.port}`, timeout: 700 });
const lease = async () => (await client.get(RESOURCES.Lease, namespace, 'leader')) as KubeObject;
const spec = async () =>
  (await lease()).spec as { holderIdentity?: string; leaseTransitions?: number; renewTime: string };

test('of several, one leads, and goes on leading', async () => {
  for (const identity of ['a', 'b', 'c']) run(identity);
  await until('a leader', () => said.length > 0);
  const [leader] = said;
  const { renewTime } = await spec();
  await until(
    'renewals, for longer than the lease lasts',
    async () => Date.parse((await spec()).renewTime) > Date.parse(renewTime) + 3500,
  );
  expect(said).toEqual([leader]);
  expect(`${(await spec()).holderIdentity} leads`).toBe(leader);
});

test('a leader that dies is followed once its lease is over, not before', async () => {
  run('dead', { through: cuttable() });
  await until('the first', () => said.includes('dead leads'));
  run('next');
  network.refuse();
  const { renewTime } = await spec();
  await until('the next', () => said.includes('next leads'));
  expect(Date.parse((await spec()).renewTime) - Date.parse(renewTime)).toBeGreaterThan(timing.leaseDuration);
  expect((await spec()).leaseTransitions).toBe(1);
});

describe('a leader that cannot renew hears of it before anybody else leads', () => {
  test('when the server cannot be reached', async () => {
    const { reasons } = run('old', { through: cuttable() });
    await until('the first', () => said.includes('old leads'));
    run('new');
    network.refuse();
    await until('the next', () => said.includes('new leads'));
    expect(said).toEqual(['old leads', 'old lost', 'new leads']);
    expect(reasons).toEqual(['the lease could not be renewed within 2000 ms']);
  });

  test('when its connection falls silent in the middle of a renewal, whatever its timeout', async () => {
    run('old', { through: server.connect({ url: `https://127.0.0.1:${network.port}`, timeout: 60_000 }) });
    await until('the first', () => said.includes('old leads'));
    run('new');
    network.stall();
    await until('the next', () => said.includes('new leads'));
    expect(said).toEqual(['old leads', 'old lost', 'new leads']);
    network.refuse();
  });
});

test('a short outage costs nobody the lead', async () => {
  run('a', { through: cuttable() });
  await until('a leader', () => said.length > 0);
  run('b');
  const { renewTime } = await spec();
  network.refuse();
  await new Promise((resolve) => setTimeout(resolve, 800));
  network.pass();
  await until('renewals again', async () => Date.parse((await spec()).renewTime) > Date.parse(renewTime) + 3500);
  expect(said).toEqual(['a leads']);
});

test('an API server that is killed and restarted costs the lead at most once, and somebody leads again', async () => {
  run('a');
  run('b');
  await until('a leader', () => said.length > 0);
  await server.kill9();
  await server.restart();
  await until('the holder of a renewed lease to lead', async () => {
    const { holderIdentity, renewTime } = await spec();
    return Date.now() - Date.parse(renewTime) < 1000 && said.at(-1) === `${holderIdentity} leads`;
  });
});

test('a leader that is told by the lease that somebody else leads, stops', async () => {
  const { reasons } = run('a');
  await until('a leader', () => said.length > 0);
  await client.patch(RESOURCES.Lease, namespace, 'leader', { spec: { holderIdentity: 'usurper' } });
  await until('it to notice', () => said.includes('a lost'));
  expect(reasons).toEqual(['usurper holds the lease now']);
});

test('a lease that is deleted is made again by its holder', async () => {
  run('a');
  await until('a leader', () => said.length > 0);
  await client.delete(RESOURCES.Lease, namespace, 'leader');
  await until('the lease', async () => ((await client.get(RESOURCES.Lease, namespace, 'leader')) ? true : undefined));
  expect((await spec()).holderIdentity).toBe('a');
  expect(said).toEqual(['a leads']);
});

test('a leader that stops gives the lease back, and the next need not wait', async () => {
  const first = run('first');
  await until('the first', () => said.includes('first leads'));
  run('second');
  await first.stop();
  const begun = performance.now();
  await until('the second', () => said.includes('second leads'));
  expect(performance.now() - begun).toBeLessThan(timing.leaseDuration);
  expect(said).toEqual(['first leads', 'second leads']);
});

test('a leader that is asked to stop in the middle of a renewal gives the lease back all the same', async () => {
  const first = run('first', { through: server.connect({ url: proxy.url }) });
  await until('the first', () => said.includes('first leads'));
  proxy.interfere = ({ method }) => (method === 'PUT' ? { delay: 400 } : undefined);
  proxy.asked.length = 0;
  await until('a renewal on its way', () => proxy.asked.some(({ method }) => method === 'PUT'));
  await first.stop();
  expect((await spec()).holderIdentity ?? '').toBe('');
});

test('at rest, a leader writes and reads nothing but its renewals', async () => {
  run('a', { through: server.connect({ url: proxy.url }) });
  await until('a leader', () => said.length > 0);
  proxy.asked.length = 0;
  await until('a few renewals', () => proxy.asked.length >= 5);
  expect(new Set(proxy.asked.map(({ method }) => method))).toEqual(new Set(['PUT']));
});

test('a deadline that is not shorter than the lease is refused', () => {
  expect(() =>
    elect({
      client,
      namespace,
      name: 'x',
      identity: 'x',
      lead() {},
      lost() {},
      log,
      timing: { renewDeadline: 15_000 },
    }),
  ).toThrow('must be shorter');
});
