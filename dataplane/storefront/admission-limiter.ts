// Sheds load: limits how many purchases are under way at once. Far more purchases than this machine serves would
// otherwise make everybody wait for everybody, checkouts included; so beyond the high watermark a buyer is told to come
// back, before anything was done. That only delays: a buyer who is turned away took no stock. It also spreads the load,
// because each of them is given another moment to come back. Time and randomness come in as arguments.

import type { Refusal } from '../protocol/problems.ts';
import type { Millis } from '../protocol/units.ts';
import { RetryAfterPacer } from './retry-after-pacer.ts';

export interface Watermarks {
  /** The number of purchases under way at which the limiter begins to turn others away. */
  high: number;
  /** The number of purchases under way at which it stops doing so. */
  low: number;
}

/**
 * A storefront with a core of its own serves 20,000 purchases in a second, one that shares it a quarter of that: so
 * nobody who is admitted waits much longer than a second. The low watermark is half, so that the limiter does not
 * flutter.
 */
const WATERMARKS: Watermarks = { high: 4096, low: 2048 };

/** Returns true when purchases are turned away from now on; `wasLimiting` is the decision before. Pure. */
export const isLimiting = ({ high, low }: Watermarks, wasLimiting: boolean, underWay: number): boolean =>
  underWay >= high || (wasLimiting && underWay > low);

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

  /**
   * Returns undefined when the purchase is admitted; its caller must then call `leave` once. Otherwise the buyer is
   * told to come back later. `random` returns a number from 0 up to and without 1.
   */
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
