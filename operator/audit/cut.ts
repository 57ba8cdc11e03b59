// A consistent cut through ledgers that were read at slightly different moments of a sale that goes on. Pure.
//
// A snapshot of one database is exact; two of them are not of the same instant, so one may have received what the
// other, read earlier, has not sent yet. Every change is in a ledger, so each database can be taken back to an earlier
// version: the cut lowers a receiver to just before the first transfer that its sender's cut does not know, until
// none is left. What remains is a state the sale could have been in at one instant, with every unit in its place.

import type { StockHolderId, Version } from '../../dataplane/protocol/units.ts';

export interface Receipt {
  /** The receiver's own version. */
  version: Version;
  from: StockHolderId;
  /** The sender's version. */
  sent: Version;
}

export interface LedgerEnds {
  peer: StockHolderId;
  version: Version;
  receipts: Receipt[];
}

/** The version to read each database at. */
export function consistentCut(ledgers: LedgerEnds[]): Map<StockHolderId, Version> {
  const cut = new Map<StockHolderId, Version>(ledgers.map((l) => [l.peer, l.version]));
  for (let moved = true; moved; ) {
    moved = false;
    for (const ledger of ledgers) {
      const own = cut.get(ledger.peer) ?? 0;
      const unsent = ledger.receipts.filter((r) => r.version <= own && r.sent > (cut.get(r.from) ?? 0));
      if (unsent.length === 0) continue;
      cut.set(ledger.peer, Math.min(...unsent.map((r) => r.version)) - 1);
      moved = true;
    }
  }
  return cut;
}
