// Tells a cache node that its tokens became orders, after the buyers were answered: frees the buyer for another
// purchase within the limit, and the shard's pinned units. Best effort, in batches, bounded: a settle that is lost is
// found by the node's own expiry, so nothing is ever sent twice here.

import type { Millis } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Expected, StorefrontNode, TokenRef } from '../stores/cache-node/cache-node.ts';
import { BatchQueue } from './batch-queue.ts';

const MOST = 256;
const MOST_QUEUED = 20_000;

interface Settled extends Expected {
  token: TokenRef;
  since: Millis;
}

export interface SettleHooks {
  /** `lag`: from the order to the node's answer, of the oldest in the batch. */
  settled(tokens: number, lag: Millis): void;
  dropped(tokens: number): void;
  clock: Clock;
}

export class SettleBatcher {
  readonly #hooks: SettleHooks;
  readonly #queues = new Map<StorefrontNode, BatchQueue<Settled>>();
  readonly #running = new Map<StorefrontNode, Promise<void>>();

  constructor(hooks: SettleHooks) {
    this.#hooks = hooks;
  }

  push(node: StorefrontNode, { incarnation, epoch }: Expected, token: TokenRef): void {
    let queue = this.#queues.get(node);
    if (queue === undefined) {
      queue = new BatchQueue((a, b) => a.epoch === b.epoch && a.incarnation === b.incarnation);
      this.#queues.set(node, queue);
    }
    if (queue.length >= MOST_QUEUED) {
      this.#hooks.dropped(1);
      return;
    }
    queue.push({ incarnation, epoch, token, since: this.#hooks.clock.now() });
    if (!this.#running.has(node)) this.#running.set(node, this.#run(node, queue));
  }

  /** Resolves when everything that waited was sent. */
  async drained(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(node: StorefrontNode, queue: BatchQueue<Settled>): Promise<void> {
    // What becomes an order in the same batch settles in the same call.
    await new Promise<void>((resolve) => this.#hooks.clock.soon(resolve));
    while (queue.length > 0) {
      const batch = queue.take(MOST);
      const [first] = batch;
      if (first === undefined) break;
      try {
        await node.settle(
          first,
          batch.map(({ token }) => token),
        );
        this.#hooks.settled(batch.length, this.#hooks.clock.now() - first.since);
      } catch {
        this.#hooks.dropped(batch.length);
      }
    }
    this.#running.delete(node);
    this.#queues.delete(node);
  }
}
