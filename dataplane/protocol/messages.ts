// The five topics and what is said on them. Kafka is transport only: any message may be lost, repeated or
// reordered, and nothing may depend on one arriving. So a message carries lifetime totals or gap-free versions,
// and the incarnation of the sale; a reader drops another incarnation's, and a lower version's than it has.

import type {
  Epoch,
  Incarnation,
  Millis,
  NodeId,
  OrderId,
  SequenceNumber,
  ShardId,
  StockHolderId,
  Units,
  Version,
} from './units.ts';

export const TOPICS = ['deltas', 'levels', 'transfers', 'commands', 'orders'] as const;
export type Topic = (typeof TOPICS)[number];
/** Kept forever by key, so that a restarted reader rebuilds its table. */
export const COMPACTED: readonly Topic[] = ['deltas', 'levels'];
export const topicName = (prefix: string, topic: Topic): string => `${prefix}.${topic}`;

/** `deltas`, key = peer. The state of one shard (or the pool) after `version`, and what changed since the last report. */
export interface Delta {
  incarnation: Incarnation;
  peer: StockHolderId;
  /** The shard's own database: a re-created one starts its versions anew. */
  peerIncarnation: Incarnation;
  version: Version;
  /** The version of the report before; `delta` is the signed sum of the changes in (fromVersion, version] (R9, R12). */
  fromVersion: Version;
  delta: Units;
  available: Units;
  /** Lifetime totals. */
  sold: Units;
  cancelled: Units;
  /** Asked for by valid tokens and not there at that moment; and the largest single quantity of those. */
  missed: Units;
  missedMax: Units;
  /** Units ever sent, by final destination; a forward by the pool counts at its origin, not here. */
  sent: Partial<Record<StockHolderId, Units>>;
  /** Units ever received for good (the pool: only those whose final destination is the pool). */
  received: Units;
  /** The last version applied of each sender; senders repeat what is above it. */
  receivedVersions: Partial<Record<StockHolderId, Version>>;
  /** The newest command executed. */
  command: CommandId;
  /** Only the pool: what it owes to a lowered supply, and what it may deal out (available − owed, at least 0). */
  pool?: { owed: Units; dealable: Units; supplied: Units; target: Units };
}

/** `levels`, key = node. A cache node's own account of itself. */
export interface Level {
  incarnation: Incarnation;
  node: NodeId;
  epoch: Epoch;
  /** Counts this node's reports within the epoch; a reader drops a lower (epoch, sequence). */
  sequence: number;
  layout: number;
  paused: boolean;
  virtual: Units;
  liveTokens: number;
  liveUnits: Units;
  /** Units of live tokens by the shard they name. */
  pinned: Partial<Record<ShardId, Units>>;
  granted: Units;
  revoked: Units;
  /** Lifetime of this epoch, for status and metrics. */
  issued: SequenceNumber;
  settledUnits: Units;
  returnedUnits: Units;
}

/** `transfers`, key = receiving hop. Stock under way; applied only when the receiver's last version of `from` equals `previous`. */
export interface Transfer {
  incarnation: Incarnation;
  from: StockHolderId;
  fromIncarnation: Incarnation;
  /** The hop this message is for: the pool, or (from the pool) the final destination. */
  to: StockHolderId;
  /** Where the stock is to end: the pool forwards it in the transaction that receives it. */
  destination: StockHolderId;
  units: Units;
  version: Version;
  /** The sender's version of its transfer to this hop before; 0: none. */
  previous: Version;
}

/** Orders commands: a higher term wins, then a higher sequence. (0, 0) is before the first. */
export interface CommandId {
  term: number;
  sequence: number;
}

/** `commands`, key = source. R17: output shard and amount, input shards and amounts. Executed in one transaction (R20). */
export interface Command extends CommandId {
  incarnation: Incarnation;
  source: StockHolderId;
  legs: { destination: StockHolderId; units: Units }[];
}

export type OrderEventKind = 'placed' | 'paid' | 'cancelled' | 'refund-due';

/** `orders`, key = order. For the merchant; at least once, in version order per shard. */
export interface OrderEvent {
  incarnation: Incarnation;
  order: OrderId;
  shard: ShardId;
  version: Version;
  kind: OrderEventKind;
  buyer: string;
  quantity: Units;
  paymentId?: string;
  /** The shard's own clock. */
  at: Millis;
}

export const newer = (a: CommandId, b: CommandId): boolean =>
  a.term > b.term || (a.term === b.term && a.sequence > b.sequence);
