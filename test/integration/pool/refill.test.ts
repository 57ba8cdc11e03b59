// Refills through the pool's agent, with real cache nodes and their agents: what is moved, what is said, and what a
// crash, an unreachable node or registry changes about it.

import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NodeId } from '../../../dataplane/protocol/units.ts';
import { type Agent, type Backstage, openBackstage, type Servers, startServers } from '../../harness/agents.ts';
import { freePorts } from '../../harness/ports.ts';
import { until } from '../../harness/until.ts';
import { type Level, levelOf } from './level.ts';

vi.setConfig({ testTimeout: 180_000 });

const NODES: NodeId[] = ['c0', 'c1', 'c2'];
let servers: Servers;
let sale: Backstage;
let level: Level;
let pool: Agent;
let generation = 0;

beforeAll(async () => {
  servers = await startServers();
  sale = await openBackstage(servers, { shards: 1, nodes: NODES.length, ttl: 5000 });
  pool = sale.agent('pool');
  await sale.view();
  await sale.wantNodes(NODES.length);
  const agents = [pool, sale.agent('s0'), ...NODES.map((id) => sale.agent(id))];
  await until('every agent is ready', async () => (await Promise.all(agents.map((a) => a.ready()))).every(Boolean));
  level = levelOf(sale);
}, 180_000);
afterAll(async () => {
  await sale.stop();
  await servers.stop();
});

/** Withdraws everything, then supplies anew: a cache tier as it was never used, but for its totals. */
async function supply(units: number) {
  await sale.setSupply(++generation, 0);
  await until('nothing is left', async () => {
    const held = await Promise.all(NODES.map(level.state));
    return held.every(({ virtual, liveUnits }) => virtual === 0 && liveUnits === 0);
  });
  await until('it has left the sale', async () => (await sale.view()).supplied === 0);
  await until('every node can be granted something', async () =>
    (await sale.view()).nodes.every(({ reachable }) => reachable),
  );
  await sale.setSupply(++generation, units);
  await until('it is split', async () => {
    const held = await Promise.all(NODES.map(level.virtual));
    return held.reduce((a, b) => a + b, 0) === units;
  });
}

describe('R29: a node that ran short', () => {
  beforeEach(() => supply(9));

  test('R1: (the split is even)', async () => {
    expect(await Promise.all(NODES.map(level.virtual))).toEqual([3, 3, 3]);
    await supply(8);
    expect((await Promise.all(NODES.map(level.virtual))).sort()).toEqual([2, 3, 3]);
  });

  test('gets half of what the richest has', async () => {
    await level.drain('c0');
    await level.drain('c1', 1);
    expect(await level.ask('c0')).toEqual({ outcome: 'granted', liveUnits: expect.any(Number) });
    expect([await level.virtual('c0'), await level.virtual('c2')]).toEqual([2, 1]);
    await level.conserved();
  });

  test('gets what a buyer wants from several, where none has enough', async () => {
    await level.drain('c0');
    expect((await level.ask('c0', 5)).outcome).toBe('granted');
    expect(await level.virtual('c0')).toBeGreaterThanOrEqual(5);
    await level.conserved();
  });

  test('is told “sold out” only when nothing is left anywhere, and how much may come back; then it comes back', async () => {
    for (const id of NODES) await level.drain(id);
    expect(await level.ask('c0')).toEqual({ outcome: 'sold-out', liveUnits: 9 });
    // R28, R30: nobody checks out, the tokens end.
    await until('the units are back', async () => (await level.ask('c0')).outcome === 'granted');
    await level.conserved();
  });

  test('is told “sold out” for a quantity that is not there, and keeps nothing back from smaller ones', async () => {
    await level.drain('c0');
    await level.drain('c1');
    await level.drain('c2', 2);
    expect((await level.ask('c0', 2)).outcome).toBe('sold-out');
    expect((await level.ask('c0', 1)).outcome).toBe('granted');
    expect((await level.ask('c1', 1)).outcome).toBe('granted');
  });

  test('is answered truly when all ask at once at the very end', async () => {
    await level.drain('c0');
    await level.drain('c1');
    await level.drain('c2', 1);
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => level.ask(NODES[i % 2] ?? 'c0')));
    expect(answers.map(({ outcome }) => outcome)).not.toContain('sold-out');
    await level.conserved();
  });
});

describe('R32: a refill whose agent is killed', () => {
  test.each(['refill-revoked', 'refill-booked'] as const)('at %s loses nothing', async (point) => {
    await supply(9);
    await level.drain('c0');
    sale.failAt('shard-agent', 'pool', point);
    await expect(level.ask('c0')).rejects.toThrow();
    await pool.ended();
    pool = sale.agent('pool');
    await until('it is asked again', async () => (await level.ask('c0').catch(() => undefined))?.outcome === 'granted');
    await level.conserved();
  });
});

describe('“unavailable” is said, never “sold out”,', () => {
  test('while a node cannot be asked; stock elsewhere is found all the same', async () => {
    await supply(9);
    await sale.redis.get('c2')?.kill9();
    await level.drain('c0');
    expect((await level.ask('c0')).outcome).toBe('granted');
    await level.drain('c0');
    await level.drain('c1');
    await until('the tokens at c1 and c0 are all there is', async () => (await level.ask('c0')).outcome !== 'granted');
    expect((await level.ask('c0')).outcome).toBe('unavailable');
    await sale.redis.get('c2')?.restart();
    await until('c2 helps out', async () => (await level.ask('c0')).outcome === 'granted');
    await level.conserved();
  });

  test('while the registry is away', async () => {
    await supply(9);
    for (const id of NODES) await level.drain(id);
    await servers.postgres.kill9();
    expect((await level.ask('c0')).outcome).toBe('unavailable');
    await servers.postgres.restart();
    await until(
      'the tokens have come back',
      async () => (await level.ask('c0').catch(() => undefined))?.outcome === 'granted',
    );
    await level.conserved();
  });

  test('for a node that is not in the layout', async () => {
    expect((await level.ask('c7')).outcome).toBe('unavailable');
  });
});

describe('the agent of the pool', () => {
  const post = (init: RequestInit & { path?: string } = {}) =>
    fetch(sale.refillUrl.replace('/refill', init.path ?? '/refill'), {
      method: 'POST',
      headers: { authorization: 'Bearer internal-secret' },
      body: '{"node":"c0","quantity":1}',
      ...init,
    });

  test('refuses what is not a question of ours, each in its own words', async () => {
    expect((await post({ headers: {} })).status).toBe(401);
    expect((await post({ headers: { authorization: 'Bearer guess' } })).status).toBe(401);
    expect((await post({ headers: { authorization: 'Bearer internal-secret-and-more' } })).status).toBe(401);
    const get = await fetch(sale.refillUrl);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await post({ path: '/other' })).status).toBe(404);
    expect((await post({ body: '{"node":"c0"' })).status).toBe(400);
    expect((await post({ body: '{"node":"c0","quantity":0}' })).status).toBe(400);
    expect((await post({ body: 'x'.repeat(5000) }).catch(() => ({ status: 413 }))).status).toBe(413);
    expect((await post()).status).toBe(200);
  });

  test('acts alone: a second one waits, and takes over when the first one dies', async () => {
    const [port = 0] = await freePorts(1);
    const second = sale.agent('pool', port);
    const ask = () => post({ path: '/refill' }).then((response) => response.status);
    const askSecond = () =>
      fetch(`http://127.0.0.1:${port}/refill`, {
        method: 'POST',
        headers: { authorization: 'Bearer internal-secret' },
        body: '{"node":"c0","quantity":1}',
      }).then(
        (response) => response.status,
        () => 0,
      );
    await until('the second one listens', async () => (await askSecond()) === 503);
    expect(await second.ready()).toBe(false);
    expect(await ask()).toBe(200);
    await pool.kill9();
    await until('the second one acts', async () => (await askSecond()) === 200);
    pool = sale.agent('pool');
    await until('the first one is back, and waits', async () => (await ask().catch(() => 0)) === 503);
    await second.stop();
    await until('it acts again', async () => (await ask()) === 200);
  });
});
