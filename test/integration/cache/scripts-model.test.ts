// Random sequences of every script against a pure model of a cache node, on a real Redis. What a shard knows (which
// tokens became orders, what is fenced) is part of the model; no agent and no shard runs.

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NodeIdentity, TokenRecord } from '../../../dataplane/stores/cache-node/cache-node.ts';
import { type CacheNodeClients, connectAll, missing, request, stateOf, stored } from '../../harness/cache-node.ts';
import { startRedis, type TestRedis } from '../../harness/redis.ts';

const LIMIT = 4;
const BUYERS = ['ann', 'bob', 'eve'];
const SHARDS = ['s0', 's1'] as const;

/** `sold`: the shard has an order for it. `dead`: it never will. */
interface ModelToken {
  record: TokenRecord;
  ttl: number;
  epoch: number;
  state: 'live' | 'settled' | 'returned';
  sold: boolean;
  dead: boolean;
}

interface Model {
  epoch: number;
  granted: number;
  revoked: number;
  virtual: number;
  /** Of this epoch, by sequence number. */
  tokens: ModelToken[];
  old: ModelToken[];
  orderedBefore: number;
  /** What the node knows each buyer ordered. */
  ordered: Map<string, number>;
}

interface Real {
  node: CacheNodeClients;
  identity: NodeIdentity;
}

const live = (m: Model) => m.tokens.filter((t) => t.state === 'live');
const units = (tokens: ModelToken[]) => tokens.reduce((sum, t) => sum + t.record.quantity, 0);
const orderedOf = (m: Model, buyer: string) => m.ordered.get(buyer) ?? 0;

function settled(m: Model, token: ModelToken): void {
  token.state = 'settled';
  m.ordered.set(token.record.buyer, orderedOf(m, token.record.buyer) + token.record.quantity);
}

async function compare(m: Model, { node, identity }: Real): Promise<void> {
  const state = await stateOf(node.agent);
  const pinned: Record<string, number> = {};
  for (const { record } of live(m)) pinned[record.shard] = (pinned[record.shard] ?? 0) + record.quantity;
  expect(state).toMatchObject({
    identity,
    virtual: m.virtual,
    granted: m.granted,
    revoked: m.revoked,
    issued: m.tokens.length,
    liveTokens: live(m).length,
    liveUnits: units(live(m)),
    pinned,
    settledUnits: units(m.tokens.filter((t) => t.state === 'settled')),
    returnedUnits: units(m.tokens.filter((t) => t.state === 'returned')),
  });
  expect(missing(state)).toBe(0);
  const known = (await Array.fromAsync(node.audit.buyers())).flat().map(({ buyer, ordered }) => [buyer, ordered]);
  const holders = live(m).map(({ record }): [string, number] => [record.buyer, orderedOf(m, record.buyer)]);
  expect(new Map(known as [string, number][])).toEqual(new Map([...m.ordered, ...holders]));
  for (const t of m.tokens) {
    const kept = await stored(node.storefront, t.record);
    // Only a buyer's newest token is kept, and a returned one is not.
    if (t.state === 'live') expect(kept).toEqual(t.record);
    else if (t.state === 'returned') expect(kept).toBeUndefined();
    else if (kept) expect(kept).toEqual({ ...t.record, state: 'settled' });
  }
}

type Command = fc.AsyncCommand<Model, Real>;

const command = (name: string, run: (m: Model, r: Real) => Promise<void>): Command => ({
  check: () => true,
  run: async (m, r) => {
    await run(m, r);
    await compare(m, r);
  },
  toString: () => name,
});

const pick = <T>(list: T[], at: number): T | undefined => list[at % Math.max(1, list.length)];

interface Purchase {
  buyer: string;
  quantity: number;
  shard: (typeof SHARDS)[number];
}

const reserve = (purchases: Purchase[], ttl: number) =>
  command(
    `reserve(${purchases.map((p) => `${p.buyer} ${p.quantity} ${p.shard}`).join(', ')}; ${ttl})`,
    async (m, { node, identity }) => {
      const requests = purchases.map((purchase) => request(identity, purchase));
      const replies = await node.storefront.reserve({ ...identity, ttl, perBuyer: LIMIT }, requests);
      expect(replies).toHaveLength(purchases.length);
      requests.forEach(({ id, buyer, quantity, shard }, i) => {
        const reply = replies[i];
        const held = live(m).find((t) => t.record.buyer === buyer);
        if (held) expect(reply).toMatchObject({ kind: 'token', fresh: false, token: held.record });
        else if (orderedOf(m, buyer) + quantity > LIMIT)
          expect(reply).toEqual({ kind: 'limit', ordered: orderedOf(m, buyer) });
        else if (m.virtual < quantity) expect(reply).toEqual({ kind: 'short', virtual: m.virtual });
        else {
          const token = { sequence: m.tokens.length + 1, id, buyer, quantity, shard };
          expect(reply).toMatchObject({ kind: 'token', fresh: true, token });
          if (reply?.kind !== 'token') return;
          m.virtual -= quantity;
          m.tokens.push({ record: reply.token, ttl, epoch: m.epoch, state: 'live', sold: false, dead: false });
        }
      });
    },
  );

/** A shard sells a token that is not fenced; its storefront tells the node, or does not get to. */
const checkout = (at: number, tell: boolean) =>
  command(`checkout(${at}, ${tell ? 'settle' : 'settle lost'})`, async (m, { node, identity }) => {
    const token = pick(
      m.tokens.filter((t) => !t.dead),
      at,
    );
    if (!token) return;
    token.sold = true;
    if (!tell) return;
    await node.storefront.settle(identity, [token.record]);
    if (token.state === 'live') settled(m, token);
  });

/** A settle of any token that was ever sold, late, again, or of a life of the node long gone. */
const lateSettle = (at: number) =>
  command(`late settle(${at})`, async (m, { node, identity }) => {
    const token = pick(
      [...m.old, ...m.tokens].filter((t) => t.sold),
      at,
    );
    if (!token) return;
    await node.storefront.settle({ ...identity, epoch: token.epoch }, [token.record]);
    if (token.epoch === m.epoch && token.state === 'live') settled(m, token);
  });

/** Live tokens before the first live one that is not due. */
function duePrefix(m: Model): number[] {
  const end = m.tokens.findIndex((t) => t.state === 'live' && t.ttl > 0);
  return m.tokens
    .slice(0, end < 0 ? m.tokens.length : end)
    .filter((t) => t.state === 'live')
    .map((t) => t.record.sequence);
}

const ALL = 1000;

/** Expiry with any page size; `stop`: the agent dies after the fence, before the node hears of it. */
const expire = (page: number, stop: boolean) =>
  command(`expire(${page}${stop ? ', dies' : ''})`, async (m, { node, identity }) => {
    const due = await node.agent.due(identity, 0, page);
    const found = due?.tokens.map(({ sequence }) => sequence);
    expect(found).toEqual(duePrefix(m).slice(0, page === ALL ? ALL : found?.length));
    const upTo = due?.upTo ?? 0;
    for (const t of m.tokens.slice(0, upTo)) t.dead = !t.sold;
    if (stop || !due) return;
    const ended = due.tokens.map((t) => ({ ...t, ordered: m.tokens[t.sequence - 1]?.sold === true }));
    await node.agent.finish(identity, ended);
    for (const { sequence, ordered } of ended) {
      const token = m.tokens[sequence - 1];
      if (token?.state !== 'live') continue;
      if (ordered) settled(m, token);
      else {
        token.state = 'returned';
        m.virtual += token.record.quantity;
      }
    }
  });

const grant = (more: number) =>
  command(`grant(${more})`, async (m, { node, identity }) => {
    await node.agent.grant(identity, m.granted + more);
    if (more <= 0) return;
    m.granted += more;
    m.virtual += more;
  });

const revoke = (wanted: number) =>
  command(`revoke(${wanted})`, async (m, { node, identity }) => {
    const taken = Math.min(m.virtual, wanted);
    m.virtual -= taken;
    m.revoked += taken;
    expect(await node.pool.revoke(identity, wanted)).toEqual({ revoked: m.revoked, virtual: m.virtual });
  });

/** The node's data are lost, and it is recovered from what the registry and the shards know. */
const recovery = () =>
  command('recovery', async (m, r) => {
    const sold = [...m.old, ...m.tokens].filter((t) => t.sold);
    for (const t of m.tokens) t.dead = !t.sold;
    m.old.push(...m.tokens);
    m.tokens = [];
    m.epoch += 1;
    m.ordered.clear();
    for (const { record } of sold) m.ordered.set(record.buyer, orderedOf(m, record.buyer) + record.quantity);
    m.orderedBefore = units(sold);
    m.virtual = m.granted - m.revoked - m.orderedBefore;
    await begin(m, r);
  });

async function begin(m: Model, r: Real): Promise<void> {
  r.identity = { ...r.identity, epoch: m.epoch };
  const { incarnation, epoch } = r.identity;
  await r.node.agent.beginRecovery(incarnation, epoch);
  await r.node.agent.recoverBuyers(incarnation, epoch, [...m.ordered]);
  const totals = { granted: m.granted, revoked: m.revoked, ordered: m.orderedBefore };
  await r.node.agent.endRecovery(r.identity, 'selling', totals);
}

const at = fc.nat(20);
const purchase = fc.record({
  buyer: fc.constantFrom(...BUYERS),
  quantity: fc.integer({ min: 1, max: 3 }),
  shard: fc.constantFrom(...SHARDS),
});
const commands = [
  fc.tuple(fc.array(purchase, { minLength: 1, maxLength: 6 }), fc.constantFrom(0, 1e9)).map((a) => reserve(...a)),
  fc.tuple(at, fc.boolean()).map((a) => checkout(...a)),
  at.map(lateSettle),
  fc.tuple(fc.constantFrom(1, 2, 3, ALL), fc.boolean()).map((a) => expire(...a)),
  fc.integer({ min: -2, max: 5 }).map(grant),
  fc.nat(4).map(revoke),
  fc.constant(recovery()),
];

let redis: TestRedis;
let node: CacheNodeClients;
beforeAll(async () => {
  redis = await startRedis({ enabled: true });
  node = await connectAll(redis);
});
afterAll(async () => {
  await node?.close();
  await redis?.stop();
});

let life = 0;

test('R4, R5, R27, R28, R32: granted − revoked = V + live + ever ordered, after every step of any sequence', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (sequence) => {
      const model: Model = {
        epoch: 1,
        granted: 6,
        revoked: 0,
        virtual: 6,
        tokens: [],
        old: [],
        orderedBefore: 0,
        ordered: new Map(),
      };
      const identity: NodeIdentity = {
        incarnation: `i${++life}`,
        node: 'c0',
        epoch: 1,
        layout: 1,
        count: 1,
        paused: false,
      };
      const real: Real = { node, identity };
      await begin(model, real);
      await fc.asyncModelRun(() => ({ model, real }), sequence);
    }),
    { numRuns: 60, interruptAfterTimeLimit: 60_000 },
  );
}, 120_000);
