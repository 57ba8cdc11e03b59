// What happened, counted. One object a run; buyers write to it, the progress bar and the report read it.

import { build, type Histogram } from 'hdr-histogram-js';
import type { Millis, Units } from '../../dataplane/protocol/units.ts';

export interface Percentiles {
  p50: Millis;
  p99: Millis;
}

export class Tally {
  arrived = 0;
  left = 0;
  purchases = 0;
  checkouts = 0;
  tokens = 0;
  duplicates = 0;
  abandoned = 0;
  orders = 0;
  sold: Units = 0;
  cancelled: Units = 0;
  soldOut = 0;
  waiting = 0;
  retries = 0;
  forgedRefused = 0;
  foreignRefused = 0;
  /** Valid tokens that in the end could not be checked out. */
  shortages = 0;
  /** What should never happen, by what it was. */
  readonly errors = new Map<string, number>();
  /** Refusals and retries by problem code, for the curious. */
  readonly problems = new Map<string, number>();
  readonly started = performance.now();
  lastSale: Millis = 0;
  /** When buyers were told "sold out" for good, when those who bought had asked, and for how much: see `falseSoldOuts`. */
  private readonly refused: { at: Millis; quantity: Units }[] = [];
  private readonly bought: { asked: Millis; quantity: Units }[] = [];
  private readonly seconds = { purchases: new Map<number, number>(), checkouts: new Map<number, number>() };
  private readonly latency: Record<'purchases' | 'checkouts', Histogram> = {
    purchases: build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 120_000_000,
      numberOfSignificantValueDigits: 3,
    }),
    checkouts: build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: 120_000_000,
      numberOfSignificantValueDigits: 3,
    }),
  };

  now(): Millis {
    return performance.now() - this.started;
  }

  answered(what: 'purchases' | 'checkouts', intended: Millis): void {
    this[what]++;
    const now = this.now();
    this.latency[what].recordValue(Math.max(1, Math.round((now - intended) * 1000)));
    const second = Math.floor(now / 1000);
    this.seconds[what].set(second, (this.seconds[what].get(second) ?? 0) + 1);
  }

  error(what: string): void {
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }

  problem(code: string): void {
    this.problems.set(code, (this.problems.get(code) ?? 0) + 1);
  }

  finallySoldOut(quantity: Units): void {
    this.soldOut++;
    this.refused.push({ at: this.now(), quantity });
  }

  /** Counts an order. `asked` is when the purchase was sent that brought the token. */
  sale(quantity: Units, asked: Millis): void {
    this.bought.push({ asked, quantity });
    this.orders++;
    this.sold += quantity;
    this.lastSale = this.now();
  }

  get errorCount(): number {
    return [...this.errors.values()].reduce((a, b) => a + b, 0);
  }

  /**
   * R29: final "sold out" answers (no Retry-After) although at least as many units were bought by those who asked later,
   * plus valid tokens refused for good. Tokens that lapse do not count: the same unit is handed out again. Only
   * meaningful while nothing is cancelled or restocked: those make stock anew.
   */
  falseSoldOuts(): number {
    if (this.cancelled > 0) return this.shortages;
    const bought = [...this.bought].sort((a, b) => a.asked - b.asked);
    const refused = [...this.refused].sort((a, b) => b.at - a.at);
    let later = 0;
    let wrong = 0;
    for (const { at, quantity } of refused) {
      for (let last = bought.at(-1); last && last.asked > at; last = bought.at(-1)) {
        later += last.quantity;
        bought.pop();
      }
      if (later >= quantity) wrong++;
    }
    return wrong + this.shortages;
  }

  /** Answers in the busiest second. */
  busiest(what: 'purchases' | 'checkouts'): number {
    return Math.max(0, ...this.seconds[what].values());
  }

  percentiles(what: 'purchases' | 'checkouts'): Percentiles {
    const at = (percentile: number) => Math.round(this.latency[what].getValueAtPercentile(percentile) / 10) / 100;
    return { p50: at(50), p99: at(99) };
  }
}
