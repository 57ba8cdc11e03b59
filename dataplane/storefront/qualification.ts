// Decides who may purchase what, now (R3), by a chain of small checks in order. The first check that refuses is the
// answer; then nothing was deducted and no token exists (R5). Pure but for the rate limit, which counts. Two checks of
// R3 are elsewhere because only others can make them: the cache node enforces the per-buyer limit in the script that
// reserves, and the merchant's webhook is asked after this chain.

import type { SaleConfig } from '../protocol/config.ts';
import type { Refusal } from '../protocol/problems.ts';
import type { BuyerId, Millis, Units } from '../protocol/units.ts';
import { refusalOfRate } from './rate.ts';

/** A set of buyers that may not have been read yet. */
export interface List {
  /** False while the list cannot say who is in it. */
  readonly known: boolean;
  has(buyer: BuyerId): boolean;
}

export interface Rules {
  sale: Pick<SaleConfig, 'window' | 'qualification'>;
  allow?: List;
  deny?: List;
  rate?: { take(buyer: BuyerId, now: Millis): Millis };
}

export interface Attempt {
  buyer: BuyerId;
  quantity: Units;
  /** The time since 1970 by this machine's clock, for the sale's window. */
  now: Millis;
  /** The time by a clock that never goes back, for the rate limit. */
  at: Millis;
}

export type Check = (attempt: Attempt, rules: Rules) => Refusal | undefined;

const iso = (at: Millis): string => new Date(at).toISOString();

/** Refuses outside the sale's window, by this machine's clock. The moment at which it closes is outside. */
const window: Check = ({ now }, { sale: { window } }) => {
  const { opensAt, closesAt } = window;
  if (opensAt !== undefined && now < opensAt)
    return { problem: 'not-open', parameters: { opensAt: iso(opensAt) }, retryAfter: (opensAt - now) / 1000 };
  if (closesAt !== undefined && now >= closesAt) return { problem: 'closed', parameters: { closesAt: iso(closesAt) } };
  return undefined;
};

/** Refuses too many units in one purchase. */
const quantity: Check = ({ quantity }, { sale: { qualification } }) => {
  // The node would refuse what is over the buyer's limit, too; this saves asking it.
  const maxQuantity = Math.min(qualification.maxQuantity, qualification.perBuyer);
  if (quantity > maxQuantity) return { problem: 'quantity-limit', parameters: { maxQuantity, quantity } };
  return undefined;
};

/** Refuses by the lists; deny wins over allow. While a list has not been read, the buyer is told to try again. */
const lists: Check = ({ buyer }, { allow, deny }) => {
  if (allow?.known === false || deny?.known === false) return { problem: 'unavailable' };
  if (deny?.has(buyer)) return { problem: 'not-qualified', parameters: { why: 'You are excluded from this sale.' } };
  if (allow && !allow.has(buyer))
    return { problem: 'not-qualified', parameters: { why: 'This sale is for invited buyers only.' } };
  return undefined;
};

/**
 * Refuses by the rate limit. It is the last check because it counts: a buyer whom another check refused has used up
 * nothing.
 */
const rate: Check = ({ buyer, at }, { rate }) => refusalOfRate(rate, buyer, at);

/**
 * The checks of every purchase, even of one that is answered "sold out" from memory. They are cheap, and about the sale
 * itself.
 */
export const FIRST_CHECKS: readonly Check[] = [window, quantity];
/** The further checks of a purchase that may succeed. */
export const BUYER_CHECKS: readonly Check[] = [lists, rate];

export function qualify(checks: readonly Check[], attempt: Attempt, rules: Rules): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(attempt, rules);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
