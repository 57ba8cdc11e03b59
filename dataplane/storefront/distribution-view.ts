// The distribution view as far as a storefront needs it: which shard has how much stock, and how much virtual stock the
// cache nodes have. It is fed by the topics `deltas` and `levels` (decision 0003), and read by routing, by checkouts
// that wait for stock and by GET /sale. It may be empty or old at any time; nothing but speed depends on it.

import type { Delta, Level } from '../protocol/messages.ts';
import { ResourceTable } from '../protocol/table.ts';
import type { Incarnation, Millis, ShardId, Units } from '../protocol/units.ts';
import type { StockView } from './route.ts';

export interface DistributionViewHooks {
  /** Is called when a shard reports stock. */
  stocked(shard: ShardId, available: Units): void;
  /** Is called when a cache node reports virtual stock. */
  restocked(): void;
}

/** Everybody reports every second. After so long without any report Kafka is away, and the view is too old to go by. */
const STALE: Millis = 5000;

export class DistributionView implements StockView {
  revision = 0;
  #reportedAt = Number.NEGATIVE_INFINITY;
  readonly #hooks: DistributionViewHooks;
  #table: ResourceTable | undefined;

  constructor(hooks: DistributionViewHooks) {
    this.#hooks = hooks;
  }

  /**
   * Takes in one report. `incarnation` is the sale's, as the cache nodes have it; a report of another one is dropped,
   * which loses nothing, because reports are repeated every second.
   */
  apply(message: Delta | Level, incarnation: Incarnation, now: Millis): void {
    if (this.#table?.incarnation !== incarnation) {
      this.#table = new ResourceTable(incarnation);
      this.revision++;
    }
    this.#reportedAt = now;
    if ('node' in message) {
      if (!this.#table.applyLevel(message, now)) return;
      if (message.virtual > 0) this.#hooks.restocked();
    } else {
      if (!this.#table.applyDelta(message, now)) return;
      if (message.peer !== 'pool' && message.available > 0) this.#hooks.stocked(message.peer, message.available);
    }
    this.revision++;
  }

  /** Returns true while the view is of this moment. Where it is not, routing treats all shards alike. */
  isFresh(now: Millis): boolean {
    return now - this.#reportedAt < STALE;
  }

  weight(shard: ShardId): Units {
    const seen = this.#table?.shard(shard);
    return seen === undefined ? 0 : Math.max(0, seen.available - seen.pinned);
  }

  /** Returns the virtual stock of the layout's `count` nodes, or undefined when not all of them have reported yet. */
  virtual(count: number): Units | undefined {
    const levels = this.#table?.levels() ?? [];
    if (levels.length < count) return undefined;
    return levels.reduce((sum, level) => sum + level.virtual, 0);
  }
}
