// The second-level cache: that nothing is left for a home node's buyers, remembered for moments. It holds only what
// the pool's agent said after it had asked every node and the registry (R29), for one quantity and every larger one.
// Forgotten at once when any node is heard to have stock again. Pure: time comes in.

import type { Millis, NodeId, Units } from '../protocol/units.ts';

/** How long it is believed: shorter while reserved units may still come back. */
export const BELIEVED = { forGood: 1000, forNow: 250 } as const;
/** How long GET /sale goes on saying so when nobody asks any more. */
const SHOWN: Millis = 10_000;

/** `for-now`: units are reserved, and some may come back; a buyer refused may hold one of them. */
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

  /** Undefined: nothing is remembered; ask. */
  recall(node: NodeId, quantity: Units, now: Millis): SoldOutness | undefined {
    const held = this.#memory.get(node);
    if (held === undefined || held.until <= now || quantity < held.quantity) return undefined;
    return held.kind;
  }

  /** Some node has stock. */
  forget(): void {
    this.#memory.clear();
    this.#lastSaid = Number.NEGATIVE_INFINITY;
  }

  /** For display only. */
  lately(now: Millis): boolean {
    return now - this.#lastSaid < SHOWN;
  }
}

/** Refused buyers who come back in a second: a storefront answers them beside its work, on a machine it shares, too. */
const CALM = 500;
const LONGEST_WAIT = 5;

/**
 * Retry-After while units may come back: at least a second, and as many as it takes for those who wait to come back
 * no more than CALM a second, so that a crowd of losers does not keep the storefront from the winners. Whoever was
 * refused within the last wait is still to come.
 */
export class RetryAfterPacer {
  /** Of each of the last seconds, at its number modulo theirs. */
  readonly #refused = new Array<number>(LONGEST_WAIT).fill(0);
  #second = 0;
  #wait = 1;

  /** Counts one refusal; answers whole seconds. */
  next(now: Millis): number {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#turn(second);
    this.#refused[second % LONGEST_WAIT] = this.#in(second) + 1;
    return this.#wait;
  }

  #turn(second: number): void {
    for (let s = Math.max(this.#second + 1, second - LONGEST_WAIT + 1); s < second; s++)
      this.#refused[s % LONGEST_WAIT] = 0;
    let waiting = 0;
    for (let back = 1; back <= this.#wait; back++) waiting += this.#in(second - back);
    this.#wait = Math.min(LONGEST_WAIT, Math.max(1, Math.ceil(waiting / CALM)));
    this.#refused[second % LONGEST_WAIT] = 0;
    this.#second = second;
  }

  #in(second: number): number {
    return this.#refused[second % LONGEST_WAIT] ?? 0;
  }
}
