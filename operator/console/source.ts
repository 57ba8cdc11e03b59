// What the console shows, and the one interface by which a host (the operator in a cluster, the supervisor on one
// machine) provides it. Plain data that travels as JSON, with no buyer, no secret and no address in it. Whatever is
// absent is not known, and is shown so: never as zero.

import type { Dispersion } from '../../dataplane/protocol/table.ts';
import type { Millis, NodeId, ShardId, StockHolderId, Units } from '../../dataplane/protocol/units.ts';
import type { ConditionStatus, FlashSaleStatus } from '../api/flashsale.gen.ts';
import type { AuditReport } from '../audit/check.ts';

/** The key of a sale: `namespace/name`. */
export type SaleKey = string;
export const saleKey = (namespace: string, name: string): SaleKey => `${namespace}/${name}`;

/** A host that cannot tell at the moment throws this, from any of the below, with a sentence for whoever looks. */
export class Unavailable extends Error {}

export interface SaleSource {
  /** Every sale there is; asked about once a second, so from memory. */
  list(): SaleSummary[] | Promise<SaleSummary[]>;
  /** Reads one sale, about once a second while anybody watches it. Returns undefined when there is no such sale. */
  snapshot(key: SaleKey): SaleSnapshot | undefined | Promise<SaleSnapshot | undefined>;
  /** Counts every unit in the stores themselves. Never runs twice at once for one sale. Absent: not offered. */
  audit?(key: SaleKey): Promise<AuditReport>;
}

/** A sale among others, and what its curve is made of. */
export interface SaleSummary {
  namespace: string;
  name: string;
  sku: string;
  phase?: FlashSaleStatus['phase'];
  /** What should be supplied in all. */
  stock: Units;
  sold?: Units;
  /** Unsold, in the shards and the pool. */
  available?: Units;
  /** Units on the cache nodes that no token has reserved. */
  virtual?: Units;
}

export interface SaleSnapshot extends SaleSummary {
  /** When the snapshot was taken, by the host's clock, as are all times below. */
  at: Millis;
  /** What keeps the sale from being as its resource says, in a few words. */
  waitingFor?: string;
  conditions?: ConditionStatus[];
  window: { opensAt?: Millis; closesAt?: Millis };
  /** Since when buyers can buy: the window's opening, or for a sale without one, when it was there. */
  openSince?: Millis;
  supplied?: Units;
  /** Units reserved by tokens that were not checked out yet. */
  tokensLive?: Units;
  /** Units that left one shard and have not reached the other. */
  inTransfer?: Units;
  shards?: ShardRow[];
  pool?: PoolRow;
  nodes?: NodeRow[];
  dispersion?: Dispersion;
  /** Lifetime units that went from one stock holder to another (final destinations); what is new since the last is a transfer. */
  flows?: Flow[];
  storefronts?: { ready: number; wanted: number };
  traffic?: Traffic;
}

export interface ShardRow {
  id: ShardId;
  ready?: boolean;
  available?: Units;
  /** Units of those that live tokens were promised; there may be more than the shard has while stock is on its way. */
  pinned?: Units;
  sold?: Units;
  /** Units on their way here. */
  inFlight?: Units;
}

export interface PoolRow {
  ready?: boolean;
  available: Units;
  inFlight: Units;
  /** Taken back by a lowered stock, and to leave the sale. */
  owed: Units;
}

export interface NodeRow {
  id: NodeId;
  ready?: boolean;
  epoch?: number;
  virtual?: Units;
  tokensLive?: Units;
  paused?: boolean;
}

export interface Flow {
  from: StockHolderId;
  to: StockHolderId;
  units: Units;
}

/** What the storefronts counted since they started, added up. */
export interface Traffic {
  /** How many of them could be asked, and how many there are. */
  storefronts: { read: number; of: number };
  purchases: Operation;
  checkouts: Operation;
}

export interface Operation {
  /** Answers by outcome: a success of its own kind, or the code of the problem (docs/errors.md). */
  outcomes: Record<string, number>;
  /** How many answers took at most `upTo` seconds, cumulative; the last, without `upTo`, is all of them. */
  seconds: { upTo?: number; count: number }[];
}

/** What a curve is drawn from: one moment of a sale. */
export interface Sample {
  at: Millis;
  sold: Units;
  available: Units;
  virtual: Units;
}
