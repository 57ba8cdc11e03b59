// Bounds what buyers ask about orders. A shard answers such requests over a few connections, which payments need as
// well: so only some are sent at once, some wait, and the rest is told to come back; and one buyer has a few under way,
// whatever they send.

import type { Refusal } from '../protocol/problems.ts';
import type { BuyerId, ShardId } from '../protocol/units.ts';

/** As many as a shard's connections for orders can answer at once. */
const UNDER_WAY = 4;
/** So many wait less than the shard's timeout, even if each takes tens of milliseconds. */
const MOST_WAITING = 64;
/** A person with some tabs open. */
const MOST_PER_BUYER = 4;

const BUSY: Refusal = { problem: 'busy' };
const TOO_MANY: Refusal = { problem: 'rate-limited', parameters: { seconds: 1 }, retryAfter: 1 };

interface Queue {
  underWay: number;
  waiting: (() => void)[];
}

export class OrderLimiter {
  readonly #queues = new Map<ShardId, Queue>();
  readonly #asked = new Map<BuyerId, number>();

  /** Does it when it is its turn, or refuses at once, and then nothing was done. */
  async run<T>(buyer: BuyerId, shard: ShardId, act: () => Promise<T>): Promise<T | Refusal> {
    const asked = this.#asked.get(buyer) ?? 0;
    if (asked >= MOST_PER_BUYER) return TOO_MANY;
    const queue = this.#queue(shard);
    const isFull = queue.underWay >= UNDER_WAY;
    if (isFull && queue.waiting.length >= MOST_WAITING) return BUSY;
    this.#asked.set(buyer, asked + 1);
    // Who waits is handed the turn of the one that ends.
    if (isFull) await new Promise<void>((resolve) => queue.waiting.push(resolve));
    else queue.underWay++;
    try {
      return await act();
    } finally {
      const next = queue.waiting.shift();
      if (next === undefined) queue.underWay--;
      else next();
      const left = (this.#asked.get(buyer) ?? 1) - 1;
      if (left === 0) this.#asked.delete(buyer);
      else this.#asked.set(buyer, left);
    }
  }

  #queue(shard: ShardId): Queue {
    let queue = this.#queues.get(shard);
    if (queue === undefined) {
      queue = { underWay: 0, waiting: [] };
      this.#queues.set(shard, queue);
    }
    return queue;
  }
}
