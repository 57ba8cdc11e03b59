// The storefront's own cache tier in front of the cache nodes: it remembers for moments that nothing is left for the
// buyers of a node. It holds only what the pool's agent said after it had asked every node and the sale's registry
// (R29), for one quantity and every larger one. It forgets all at once when any node reports stock again. Pure: time
// comes in as an argument.

import type { Millis, NodeId, Units } from '../protocol/units.ts';

/** How long such an answer is believed: shorter while reserved units may still come back. */
export const BELIEVED = { forGood: 1000, forNow: 250 } as const;
/** How long GET /sale goes on saying "sold out" when nobody purchases any more. */
const SHOWN: Millis = 10_000;

/** With `for-now`, units are reserved and some may come back; a refused buyer may hold one of them. */
export type SoldOutness = 'for-good' | 'for-now';

interface Memory {
  quantity: Units;
  kind: SoldOutness;
  until: Millis;
}

export class SoldOut {
  readonly #memory = new Map<NodeId, Memory>();
  #lastSaid: Millis = Number.NEGATIVE_INFINITY;

  remember(node: NodeId, quantity: Units, kind: SoldOutness, now: Millis): void {
    const held = this.#memory.get(node);
    // A smaller quantity's memory covers this one, too; a larger one's says nothing of smaller ones.
    const covered = held !== undefined && held.until > now && held.quantity < quantity;
    const until = now + (kind === 'for-good' ? BELIEVED.forGood : BELIEVED.forNow);
    if (!covered) this.#memory.set(node, { quantity, kind, until });
    if (quantity === 1) this.#lastSaid = now;
  }

  /** Returns undefined when nothing is remembered: the pool's agent has to be asked. */
  recall(node: NodeId, quantity: Units, now: Millis): SoldOutness | undefined {
    const held = this.#memory.get(node);
    if (held === undefined || held.until <= now || quantity < held.quantity) return undefined;
    return held.kind;
  }

  /** Is called when some node has stock. */
  forget(): void {
    this.#memory.clear();
    this.#lastSaid = Number.NEGATIVE_INFINITY;
  }

  /** Returns true when the sale was lately found sold out. It is for display only. */
  lately(now: Millis): boolean {
    return now - this.#lastSaid < SHOWN;
  }
}
