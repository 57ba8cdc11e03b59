// Two shards and the pool of a sale, a model of each beside it, and the queue between them. Compares what both sides
// hold. Which databases the real ones are is the caller's choice.

import { expect } from 'vitest';
import type { OrderEvent, Transfer } from '../../dataplane/protocol/messages.ts';
import type { Incarnation, ShardId, StockHolderId } from '../../dataplane/protocol/units.ts';
import type { AgentRegistry, OperatorRegistry } from '../../dataplane/stores/registry/registry.ts';
import type { AgentShard, CacheShard, Order, StorefrontShard } from '../../dataplane/stores/shard/shard.ts';
import { PoolModel } from './registry.ts';
import type { WithoutStore } from './sentences.ts';
import { ShardModel } from './shard.ts';

export const SHARDS: readonly ShardId[] = ['s0', 's1'];
export const HOLDERS: readonly StockHolderId[] = [...SHARDS, 'pool'];

/** What callers have of a shard, and of the pool. */
export interface RealShard {
  storefront: StorefrontShard;
  cache: CacheShard;
  agent: AgentShard;
}
export interface RealPool extends RealShard {
  registry: AgentRegistry;
  operator: OperatorRegistry;
}
export interface RealSale {
  pool: RealPool;
  shards: ReadonlyMap<ShardId, RealShard>;
}

export class World {
  readonly #real: RealSale;
  readonly #models = new Map<StockHolderId, ShardModel>();
  readonly pool: PoolModel;
  /** Transfers that were made, in order; the calls lose, repeat and reorder them. */
  readonly queue: Transfer[] = [];
  /** The incarnation the real registry drew. */
  drawn: Incarnation = 'no sale';
  /** The models' clock: one tick for each call. */
  ticks = 0;

  private constructor(real: RealSale, lives: Map<StockHolderId, Incarnation>, without: WithoutStore) {
    this.#real = real;
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

  /** The real databases are migrated, and empty. */
  static async begin(real: RealSale, without: WithoutStore): Promise<World> {
    const lives = new Map<StockHolderId, Incarnation>();
    lives.set('pool', (await real.pool.storefront.info()).shardIncarnation);
    for (const [id, shard] of real.shards) lives.set(id, (await shard.storefront.info()).shardIncarnation);
    return new World(real, lives, without);
  }

  model(id: StockHolderId): ShardModel {
    const found = this.#models.get(id);
    if (!found) throw new Error(`no model of ${id}`);
    return found;
  }

  real(id: StockHolderId): RealShard {
    const found = id === 'pool' ? this.#real.pool : this.#real.shards.get(id);
    if (!found) throw new Error(`no database of ${id}`);
    return found;
  }

  get realPool(): RealPool {
    return this.#real.pool;
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
}

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
