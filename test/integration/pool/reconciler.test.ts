// What the pool's agent does of its own accord, with real cache nodes and agents: refills ahead of need, credits,
// lowered and raised supply, and changes of the number of cache nodes.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { NodeId, StockHolderId, Units } from '../../../dataplane/protocol/units.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import { type Agent, type Backstage, openBackstage, type Servers, startServers } from '../../harness/agents.ts';
import { until } from '../../harness/until.ts';
import { type Level, levelOf } from './level.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 180_000 });

let servers: Servers;
let sale: Backstage;
let level: Level;
let bus: Bus;
let incarnation: string;
let sequence = 0;

beforeAll(async () => {
  servers = await startServers();
});
afterAll(() => servers.stop());
afterEach(() => sale.stop());

const ready = (agents: Agent[]) =>
  until('every agent is ready', async () => (await Promise.all(agents.map((a) => a.ready()))).every(Boolean));

async function open(nodes: NodeId[], supply: Units): Promise<Map<string, Agent>> {
  sale = await openBackstage(servers, { shards: 1, nodes: nodes.length, ttl: 1500 });
  const agents = new Map<string, Agent>([['pool', sale.agent('pool')]]);
  incarnation = (await sale.view()).incarnation;
  await sale.wantNodes(nodes.length);
  await sale.setSupply(1, supply);
  await sale.registry.nextTerm();
  agents.set('s0', sale.agent('s0'));
  for (const id of nodes) agents.set(id, sale.agent(id));
  await ready([...agents.values()]);
  level = levelOf(sale);
  bus = sale.bus();
  await level.conserved();
  return agents;
}

async function move(source: StockHolderId, destination: StockHolderId, units: Units) {
  sequence += 1;
  const shard = sale.shard(source);
  await until('the command is executed', async () => {
    await bus.publish('commands', [
      { key: source, value: { incarnation, source, term: 1, sequence, legs: [{ destination, units }] } },
    ]);
    return (await shard.state()).command.sequence === sequence;
  });
}
const total = async (nodes: NodeId[]) => (await Promise.all(nodes.map(level.virtual))).reduce((a, b) => a + b, 0);

describe('a cache tier of two nodes', () => {
  beforeEach(() => open(['c0', 'c1'], 100).then(() => undefined));

  test('a node that runs low is refilled before anyone asks', async () => {
    await level.drain('c0', 48);
    await until('c0 has got some', async () => (await level.virtual('c0')) >= 25);
    await level.conserved();
  });

  test('R28: cancelled units become virtual stock again, once', async () => {
    await move('pool', 's0', 100);
    await until('the shard has the stock', async () => (await sale.shard('s0').state()).available === 100);
    for (let i = 0; i < 3; i++) await level.order(incarnation, 'c0', 4, 300);
    await until('they are credited', async () => (await sale.view()).shards[0]?.credited === 12);
    await level.conserved();
    expect(await total(['c0', 'c1'])).toBe(100);
  });

  test('R33: a lowered supply is taken back as far as it is unsold, paid from the pool, and raised again', async () => {
    await move('pool', 's0', 60);
    await until('the shard has the stock', async () => (await sale.shard('s0').state()).available === 60);
    await level.order(incarnation, 'c0', 10);
    await sale.setSupply(2, 30);
    await until('20 are left to buy', async () => (await total(['c0', 'c1'])) === 20);
    await until('the pool paid what it had', async () => (await sale.view()).supplied === 60);
    expect(await sale.view()).toMatchObject({ owed: 30, target: 30 });
    await move('s0', 'pool', 30);
    await until('it is all paid', async () => (await sale.view()).supplied === 30);
    await level.conserved();
    // Lower than what is sold: it ends there.
    await sale.setSupply(3, 5);
    await until('nothing is left to buy', async () => (await total(['c0', 'c1'])) === 0);
    await until('the rest is owed', async () => (await sale.view()).owed === 20);
    await sale.setSupply(4, 50);
    await until('40 are left to buy', async () => (await total(['c0', 'c1'])) === 40);
    await level.conserved();
    expect(await sale.view()).toMatchObject({ owed: 0, supplied: 50 });
  });

  test('R33: tokens that end during a withdrawal are taken back too', async () => {
    await level.drain('c0');
    await sale.setSupply(2, 0);
    await until('everything left the sale', async () => (await sale.view()).supplied === 0);
    await level.conserved();
  });
});

describe('R33: the number of cache nodes', () => {
  const settled = (count: number, layout: number) =>
    until(`${count} nodes are in force`, async () => {
      const view = await sale.view();
      return view.resize === 'none' && view.count === count && view.layout === layout;
    });

  test('grows while tokens are live, and the new node gets stock', async () => {
    await open(['c0', 'c1'], 90);
    await level.drain('c0', 10);
    await sale.startRedis('c2');
    await sale.wantNodes(3);
    await ready([sale.agent('c2')]);
    await settled(3, 2);
    expect((await level.state('c1')).identity).toMatchObject({ layout: 2, count: 3 });
    await until('c2 has stock', async () => (await level.virtual('c2')) > 0);
    for (const id of ['c0', 'c1', 'c2'] as const)
      await until(`${id} sells again`, async () => (await level.reserve(id)).kind === 'token');
    await level.conserved();
  });

  test('shrinks: what leaving nodes hold goes to those that stay, and tokens sold before stay sold', async () => {
    await open(['c0', 'c1', 'c2'], 90);
    await move('pool', 's0', 90);
    await until('the shard has the stock', async () => (await sale.shard('s0').state()).available === 90);
    await level.order(incarnation, 'c2', 4);
    await level.drain('c1', 5);
    await sale.wantNodes(1);
    await settled(1, 2);
    await level.conserved();
    expect(await level.virtual('c0')).toBe(86);
    const [, c1, c2] = (await sale.view()).nodes;
    expect([c1, c2].map((node) => (node ? node.granted - node.revoked : undefined))).toEqual([0, 4]);
  });

  test('shrinks though a leaving node is lost: it is fenced, and what it had not sold is taken over', async () => {
    const agents = await open(['c0', 'c1'], 80);
    await move('pool', 's0', 80);
    await until('the shard has the stock', async () => (await sale.shard('s0').state()).available === 80);
    await level.order(incarnation, 'c1', 3);
    const late = await level.reserve('c1', 2);
    await agents.get('c1')?.kill9();
    await sale.redis.get('c1')?.kill9();
    await sale.wantNodes(1);
    await settled(1, 2);
    await level.conserved();
    expect(await level.virtual('c0')).toBe(77);
    // R32: the token that was live there cannot sell any more.
    if (late.kind !== 'token') throw new Error('no token');
    const { id: token, buyer, quantity, sequence } = late.token;
    const row = { token, buyer, quantity, node: 'c1', epoch: 1, sequence } as const;
    expect(await sale.storefrontShard('s0').checkout(incarnation, [row], undefined)).toEqual(['expired']);
  });

  test('changes though the pool’s agent is killed again and again', async () => {
    const agents = await open(['c0', 'c1'], 60);
    await sale.wantNodes(1);
    let pool = agents.get('pool');
    for (let i = 0; i < 4; i++) {
      await pool?.kill9();
      pool = sale.agent('pool');
      await ready([pool]);
    }
    await settled(1, 2);
    await level.conserved();
    expect(await level.virtual('c0')).toBe(60);
  });
});
