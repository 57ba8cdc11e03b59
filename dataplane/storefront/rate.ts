// How often one buyer may ask: a token bucket per buyer (R3), kept as the one number that the generic cell rate
// algorithm needs, so that hundreds of thousands of buyers fit. Bounded: who is forgotten starts with a full bucket.
// Time comes in as an argument.

import { LRUCache } from 'lru-cache';
import type { BuyerId, Millis } from '../protocol/units.ts';

const MOST_BUYERS = 100_000;

export class RateLimit {
  readonly #interval: Millis;
  readonly #burst: Millis;
  /** When the bucket will be full again. */
  readonly #fullAt = new LRUCache<BuyerId, Millis>({ max: MOST_BUYERS });

  constructor(limit: { perSecond: number; burst: number }) {
    this.#interval = 1000 / limit.perSecond;
    this.#burst = this.#interval * Math.max(1, limit.burst);
  }

  /** Takes one; answers 0, or how long to wait until there is one (then none was taken). */
  take(buyer: BuyerId, now: Millis): Millis {
    const next = Math.max(this.#fullAt.get(buyer) ?? now, now) + this.#interval;
    const early = next - now - this.#burst;
    // Sums of fractions come out a hair above: a billionth of a second is nobody's wait.
    if (early > 1e-6) return early;
    this.#fullAt.set(buyer, next);
    return 0;
  }
}
