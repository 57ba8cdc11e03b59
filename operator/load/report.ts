// The report of a run: what scripts read (`--report FILE`, `-o json`). Its fields are a contract.

import type { AuditReport } from '../audit/check.ts';
import type { Percentiles, Tally } from './tally.ts';

export interface LoadReport {
  stock: number;
  buyers: number;
  /** Purchase requests that were answered, duplicate clicks and retries included. */
  purchases: number;
  /** How many tokens buyers were given. */
  tokens: number;
  /** Duplicate clicks that were answered with the same token. */
  duplicates: number;
  abandoned: number;
  /** Units that came back from tokens which ended unsold. */
  returned: number;
  orders: number;
  /** Units sold, cancelled ones not. */
  sold: number;
  /** Answers that told a buyer to come back because too many asked at once; each came back. */
  busy: number;
  /** Buyers whose last answer was "sold out". */
  soldOut: number;
  /** Buyers told so, for good, although somebody who asked later got a unit; and valid tokens refused for good. */
  falseSoldOut: number;
  errors: number;
  /** Purchases in the busiest second. */
  purchasesPerSecond: number;
  checkoutsPerSecond: number;
  /** The time from the moment the buyer meant to ask until the answer. */
  purchaseMs: Percentiles;
  checkoutMs: Percentiles;
  /** The time from the command until the sale was open; 0 when it was open already. */
  startSeconds: number;
  /** The time from the first arrival until the last unit was sold. */
  sellOutSeconds: number;
  audit: Pick<AuditReport, 'conserved' | 'oversold' | 'stranded' | 'missing' | 'duplicateOrders'>;
}

export function loadReport(
  tally: Tally,
  audit: AuditReport,
  given: { buyers: number; startSeconds: number },
): LoadReport {
  const { conserved, oversold, stranded, missing, duplicateOrders } = audit;
  return {
    stock: audit.supplied,
    buyers: given.buyers,
    purchases: tally.purchases,
    tokens: tally.tokens,
    duplicates: tally.duplicates,
    abandoned: tally.abandoned,
    returned: audit.returned,
    orders: tally.orders,
    sold: audit.sold,
    busy: tally.problems.get('busy') ?? 0,
    soldOut: tally.soldOut,
    falseSoldOut: tally.falseSoldOuts(),
    errors: tally.errorCount,
    purchasesPerSecond: tally.busiest('purchases'),
    checkoutsPerSecond: tally.busiest('checkouts'),
    purchaseMs: tally.percentiles('purchases'),
    checkoutMs: tally.percentiles('checkouts'),
    startSeconds: Math.round(given.startSeconds * 10) / 10,
    sellOutSeconds: Math.round(tally.lastSale / 100) / 10,
    audit: { conserved, oversold, stranded, missing, duplicateOrders },
  };
}
