// Decides how long refused buyers are told to stay away (Retry-After), so that they come back spread over time instead
// of all at once. Pure: time comes in as an argument.

import type { Millis } from '../protocol/units.ts';

/**
 * The most buyers that should come back in one second: a storefront serves so many beside its work, even on a machine
 * it shares.
 */
const MOST_PER_SECOND = 500;
/** The longest wait that a buyer is told, in seconds. */
const LONGEST_WAIT = 5;

/**
 * Names a wait of at least a second, and of as many seconds as it takes for the refused buyers to come back at no more
 * than MOST_PER_SECOND, so that losers who ask again do not keep the storefront from the winners. A buyer who was
 * refused within the last wait is counted as still to come.
 */
export class RetryAfterPacer {
  /**
   * How many buyers were refused in each of the last LONGEST_WAIT seconds; a second's place is its number modulo that.
   */
  readonly #refused = new Array<number>(LONGEST_WAIT).fill(0);
  #second = 0;
  #wait = 1;

  /** Counts one refused buyer, and returns the wait to tell them, in whole seconds. */
  next(now: Millis): number {
    const second = Math.floor(now / 1000);
    if (second !== this.#second) this.#turn(second);
    this.#refused[second % LONGEST_WAIT] = this.#in(second) + 1;
    return this.#wait;
  }

  /** Begins a new second: sets its wait by what the seconds before it refused. */
  #turn(second: number): void {
    for (let s = Math.max(this.#second + 1, second - LONGEST_WAIT + 1); s < second; s++)
      this.#refused[s % LONGEST_WAIT] = 0;
    let waiting = 0;
    for (let back = 1; back <= this.#wait; back++) waiting += this.#in(second - back);
    this.#wait = Math.min(LONGEST_WAIT, Math.max(1, Math.ceil(waiting / MOST_PER_SECOND)));
    this.#refused[second % LONGEST_WAIT] = 0;
    this.#second = second;
  }

  #in(second: number): number {
    return this.#refused[second % LONGEST_WAIT] ?? 0;
  }
}
