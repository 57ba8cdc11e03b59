// Who may purchase what, now (R3). A chain of small checks, in order; the first that refuses is the answer, and
// nothing was deducted and no token exists then (R5). Pure but for the rate limit, which counts. Two checks of R3 are
// elsewhere because only others know: the per-buyer limit is enforced by the cache node in the script that reserves,
// and the merchant's webhook is asked after this chain.

import type { SaleConfig } from '../protocol/config.ts';
import type { Refusal } from '../protocol/problems.ts';
import type { BuyerId, Millis, Units } from '../protocol/units.ts';

/** A set of buyers that may not have been read yet. */
export interface List {
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
  /** This machine's clock, since 1970. */
  now: Millis;
  /** By a clock that never goes back. */
  at: Millis;
}

export type Check = (attempt: Attempt, rules: Rules) => Refusal | undefined;

const iso = (at: Millis): string => new Date(at).toISOString();

/** The sale's window, by this machine's clock; its end is not part of it. */
const window: Check = ({ now }, { sale: { window } }) => {
  const { opensAt, closesAt } = window;
  if (opensAt !== undefined && now < opensAt)
    return { problem: 'not-open', parameters: { opensAt: iso(opensAt) }, retryAfter: (opensAt - now) / 1000 };
  if (closesAt !== undefined && now >= closesAt) return { problem: 'closed', parameters: { closesAt: iso(closesAt) } };
  return undefined;
};

/** Units in one purchase. */
const quantity: Check = ({ quantity }, { sale: { qualification } }) => {
  // The node would refuse what is over the buyer's limit, too; this saves asking it.
  const maxQuantity = Math.min(qualification.maxQuantity, qualification.perBuyer);
  if (quantity > maxQuantity) return { problem: 'quantity-limit', parameters: { maxQuantity, quantity } };
  return undefined;
};

/** Deny wins over allow. A list that was not read yet judges nobody: the buyer may try again. */
const lists: Check = ({ buyer }, { allow, deny }) => {
  if (allow?.known === false || deny?.known === false) return { problem: 'unavailable' };
  if (deny?.has(buyer)) return { problem: 'not-qualified', parameters: { why: 'You are excluded from this sale.' } };
  if (allow && !allow.has(buyer))
    return { problem: 'not-qualified', parameters: { why: 'This sale is for invited buyers only.' } };
  return undefined;
};

/** Last, because it counts: who is refused above pays nothing. */
const rate: Check = ({ buyer, at }, { rate }) => {
  const wait = rate?.take(buyer, at) ?? 0;
  if (wait === 0) return undefined;
  const seconds = Math.ceil(wait / 1000);
  return { problem: 'rate-limited', parameters: { seconds }, retryAfter: seconds };
};

/** What every purchase passes, even one that will be told "sold out" from memory: cheap, and of the sale itself. */
export const FIRST_CHECKS: readonly Check[] = [window, quantity];
/** What a purchase that may succeed passes besides. */
export const BUYER_CHECKS: readonly Check[] = [lists, rate];

export function qualify(checks: readonly Check[], attempt: Attempt, rules: Rules): Refusal | undefined {
  for (const check of checks) {
    const refusal = check(attempt, rules);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
