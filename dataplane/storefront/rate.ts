// Limits how often one buyer may ask: a token bucket for each buyer (R3), kept as one number, so that hundreds of
// thousands of buyers fit. The number of buckets is bounded: a buyer who is forgotten starts with a full one. Time
// comes in as an argument.

import { LRUCache } from 'lru-cache';
import type { Refusal } from '../protocol/problems.ts';
import type { BuyerId, Millis } from '../protocol/units.ts';
import { type Rate, takeToken } from '../runtime/token-bucket.ts';

const MOST_BUYERS = 100_000;

/** Takes one of the buyer's tokens, or refuses and takes none. Without a limit nobody is refused. */
export function refusalOfRate(
  rate: Pick<RateLimit, 'take'> | undefined,
  buyer: BuyerId,
  now: Millis,
): Refusal | undefined {
  const wait = rate?.take(buyer, now) ?? 0;
  if (wait === 0) return undefined;
  const seconds = Math.ceil(wait / 1000);
  return { problem: 'rate-limited', parameters: { seconds }, retryAfter: seconds };
}

export class RateLimit {
  readonly #rate: Rate;
  /** When each buyer's bucket will be full again. */
  readonly #fullAt = new LRUCache<BuyerId, Millis>({ max: MOST_BUYERS });

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** Takes one token and returns 0; or returns how long to wait until there is one, and then takes none. */
  take(buyer: BuyerId, now: Millis): Millis {
    const { fullAt, wait } = takeToken(this.#fullAt.get(buyer) ?? 0, now, this.#rate);
    if (wait === 0) this.#fullAt.set(buyer, fullAt);
    return wait;
  }
}
