// How many purchases may wait here at once. A crowd far beyond what this machine serves would otherwise make everybody
// wait for everybody, checkouts included; so whoever finds the room full is told to come back, before anything was done.
// That only delays (a turned away buyer takes no stock, and stock waits for nobody), and it spreads the crowd: each is
// given another moment to come back. Time and randomness come in.

import type { Refusal } from '../protocol/problems.ts';
import type { Millis } from '../protocol/units.ts';
import { RetryAfterPacer } from './sold-out.ts';

export interface Watermarks {
  high: number;
  low: number;
}

/**
 * Purchases under way. A storefront with a core of its own serves 20,000 in a second, one that shares it a quarter:
 * nobody let in waits much longer than a second. It opens again at half, so that it does not flutter.
 */
const WATERMARKS: Watermarks = { high: 4096, low: 2048 };

/** Whether the room counts as full from now on. Pure. */
export const isLimiting = ({ high, low }: Watermarks, wasFull: boolean, underWay: number): boolean =>
  underWay >= high || (wasFull && underWay > low);

export class AdmissionLimiter {
  readonly #watermarks: Watermarks;
  readonly #pacer = new RetryAfterPacer();
  #underWay = 0;
  #limiting = false;

  constructor(watermarks: Watermarks = WATERMARKS) {
    this.#watermarks = watermarks;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Undefined: the caller is in, and leaves. Otherwise it is told to come back. `random`: from 0 up to and without 1. */
  enter(now: Millis, random: () => number): Refusal | undefined {
    this.#limiting = isLimiting(this.#watermarks, this.#limiting, this.#underWay);
    if (this.#limiting) return { problem: 'busy', retryAfter: 1 + Math.floor(random() * this.#pacer.next(now)) };
    this.#underWay++;
    return undefined;
  }

  leave(): void {
    this.#underWay--;
  }
}
