// The five topics and the messages on them. Kafka is transport only: any message may be lost, repeated or reordered,
// and nothing may depend on one arriving. So a message carries lifetime totals or gap-free versions, and the
// incarnation of the sale. A reader drops messages of another incarnation, and those of a lower version than it has.

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
/** The topics that keep the last message of every key, so that a restarted reader rebuilds its table. */
export const COMPACTED: readonly Topic[] = ['deltas', 'levels'];
export const topicName = (prefix: string, topic: Topic): string => `${prefix}.${topic}`;

/**
 * The messages of `deltas`, keyed by `peer`: the state of one stock holder after `version`, and what changed since the
 * report before. A stock holder is a shard or the transfer pool; the fields named `peer` name one, as the columns in
 * SQL do.
 */
export interface Delta {
  incarnation: Incarnation;
  peer: StockHolderId;
  /** Names one life of the stock holder's database: a re-created database starts its versions anew. */
  peerIncarnation: Incarnation;
  version: Version;
  /** The version of the report before; `delta` is the signed sum of the changes in (fromVersion, version] (R9, R12). */
  fromVersion: Version;
  delta: Units;
  available: Units;
  /** The lifetime totals of units ordered, and of those cancelled. */
  sold: Units;
  cancelled: Units;
  /**
   * The lifetime total of units that valid tokens asked for and that were not there, and the largest single quantity of
   * those.
   */
  missed: Units;
  missedMax: Units;
  /** The units ever sent, by final destination. What the pool forwards counts at its origin, not at the pool. */
  sent: Partial<Record<StockHolderId, Units>>;
  /** The units ever received for good; for the pool, only those whose final destination is the pool. */
  received: Units;
  /** The version last applied of each sender. Senders repeat what is above it. */
  receivedVersions: Partial<Record<StockHolderId, Version>>;
  /** The newest command that was executed. */
  command: CommandId;
  /**
   * Only the pool reports what it owes to a lowered supply, and what may be allocated to shards (available − owed, at
   * least 0).
   */
  pool?: { owed: Units; allocatable: Units; supplied: Units; target: Units };
}

/** The messages of `levels`, keyed by node: what a cache node holds, as it counts itself. */
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
  /** The units of live tokens, by the shard that they name. */
  pinned: Partial<Record<ShardId, Units>>;
  granted: Units;
  revoked: Units;
  /** `issued`, `settledUnits` and `returnedUnits` are totals of this epoch, for status and metrics. */
  issued: SequenceNumber;
  settledUnits: Units;
  returnedUnits: Units;
}

/**
 * The messages of `transfers`, keyed by the receiving hop: stock under way. A transfer is applied only when the
 * receiver's last version of `from` equals `previous`.
 */
export interface Transfer {
  incarnation: Incarnation;
  from: StockHolderId;
  fromIncarnation: Incarnation;
  /** The hop this message is for: the pool, or (from the pool) the final destination. */
  to: StockHolderId;
  /** The final destination. The pool forwards stock in the transaction that receives it. */
  destination: StockHolderId;
  units: Units;
  version: Version;
  /** The version of the sender's transfer to this hop before; 0 when there was none. */
  previous: Version;
}

/** Gives commands an order: a higher term wins, then a higher sequence. (0, 0) is before the first command. */
export interface CommandId {
  term: number;
  sequence: number;
}

/**
 * The messages of `commands`, keyed by source: the output shard, and the input shards with their amounts (R17). A
 * command is executed in one transaction (R20).
 */
export interface Command extends CommandId {
  incarnation: Incarnation;
  source: StockHolderId;
  legs: { destination: StockHolderId; units: Units }[];
}

export type OrderEventKind = 'placed' | 'paid' | 'cancelled' | 'refund-due';

/**
 * One row of a shard's outbox: a change of an order. A shard relays it to the merchant as a CloudEvent (order-event.ts)
 * on the topic `orders`, keyed by order, at least once, in the order of versions.
 */
export interface OrderEvent {
  incarnation: Incarnation;
  order: OrderId;
  shard: ShardId;
  version: Version;
  kind: OrderEventKind;
  buyer: string;
  quantity: Units;
  paymentId?: string;
  /** The time since 1970 by the shard's own clock. */
  at: Millis;
}

/** Returns true when command `a` is newer than `b`. */
export const newer = (a: CommandId, b: CommandId): boolean =>
  a.term > b.term || (a.term === b.term && a.sequence > b.sequence);
