// The two numbers per cache node by which a shard refuses tokens: the node's epoch, and its low watermark.

import type { Epoch, Millis, NodeId, SequenceNumber } from '../../dataplane/protocol/units.ts';
import type { CheckoutRow } from '../../dataplane/stores/shard/shard.ts';
import type { WithoutStore } from './sentences.ts';

interface Fence {
  epoch: Epoch;
  lowWatermark: SequenceNumber;
  /** When it was last raised, and what it was before. */
  at: Millis;
  before: { epoch: Epoch; lowWatermark: SequenceNumber } | undefined;
}

/**
 * For how long a statement may have waited for the lock. Where a sentence about reading under the lock is taken back,
 * whoever reads sees what was there this long ago.
 */
export const LOCK_WAIT: Millis = 50;

export class Fences {
  readonly rows = new Map<NodeId, Fence>();
  readonly #now: () => Millis;
  readonly #without: WithoutStore;

  constructor(now: () => Millis, without: WithoutStore) {
    this.#now = now;
    this.#without = without;
  }

  /** Sets the node's epoch, only upward; the low watermark starts at 0 with it. */
  raise(node: NodeId, epoch: Epoch): void {
    const last = this.rows.get(node);
    if (last && last.epoch >= epoch && !this.#without('epochs-only-rise')) return;
    const lowWatermark = this.#without('epoch-resets-closed') ? (last?.lowWatermark ?? 0) : 0;
    this.#set(node, epoch, lowWatermark);
  }

  /** Raises the low watermark. Answers false if the shard knows another epoch of the node; nothing is changed then. */
  close(node: NodeId, epoch: Epoch, upTo: SequenceNumber): boolean {
    const last = this.rows.get(node);
    if (last?.epoch !== epoch && !this.#without('close-checks-epoch')) return false;
    if (last && upTo > last.lowWatermark) this.#set(node, last.epoch, upTo);
    return true;
  }

  #set(node: NodeId, epoch: Epoch, lowWatermark: SequenceNumber): void {
    const before = this.rows.get(node);
    this.rows.set(node, { epoch, lowWatermark, at: this.#now(), before });
  }

  refuse({ node, epoch, sequence }: Pick<CheckoutRow, 'node' | 'epoch' | 'sequence'>): boolean {
    const fence = this.#seen(node);
    if (fence?.epoch !== epoch && !this.#without('epoch-refused')) return true;
    return sequence <= (fence?.lowWatermark ?? 0) && !this.#without('closed-refused');
  }

  #seen(node: NodeId): { epoch: Epoch; lowWatermark: SequenceNumber } | undefined {
    const fence = this.rows.get(node);
    const early = fence !== undefined && fence.at > this.#now() - LOCK_WAIT && this.#without('locked-then-read');
    return early ? fence.before : fence;
  }
}
