// Two shards and the pool on a real PostgreSQL, a model of each beside it, and the queue between them. Compares what
// both sides hold.

import { expect } from 'vitest';
import type { OrderEvent, Transfer } from '../../../dataplane/protocol/messages.ts';
import type { Incarnation, ShardId, StockHolderId } from '../../../dataplane/protocol/units.ts';
import type { Order } from '../../../dataplane/stores/shard/shard.ts';
import { PoolModel } from '../../models/registry.ts';
import type { WithoutStore } from '../../models/sentences.ts';
import { ShardModel } from '../../models/shard.ts';
import type { OrderRow } from '../../models/shard-orders.ts';
import { reset, type TestPool, type TestShard, wrongWith } from './fixture.ts';

export const SHARDS: readonly ShardId[] = ['s0', 's1'];
export const HOLDERS: readonly StockHolderId[] = [...SHARDS, 'pool'];

/** The databases of a property, made once; each run begins with empty ones. */
export interface Databases {
  pool: TestPool;
  shards: ReadonlyMap<StockHolderId, TestShard>;
}

export class World {
  readonly #databases: Databases;
  readonly #models = new Map<StockHolderId, ShardModel>();
  readonly pool: PoolModel;
  /** Transfers that were made, in order; the calls lose, repeat and reorder them. */
  readonly queue: Transfer[] = [];
  /** The incarnation the real registry drew. */
  drawn: Incarnation = 'no sale';
  /** The models' clock: one tick for each call. */
  ticks = 0;

  private constructor(databases: Databases, lives: Map<StockHolderId, Incarnation>, without: WithoutStore) {
    this.#databases = databases;
    const options = (holder: StockHolderId) => ({
      now: () => this.ticks,
      peerIncarnation: lives.get(holder) ?? holder,
      without,
    });
    this.pool = new PoolModel({ ...options('pool'), draw: () => this.drawn });
    this.#models.set('pool', this.pool);
    for (const id of SHARDS) this.#models.set(id, new ShardModel(options(id)));
    for (const model of this.#models.values()) model.migrate();
  }

  static async begin(databases: Databases, without: WithoutStore): Promise<World> {
    const lives = new Map<StockHolderId, Incarnation>();
    for (const [id, shard] of databases.shards) {
      await reset(shard);
      lives.set(id, (await shard.storefront.info()).shardIncarnation);
    }
    return new World(databases, lives, without);
  }

  model(id: StockHolderId): ShardModel {
    const found = this.#models.get(id);
    if (!found) throw new Error(`no model of ${id}`);
    return found;
  }

  real(id: StockHolderId): TestShard {
    const found = this.#databases.shards.get(id);
    if (!found) throw new Error(`no database of ${id}`);
    return found;
  }

  get realPool(): TestPool {
    return this.#databases.pool;
  }

  /** The incarnation callers use; `wrong`: another sale's. */
  sale(wrong = false): Incarnation {
    return wrong ? 'another sale' : (this.pool.registry.sale?.incarnation ?? 'no sale yet');
  }

  /** The databases' own account, compared with the models', and summed. */
  async compare(): Promise<void> {
    const states = await Promise.all(HOLDERS.map((id) => this.real(id).agent.state()));
    for (const [i, id] of HOLDERS.entries()) expect(states[i], id).toEqual(this.model(id).state());
    const view = await this.realPool.registry.read();
    expect(view).toEqual(this.pool.registry.read());

    // R26, from the databases alone.
    const sum = (of: (s: (typeof states)[number]) => number) => states.reduce((total, s) => total + of(s), 0);
    const inFlight =
      sum((s) => Object.values(s.sent).reduce<number>((a, b) => a + (b ?? 0), 0)) - sum((s) => s.received);
    expect(sum((s) => s.available) + inFlight + sum((s) => s.sold - s.cancelled)).toBe(view?.supplied ?? 0);
    expect(inFlight).toBeGreaterThanOrEqual(0);
  }

  /** What is read seldom, at the end. */
  async compareRows(): Promise<void> {
    for (const id of HOLDERS) {
      const { sql, cache, agent } = this.real(id);
      const model = this.model(id);
      const orders = await sql.query(
        'SELECT token, buyer, quantity::int, node, status, payment_id FROM orders ORDER BY token',
      );
      expect(orders.rows).toEqual([...model.orders.rows.values()].sort(byToken).map(columnsOf));
      const fences = await sql.query('SELECT node, epoch::int, low_watermark::int FROM nodes ORDER BY node');
      expect(fences.rows).toEqual(
        [...model.fences.rows]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([node, { epoch, lowWatermark }]) => ({ node, epoch, low_watermark: lowWatermark })),
      );
      if (model.incarnation !== undefined) {
        expect(await cache.orderedByBuyer(model.incarnation)).toEqual(model.orderedByBuyer(model.incarnation));
        for (const hop of HOLDERS)
          expect(await agent.transfersTo(hop, 0, 1000)).toEqual(model.transfersTo(hop, 0, 1000));
      }
      const ledger = await sql.query(`SELECT version::int, kind, delta::int, previous::int, peer_version::int,
          CASE kind WHEN 'cancel' THEN '' ELSE ref END AS ref, peer, destination, payment_id
          FROM ledger WHERE kind <> 'cancel' ORDER BY version`);
      expect(ledger.rows).toEqual(
        model.ledger.rows
          .filter(({ kind }) => kind !== 'cancel')
          .map((row) => ({
            version: row.version,
            kind: row.kind,
            delta: row.delta + 0,
            previous: row.previous ?? null,
            peer_version: row.peerVersion ?? null,
            ref: row.ref,
            peer: row.peer ?? null,
            destination: row.destination ?? null,
            payment_id: row.paymentId ?? null,
          })),
      );
      const relay = await sql.query<{ version: number }>('SELECT version::int FROM relay');
      expect(relay.rows[0]?.version).toBe(model.relayedUpTo);
      expect(await wrongWith(sql)).toEqual([]);
    }
  }
}

const byToken = (a: { token: string }, b: { token: string }) => (a.token < b.token ? -1 : 1);

const columnsOf = ({ token, buyer, quantity, node, status, paymentId }: OrderRow) => ({
  ...{ token, buyer, quantity, node, status },
  payment_id: paymentId ?? null,
});

/** An order without the exact time that is left to pay it: the databases' clock is another one than the models'. */
export const timeless = (order: Order | undefined): object | undefined => {
  if (order?.payWithin === undefined) return order;
  return { ...order, payWithin: order.payWithin > 0 ? 'later' : 'no more' };
};

/** Events without their times. Orders that are cancelled together may come in any order. */
export function settledEvents(events: OrderEvent[]): object {
  return {
    kinds: events.map(({ kind, version }) => [version, kind]),
    others: events.filter(({ kind }) => kind !== 'cancelled').map((event) => ({ ...event, at: 0 })),
  };
}
