// The cache agent as a process, killed on the spot where it hurts (R28, R32), with real servers and the shards' and the
// pool's agents beside it. Buyers are played by the test.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Level } from '../../../dataplane/protocol/messages.ts';
import type { StorefrontNode, TokenRecord, TokenRef } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { StorefrontShard } from '../../../dataplane/stores/shard/shard.ts';
import { type Agent, type Backstage, openBackstage, type Servers, startServers } from '../../harness/agents.ts';
import { missing, request, reserve, stateOf } from '../../harness/cache-node.ts';
import { until } from '../../harness/until.ts';

vi.setConfig({ testTimeout: 180_000 });

let servers: Servers;
let sale: Backstage;
let node: ReturnType<Backstage['node']>;
let shard: StorefrontShard;
let agent: Agent;
const levels: Level[] = [];

beforeAll(async () => {
  servers = await startServers();
  sale = await openBackstage(servers, { shards: 1, nodes: 1 });
  const others = [sale.agent('pool'), sale.agent('s0')];
  await sale.view();
  await sale.wantNodes(1);
  await sale.setSupply(1, 1000);
  const bus = sale.bus();
  await bus.subscribe(['levels'], { beginning: true }, (_, level) => {
    levels.push(level);
  });
  await until('the shard has joined', async () => (await Promise.all(others.map((a) => a.ready()))).every(Boolean));
  const { incarnation } = await sale.view();
  await until('the pool has the supply', async () => (await sale.shard('pool').state()).available === 1000);
  const transfers = await sale.shard('pool').execute({
    incarnation,
    source: 'pool',
    term: 1,
    sequence: 1,
    legs: [{ destination: 's0', units: 1000 }],
  });
  for (const transfer of transfers) await sale.shard('s0').receive(transfer);
  node = sale.node('c0');
  shard = sale.storefrontShard('s0');
  agent = sale.agent('c0');
  await ready();
}, 180_000);
afterAll(async () => {
  await sale?.stop();
  await servers?.stop();
});

const ready = () => until('the node is on', async () => (await agent.ready()) && (await identity()) !== undefined);
const identity = () => node.identity().catch(() => undefined);
const state = () => until('the node answers', () => stateOf(node).catch(() => undefined));

async function buy(buyer: string, ttl = 60_000): Promise<TokenRecord> {
  const now = await until('an identity', identity);
  const reply = await reserve(node, request(now, { buyer, ttl }));
  if (reply.kind !== 'token') throw new Error(`${buyer} got ${reply.kind}`);
  return reply.token;
}

async function checkout({ id, buyer, quantity, sequence }: TokenRecord, epoch: number) {
  const { incarnation } = await sale.view();
  const [outcome] = await shard.checkout(
    incarnation,
    [{ token: id, buyer, quantity, node: 'c0', epoch, sequence }],
    undefined,
  );
  return outcome;
}

/** At rest: everything granted is on sale here or was ordered. */
async function conserved(ordered: number) {
  const held = await state();
  expect(missing(held)).toBe(0);
  expect(held).toMatchObject({ liveTokens: 0, virtual: 1000 - ordered });
}

let ordered = 0;

test('reports its level, shows its numbers, and names no buyer', async () => {
  const token = await buy('somebody-with-a-name');
  expect(await checkout(token, (await state()).identity.epoch)).toBe('sold');
  ordered += 1;
  await node.settle((await state()).identity, [token]);
  await until('the level says so', () => levels.at(-1)?.settledUnits === 1 && levels.at(-1)?.virtual === 999);
  const metrics = await until('the metrics say so', async () => {
    const text = await agent.metrics();
    return /flashsale_cache_virtual_units\{[^}]*\} 999/.test(text) ? text : undefined;
  });
  expect(metrics).toMatch(/flashsale_cache_enabled\{[^}]*\} 1/);
  expect(metrics).toMatch(/flashsale_cache_recoveries_total\{[^}]*reason="no-identity"[^}]*\} 1/);
  expect(metrics).not.toContain('somebody');
});

test('R28, R32: killed between the fence and the return; the next agent returns the units, once', async () => {
  // No agent while both are made: it ends tokens as soon as they are due. The node sells without it.
  await agent.kill9();
  const { epoch } = (await state()).identity;
  const sold = await buy('sold', 0);
  expect(await checkout(sold, epoch)).toBe('sold');
  ordered += 1;
  const abandoned = await buy('abandoned', 0);
  sale.failAt('cache-agent', 'c0', 'expiry-fenced');
  agent = sale.agent('c0');
  await agent.ended();
  expect((await state()).liveTokens).toBe(2);
  expect(await checkout(abandoned, epoch)).toBe('expired');
  const meanwhile = await buy('meanwhile', 1000);
  expect(await checkout(meanwhile, epoch)).toBe('sold');
  ordered += 1;
  agent = sale.agent('c0');
  await until('the tokens have ended', async () => (await state()).liveTokens === 0);
  await conserved(ordered);
  expect((await state()).identity.epoch).toBe(epoch);
  expect(await checkout(await buy('abandoned'), epoch)).toBe('sold');
  ordered += 1;
});

describe('R32: killed after a step of the recovery of lost data', () => {
  test.each([1, 2, 3, 4, 5] as const)('step %i', async (step) => {
    await ready();
    const { epoch } = (await state()).identity;
    const kept = await buy(`kept-${step}`);
    expect(await checkout(kept, epoch)).toBe('sold');
    ordered += 1;
    const undecided = await buy(`undecided-${step}`);
    sale.failAt('cache-agent', 'c0', `recovery-${step}`);
    await sale.redis.get('c0')?.restart({ wipe: true });
    await agent.ended();
    expect(await identity()).toBeUndefined();
    agent = sale.agent('c0');
    await ready();
    const after = (await state()).identity;
    // A recovery that met a busy store begins again, with another epoch.
    expect(after.epoch).toBeGreaterThanOrEqual(epoch + 2);
    await conserved(ordered);
    expect(await checkout(undecided, epoch)).toBe('expired');
    expect(await reserve(node, request(after, { buyer: `kept-${step}` }))).toEqual({ kind: 'limit', ordered: 1 });
    expect(await checkout(await buy(`undecided-${step}`), after.epoch)).toBe('sold');
    ordered += 1;
    await settleAll(node);
  });
});

/** What was sold above is settled by expiry in time; here at once, so that the next test begins at rest. */
async function settleAll(client: StorefrontNode) {
  const found: TokenRef[] = [];
  const raw = sale.redis.get('c0')?.raw();
  for (const key of (await raw?.keys('b:*')) ?? []) {
    const [, sequence, mark, , , , , , id] = ((await raw?.get(key)) ?? '').split(' ');
    if (mark === 'L' && id) found.push({ sequence: Number(sequence), id, buyer: key.slice(2) });
  }
  await client.settle((await state()).identity, found);
}
