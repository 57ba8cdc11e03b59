// What every whole sale in a test must end with, whatever was done to it: every unit where a row says, none sold
// twice, none stranded, no order lost, nobody sent away while there was stock, and everything sold that was asked for.
// Judged from the stores themselves by the audit, and from what the buyers were told.

import { expect } from 'vitest';
import type { Millis, Units } from '../../dataplane/protocol/units.ts';
import { audit } from '../../operator/audit/audit.ts';
import type { AuditReport } from '../../operator/audit/check.ts';
import type { Tally } from '../../operator/load/tally.ts';
import type { TestSale } from './sale.ts';

export interface Expected {
  /** Units in orders that stand: the smaller of the supply and what qualified buyers asked for. */
  sold: Units;
  /** Default: what the resource's stock is now. */
  supplied?: Units;
  /** Orders cancelled on the way, in units. */
  cancelled?: Units;
  /** Units of orders that no crowd placed. */
  byHand?: Units;
  /** False: stock came back after it had rightly been called sold out. */
  checkSoldOut?: boolean;
  /** For live tokens to end and stock in flight to arrive. */
  timeout?: Millis;
}

/** `tallies`: of every crowd the sale has had. Everything is compared at once, so that a failure shows the whole. */
export async function expectVerdict(
  sale: Pick<TestSale, 'config' | 'secret'>,
  tallies: Tally | Tally[],
  expected: Expected,
): Promise<AuditReport> {
  const {
    sold,
    cancelled = 0,
    byHand = 0,
    supplied = sale.config.stock,
    checkSoldOut = true,
    timeout = 40_000,
  } = expected;
  const crowds = [tallies].flat();
  const report = await audit(() => sale, { timeout, settled: true });
  const total = (of: (tally: Tally) => number) => crowds.reduce((sum, tally) => sum + of(tally), 0);
  const left = supplied - sold;
  expect({
    conserved: report.conserved,
    findings: report.findings,
    supplied: report.supplied,
    sold: report.sold,
    cancelled: report.cancelled,
    oversold: report.oversold,
    stranded: report.stranded,
    missing: report.missing,
    duplicateOrders: report.duplicateOrders,
    inFlight: report.inFlight,
    liveTokens: report.liveTokens,
    unsold: report.available + report.pool,
    // What is left can be bought: as virtual stock on some node.
    virtual: report.virtual,
    // Every order somebody was told of is there, and nobody has one without being told.
    told: total((tally) => tally.sold) + byHand,
    falseSoldOut: checkSoldOut ? total((tally) => tally.falseSoldOuts()) : 0,
    errors: crowds.flatMap((tally) => [...tally.errors]),
  }).toEqual({
    conserved: true,
    findings: [],
    supplied,
    sold,
    cancelled,
    oversold: 0,
    stranded: 0,
    missing: 0,
    duplicateOrders: 0,
    inFlight: 0,
    liveTokens: 0,
    unsold: left,
    virtual: left,
    told: sold + cancelled,
    falseSoldOut: 0,
    errors: [],
  });
  return report;
}
