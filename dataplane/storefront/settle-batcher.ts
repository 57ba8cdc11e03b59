// Tells cache nodes that their tokens became orders, after the buyers were answered. That frees the buyer for another
// purchase within the limit, and the units that the token pinned on its shard. It is a best effort: a settle that is
// lost is found by the node's own expiry, so nothing is ever sent twice here, and only a bounded number waits.

import type { Millis } from '../protocol/units.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Expected, StorefrontNode, TokenRef } from '../stores/cache-node/cache-node.ts';
import { Batcher } from './batcher.ts';

const MOST = 256;
/** Settles that may wait for one node; one more is dropped at once. */
const MOST_QUEUED = 20_000;

interface Settle extends Expected {
  token: TokenRef;
  since: Millis;
}

export interface SettleHooks {
  /** Is called after a node's answer. `lag` is the time from the order to that answer, of the oldest in the batch. */
  settled(tokens: number, lag: Millis): void;
  /** Is called when settles were not sent, or not answered. */
  dropped(tokens: number): void;
  clock: Clock;
}

const sameLife = (a: Settle, b: Settle): boolean => a.epoch === b.epoch && a.incarnation === b.incarnation;

export class SettleBatcher {
  readonly #hooks: SettleHooks;
  /** One batcher for each node that has something to hear. */
  readonly #batchers = new Map<StorefrontNode, Batcher<Settle>>();
  readonly #drained: (() => void)[] = [];

  constructor(hooks: SettleHooks) {
    this.#hooks = hooks;
  }

  push(node: StorefrontNode, { incarnation, epoch }: Expected, token: TokenRef): void {
    let batcher = this.#batchers.get(node);
    if (batcher === undefined) {
      batcher = this.#batcherOf(node);
      this.#batchers.set(node, batcher);
    }
    if (batcher.waiting < MOST_QUEUED) batcher.push({ incarnation, epoch, token, since: this.#hooks.clock.now() });
    else this.#hooks.dropped(1);
  }

  /** Resolves when everything that waited was sent. */
  async drained(): Promise<void> {
    if (this.#batchers.size > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
  }

  #batcherOf(node: StorefrontNode): Batcher<Settle> {
    const { settled, dropped, clock } = this.#hooks;
    return new Batcher<Settle>(
      {
        most: MOST,
        together: sameLife,
        async send(first, batch) {
          try {
            await node.settle(
              first,
              batch.map(({ token }) => token),
            );
            settled(batch.length, clock.now() - first.since);
          } catch {
            dropped(batch.length);
          }
        },
        idle: () => this.#forget(node),
      },
      clock,
    );
  }

  #forget(node: StorefrontNode): void {
    this.#batchers.delete(node);
    if (this.#batchers.size === 0) for (const resolve of this.#drained.splice(0)) resolve();
  }
}
