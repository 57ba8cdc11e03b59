// Random sequences of every function against the model: the same answers, the same state, and after each call every
// unit is somewhere (R26).

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Transfer } from '../../../dataplane/protocol/messages.ts';
import type { NodeId, ShardId, StockHolderId } from '../../../dataplane/protocol/units.ts';
import type { CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';
import { type Fixture, HOUR, reset, startFixture, type TestPool, type TestShard, wrongWith } from './fixture.ts';
import { ModelSale, ModelShard } from './model.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await startFixture({ fsync: false });
});
afterAll(() => fixture.stop());

/** A busy machine makes fewer runs, rather than none in time. */
const TIME = 60_000;

const SHARDS: ShardId[] = ['s0', 's1'];
const NODES: NodeId[] = ['c0', 'c1', 'c2'];

const shard = fc.constantFrom(...SHARDS);
const peer = fc.constantFrom<StockHolderId>(...SHARDS, 'pool');
const node = fc.constantFrom(...NODES);
/** Few, so that tokens, buyers and payments meet again. */
const token = fc.nat(14).map((n) => `t${n}`);
const buyer = fc.constantFrom('ada', 'bob');
const rows: fc.Arbitrary<CheckoutRow[]> = fc.array(
  fc.record({
    token,
    buyer,
    quantity: fc.integer({ min: 1, max: 9 }),
    node,
    epoch: fc.integer({ min: 0, max: 2 }),
    sequence: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 1, maxLength: 8 },
);

const call = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('checkout' as const), shard, rows, final: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      shard,
      token,
      buyer,
      payment: fc.constantFrom('p1', 'p2'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('cancel' as const), shard, token, buyer }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('close' as const),
      shard,
      node,
      epoch: fc.integer({ min: 0, max: 2 }),
      upTo: fc.nat(8),
      tokens: fc.array(token, { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fence' as const), shard, node, epoch: fc.nat(2) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('command' as const),
      source: peer,
      term: fc.integer({ min: 1, max: 2 }),
      sequence: fc.nat(30),
      legs: fc.array(fc.record({ destination: peer, units: fc.nat(25) }), { maxLength: 3 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('deliver' as const), back: fc.nat(6) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('supply' as const), generation: fc.nat(12), target: fc.nat(80) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('book' as const), node, epoch: fc.nat(1), more: fc.nat(20), to: node }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('credit' as const), shard, to: node }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'payOwed' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('epoch' as const), node, from: fc.nat(1) }) },
);
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

/** Both worlds, and the queue between the shards, from which messages are lost, repeated and taken out of order. */
class Worlds {
  readonly pool: TestPool;
  readonly shards: Map<StockHolderId, TestShard>;
  readonly models = new Map<StockHolderId, ModelShard>();
  readonly sale: ModelSale;
  readonly incarnation: string;
  readonly queue: Transfer[] = [];

  constructor(pool: TestPool, shards: Map<StockHolderId, TestShard>, incarnation: string) {
    this.pool = pool;
    this.shards = shards;
    this.incarnation = incarnation;
    for (const id of shards.keys()) this.models.set(id, new ModelShard(id));
    for (const id of SHARDS) for (const n of NODES) this.model(id).raiseEpoch(n, 0);
    this.sale = new ModelSale(this.model('pool'), NODES);
  }

  model(id: StockHolderId): ModelShard {
    const found = this.models.get(id);
    if (!found) throw new Error(`no model of ${id}`);
    return found;
  }

  real(id: StockHolderId): TestShard {
    const found = this.shards.get(id);
    if (!found) throw new Error(`no database of ${id}`);
    return found;
  }

  /** Carries the call out in both and expects the same answer. */
  async make(c: Call): Promise<void> {
    const { incarnation, sale } = this;
    switch (c.kind) {
      case 'checkout': {
        const { storefront } = this.real(c.shard);
        const mine = this.model(c.shard);
        const expected = c.rows.map((row) => mine.checkout(row, c.final));
        expect(await storefront.checkout(incarnation, c.rows, c.final ? undefined : HOUR)).toEqual(expected);
        return;
      }
      case 'pay': {
        const answer = await this.real(c.shard).storefront.pay(incarnation, c.token, c.buyer, c.payment);
        expect(answer.kind).toBe(this.model(c.shard).pay(c.token, c.buyer, c.payment));
        return;
      }
      case 'cancel': {
        const answer = await this.real(c.shard).storefront.cancel(incarnation, c.token, c.buyer);
        expect(answer.kind).toBe(this.model(c.shard).cancel(c.token, c.buyer));
        return;
      }
      case 'close': {
        const found = await this.real(c.shard).cache.closeTokens(incarnation, c.node, c.epoch, c.upTo, c.tokens);
        expect(found).toEqual(this.model(c.shard).close(c.node, c.epoch, c.upTo, c.tokens));
        return;
      }
      case 'fence':
        await this.real(c.shard).cache.raiseEpoch(incarnation, c.node, c.epoch);
        this.model(c.shard).raiseEpoch(c.node, c.epoch);
        return;
      case 'command': {
        const { source, term, sequence, legs } = c;
        const made = await this.real(source).agent.execute({ incarnation, source, term, sequence, legs });
        expect(made.map(essence)).toEqual(this.model(source).execute(term, sequence, legs).map(essence));
        this.queue.push(...made);
        return;
      }
      case 'deliver': {
        const message = this.queue.at(-1 - c.back);
        if (!message) return;
        const { applied, forwarded } = await this.real(message.to).agent.receive(message);
        const expected = this.model(message.to).receive(message);
        expect({ applied, forwarded: forwarded.map(essence) }).toEqual({
          applied: expected.applied,
          forwarded: expected.forwarded.map(essence),
        });
        this.queue.push(...forwarded);
        return;
      }
      case 'supply':
        expect(await this.pool.operator.setSupply(c.generation, c.target)).toBe(sale.setSupply(c.generation, c.target));
        return;
      case 'book': {
        const row = sale.nodes.get(c.node);
        const total = Math.min(row?.granted ?? 0, (row?.revoked ?? 0) + c.more);
        expect(await this.pool.registry.book(c.node, c.epoch, total, c.to)).toEqual(
          sale.book(c.node, c.epoch, total, c.to),
        );
        return;
      }
      case 'credit': {
        const total = this.model(c.shard).cancelled;
        expect(await this.pool.registry.credit(c.shard, total, c.to)).toBe(sale.credit(c.shard, total, c.to));
        return;
      }
      case 'payOwed':
        expect(await this.pool.registry.payOwed()).toBe(sale.payOwed());
        return;
      case 'epoch':
        expect(await this.pool.registry.raiseEpoch(c.node, c.from)).toBe(sale.raiseEpoch(c.node, c.from));
    }
  }

  /** The databases' own account, compared with the model's, and summed. */
  async compare(): Promise<void> {
    const states = new Map<StockHolderId, Awaited<ReturnType<TestShard['agent']['state']>>>();
    await Promise.all([...this.shards].map(async ([id, { agent }]) => states.set(id, await agent.state())));
    for (const [id, state] of states) {
      const m = this.model(id);
      expect({ id, ...state }).toMatchObject({
        id,
        version: m.version,
        available: m.available,
        sold: m.sold,
        cancelled: m.cancelled,
        missed: m.missed,
        missedMax: m.missedMax,
        received: m.received,
        sent: Object.fromEntries(m.sent),
        receivedVersions: Object.fromEntries(m.receivedVersions),
        command: { term: m.command[0], sequence: m.command[1] },
      });
    }
    const view = await this.pool.view();
    expect(view).toMatchObject({
      supplied: this.sale.supplied,
      owed: this.model('pool').owed,
      target: this.sale.target,
    });
    expect(view.nodes.map(({ id, ...n }) => [id, { granted: n.granted, revoked: n.revoked, epoch: n.epoch }])).toEqual([
      ...this.sale.nodes,
    ]);

    // R26, from the databases alone.
    const all = [...states.values()];
    const sum = (of: (s: (typeof all)[number]) => number) => all.reduce((total, s) => total + of(s), 0);
    const inFlight =
      sum((s) => Object.values(s.sent).reduce<number>((a, b) => a + (b ?? 0), 0)) - sum((s) => s.received);
    expect(sum((s) => s.available) + inFlight + sum((s) => s.sold - s.cancelled)).toBe(view.supplied);
    expect(inFlight).toBeGreaterThanOrEqual(0);
  }

  /** What is read seldom, at the end. */
  async compareRows(): Promise<void> {
    for (const id of SHARDS) {
      const { sql, cache } = this.real(id);
      const m = this.model(id);
      const orders = await sql.query(
        'SELECT token, buyer, quantity::int, status, payment_id FROM orders ORDER BY token',
      );
      expect(orders.rows).toEqual(
        [...m.orders]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([t, o]) => ({
            token: t,
            buyer: o.buyer,
            quantity: o.quantity,
            status: o.status,
            payment_id: o.payment ?? null,
          })),
      );
      const refunds = await sql.query<{ ref: string }>("SELECT ref FROM ledger WHERE kind = 'refund_due'");
      expect(new Set(refunds.rows.map((r) => r.ref))).toEqual(m.refunds);
      const byBuyer = new Map<string, number>();
      for (const { buyer: b, quantity } of m.orders.values()) byBuyer.set(b, (byBuyer.get(b) ?? 0) + quantity);
      expect(await cache.orderedByBuyer(this.incarnation)).toEqual(byBuyer);
    }
    for (const { sql } of this.shards.values()) expect(await wrongWith(sql)).toEqual([]);
  }
}

const essence = ({ from, to, destination, units, version, previous }: Transfer) => ({
  from,
  to,
  destination,
  units,
  version,
  previous,
});

test(
  'R9, R18–R22, R26, R27, R31, R34: the databases do what the model does, and every unit is somewhere',
  async () => {
    const pool = await fixture.pool();
    const shards = new Map<StockHolderId, TestShard>([['pool', pool]]);
    for (const id of SHARDS) shards.set(id, await fixture.shard());
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (calls) => {
        await Promise.all([...shards.values()].map(reset));
        await pool.registry.initialize();
        const { incarnation } = await pool.view();
        const epochs = NODES.map((n) => ({ node: n, epoch: 0 }));
        for (const id of SHARDS) {
          await shards.get(id)?.agent.join(incarnation, id, epochs);
          await pool.registry.enterShard(id, `life of ${id}`);
        }
        const worlds = new Worlds(pool, shards, incarnation);
        await pool.operator.wantNodes(NODES.length);
        // Stock to begin with, so that most calls have something to do.
        const begin: Call[] = [
          { kind: 'supply', generation: 1, target: 60 },
          {
            kind: 'command',
            source: 'pool',
            term: 1,
            sequence: 1,
            legs: SHARDS.map((destination) => ({ destination, units: 20 })),
          },
          { kind: 'deliver', back: 0 },
          { kind: 'deliver', back: 1 },
        ];
        for (const c of [...begin, ...calls]) {
          await worlds.make(c);
          await worlds.compare();
        }
        await worlds.compareRows();
      }),
      { numRuns: 25, interruptAfterTimeLimit: TIME },
    );
  },
  2 * TIME,
);
