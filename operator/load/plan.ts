// Who comes when, and what each buyer will do: decided before the run from a seed, so that a run can be repeated.
// Pure. Arrivals are a Poisson process at a fixed rate, whatever the answers are (open loop): a slow shop does not
// slow its crowd down, and the waiting shows in the latencies.

import type { Millis, Units } from '../../dataplane/protocol/units.ts';

export interface LoadOptions {
  buyers: number;
  /** Arrivals per second. */
  rate: number;
  /** Quantities are drawn evenly from 1…maxQuantity. */
  maxQuantity: Units;
  /** Shares of the buyers, 0…1. */
  duplicates: number;
  abandon: number;
  cancel: number;
  forged: number;
  foreign: number;
  /** Buyers who abandoned a token come back once for another one. */
  comeBack: boolean;
  /** Buyers take this long between token and checkout, on average. */
  think: Millis;
  seed: number;
  /** Names are `<prefix><number>`; another prefix is another crowd. */
  prefix: string;
}

export interface Buyer {
  name: string;
  arrival: Millis;
  quantity: Units;
  think: Millis;
  duplicate: boolean;
  abandon: boolean;
  cancel: boolean;
  forged: boolean;
  foreign: boolean;
}

/** mulberry32: small, seeded, good enough to draw crowds. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function planBuyers(options: LoadOptions): Buyer[] {
  const next = random(options.seed);
  const exponential = (mean: number) => -Math.log(1 - next()) * mean;
  const buyers: Buyer[] = [];
  let at = 0;
  for (let i = 0; i < options.buyers; i++) {
    buyers.push({
      name: `${options.prefix}${i}`,
      arrival: at,
      quantity: 1 + Math.floor(next() * options.maxQuantity),
      think: exponential(options.think),
      duplicate: next() < options.duplicates,
      abandon: next() < options.abandon,
      cancel: next() < options.cancel,
      forged: next() < options.forged,
      foreign: next() < options.foreign,
    });
    at += exponential(1000 / options.rate);
  }
  return buyers;
}
