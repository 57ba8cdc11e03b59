// The distribution view as far as a storefront needs it: fed by the topics `deltas` and `levels` (decision 0003), read
// by routing, by waiting lanes and by GET /sale. May be empty or old at any time; nothing but speed depends on it.

import type { Delta, Level } from '../protocol/messages.ts';
import { ResourceTable } from '../protocol/table.ts';
import type { Incarnation, Millis, ShardId, Units } from '../protocol/units.ts';
import type { StockView } from './route.ts';

export interface ViewHooks {
  /** A shard is heard to have stock. */
  stocked(shard: ShardId, available: Units): void;
  /** A cache node is heard to have virtual stock. */
  virtual(): void;
}

/** Everybody reports every second. Silent for so long, Kafka is away, and what was heard is too old to go by. */
const STALE: Millis = 5000;

export class View implements StockView {
  revision = 0;
  #heardAt = Number.NEGATIVE_INFINITY;
  readonly #hooks: ViewHooks;
  #table: ResourceTable | undefined;

  constructor(hooks: ViewHooks) {
    this.#hooks = hooks;
  }

  /** `incarnation`: of the sale as the cache nodes have it; what is of another is dropped, and said again every second. */
  hear(message: Delta | Level, incarnation: Incarnation, now: Millis): void {
    if (this.#table?.incarnation !== incarnation) {
      this.#table = new ResourceTable(incarnation);
      this.revision++;
    }
    this.#heardAt = now;
    if ('node' in message) {
      if (!this.#table.applyLevel(message, now)) return;
      if (message.virtual > 0) this.#hooks.virtual();
    } else {
      if (!this.#table.applyDelta(message, now)) return;
      if (message.peer !== 'pool' && message.available > 0) this.#hooks.stocked(message.peer, message.available);
    }
    this.revision++;
  }

  /** Whether it is of this moment; routing is even where it is not. */
  isFresh(now: Millis): boolean {
    return now - this.#heardAt < STALE;
  }

  weight(shard: ShardId): Units {
    const seen = this.#table?.shard(shard);
    return seen === undefined ? 0 : Math.max(0, seen.available - seen.pinned);
  }

  /** Virtual stock over the `count` nodes of the layout; undefined: not all of them have been heard. */
  virtual(count: number): Units | undefined {
    const levels = this.#table?.levels() ?? [];
    if (levels.length < count) return undefined;
    return levels.reduce((sum, level) => sum + level.virtual, 0);
  }
}
