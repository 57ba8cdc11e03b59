// The interfaces of one shard's database: one method for each SQL function of dataplane/stores/shard/sql. They decide
// nothing. After a lost connection or a timeout a call rejects with StoreUnknown and the connection is destroyed: what
// was sent may have been done, and every function may be called again.

import type { Command, CommandId, Delta, OrderEvent, Transfer } from '../../protocol/messages.ts';
import type {
  BuyerId,
  Epoch,
  Incarnation,
  Millis,
  NodeId,
  SequenceNumber,
  StockHolderId,
  TokenId,
  Units,
  Version,
} from '../../protocol/units.ts';

export type OrderStatus =
  /** The order waits for payment until its deadline. */
  | 'placed'
  | 'paid'
  | 'cancelled'
  /** The sale has no payment deadline, so the order was done at checkout. */
  | 'final';

export interface Order {
  token: TokenId;
  buyer: BuyerId;
  quantity: Units;
  status: OrderStatus;
  /**
   * What is left of the payment deadline by the shard's clock, at least 0. It is absent where there is no deadline to
   * wait for.
   */
  payWithin?: Millis;
  paymentId?: string;
}

export interface CheckoutRow {
  token: TokenId;
  buyer: BuyerId;
  quantity: Units;
  node: NodeId;
  epoch: Epoch;
  sequence: SequenceNumber;
}

/**
 * What a checkout came to. With `known` the order existed already. With `short` the units are counted as missed, and
 * nothing is consumed.
 */
export type CheckoutOutcome = 'sold' | 'known' | 'cancelled' | 'expired' | 'short';

export interface ShardInfo {
  /** The incarnation of the sale that the shard has joined; undefined when it has joined none and must not be used. */
  incarnation: Incarnation | undefined;
  shardIncarnation: Incarnation;
}

/** The calls of storefronts (database role flashsale_storefront). */
export interface StorefrontShard {
  info(): Promise<ShardInfo>;
  /**
   * Checks out a batch with one row lock and one commit (R6, R26, R27). The outcomes are in the order of the rows.
   * Rejects with WrongIncarnation when the shard has joined another sale.
   */
  checkout(
    incarnation: Incarnation,
    rows: CheckoutRow[],
    paymentDeadline: Millis | undefined,
  ): Promise<CheckoutOutcome[]>;
  order(incarnation: Incarnation, token: TokenId): Promise<Order | undefined>;
  /** Pays an order (R31). With `refund` it was cancelled, or paid by another payment, and this payment is due back. */
  pay(
    incarnation: Incarnation,
    token: TokenId,
    buyer: BuyerId,
    paymentId: string,
  ): Promise<OrderAnswer<'paid' | 'refund'>>;
  cancel(incarnation: Incarnation, token: TokenId, buyer: BuyerId): Promise<OrderAnswer<'cancelled' | 'paid'>>;
  close(): Promise<void>;
}

/** The kind is `unknown` also when the order is another buyer's: that it exists is nobody else's business (R25). */
export type OrderAnswer<T extends string> = { kind: T | 'final'; order: Order } | { kind: 'unknown' };

/** The calls of cache agents (database role flashsale_cache). */
export interface CacheShard {
  info(): Promise<ShardInfo>;
  /**
   * Raises the node's low watermark (only upward), *then* reads which of the tokens have an order, even a cancelled
   * one. Resolves to undefined when the shard knows another epoch of the node: nothing was changed, and the list is
   * void.
   */
  closeTokens(
    incarnation: Incarnation,
    node: NodeId,
    epoch: Epoch,
    upTo: SequenceNumber,
    tokens: TokenId[],
  ): Promise<Set<TokenId> | undefined>;
  /** Raises the node's epoch (only upward) and, in the same transaction, sets its low watermark to 0. */
  raiseEpoch(incarnation: Incarnation, node: NodeId, epoch: Epoch): Promise<void>;
  /** Reads the units ever ordered through the node, cancelled ones too. */
  orderedThrough(incarnation: Incarnation, node: NodeId): Promise<Units>;
  /** Reads the units that each buyer ever ordered, cancelled ones too. */
  orderedByBuyer(incarnation: Incarnation): Promise<Map<BuyerId, Units>>;
  close(): Promise<void>;
}

/**
 * The state of a stock holder, read in one statement: what a report needs. `peerIncarnation` names one life of the
 * database, as in SQL.
 */
export interface ShardState {
  peerIncarnation: Incarnation;
  incarnation: Incarnation | undefined;
  version: Version;
  available: Units;
  sold: Units;
  cancelled: Units;
  missed: Units;
  missedMax: Units;
  sent: Partial<Record<StockHolderId, Units>>;
  received: Units;
  receivedVersions: Partial<Record<StockHolderId, Version>>;
  command: CommandId;
  /** Only the pool has this: the supply by the sale's registry, in the same snapshot. */
  pool?: NonNullable<Delta['pool']>;
}

/** The calls of the shard's own agent (database role flashsale_owner). The pool's database is one more shard. */
export interface AgentShard {
  /** Applies the numbered migrations that are missing; creates the shard's incarnation the first time. */
  migrate(): Promise<void>;
  /**
   * Records the sale's incarnation and copies the nodes' epochs, only upward. Rejects with WrongIncarnation when the
   * database has joined another sale, or when its own life is not `peerIncarnation`: it was made anew meanwhile.
   */
  join(
    incarnation: Incarnation,
    self: StockHolderId,
    peerIncarnation: Incarnation,
    epochs: { node: NodeId; epoch: Epoch }[],
  ): Promise<void>;
  state(): Promise<ShardState>;
  /**
   * Executes a command: all legs in one transaction, each with what was asked for or what is left (R17, R20, R22).
   * Resolves to the transfers, and to none for an old (term, sequence), which does nothing.
   */
  execute(command: Command): Promise<Transfer[]>;
  /**
   * Applies a transfer once, in order and without gaps; the pool forwards it in the same transaction. With `applied`
   * false it is a repeat, or a transfer before it is missing.
   */
  receive(transfer: Transfer): Promise<{ applied: boolean; forwarded: Transfer[] }>;
  /** Reads the transfers to one hop above a version, oldest first: those to be sent again. */
  transfersTo(hop: StockHolderId, above: Version, limit: number): Promise<Transfer[]>;
  /** Reads the outbox: the order events above the durable cursor, oldest first. */
  orderEvents(limit: number): Promise<OrderEvent[]>;
  /** Moves the outbox's cursor, only upward. */
  relayed(upTo: Version): Promise<void>;
  /** Cancels placed orders whose deadline has passed by the shard's clock. Resolves to how many. */
  cancelOverdue(limit: number): Promise<number>;
  close(): Promise<void>;
}

/** An order as it is now, with the version and the time of its placing, by the shard's own clock. */
export interface PlacedOrder extends Order {
  version: Version;
  placedAt: Millis;
}

export interface OrdersPage {
  /** Undefined while the shard has not joined a sale; then it has no orders. */
  incarnation: Incarnation | undefined;
  orders: PlacedOrder[];
  /** Every order up to this version was looked at. The next page begins after it. */
  upTo: Version;
  /** False when `upTo` is the shard's newest version. */
  more: boolean;
}

/** Which orders are wanted; those that are left out are looked at all the same, and move the cursor. */
export interface OrdersWanted {
  buyer?: BuyerId;
  /** Those placed at this time since 1970 or later, by the shard's own clock. */
  since?: Millis;
}

/** The calls of whoever exports orders (database role flashsale_audit, which may only read). */
export interface OrdersReader {
  /** Looks at up to `limit` orders placed after a version, in the order of placing. No order is skipped or repeated. */
  ordersPage(after: Version, limit: number, wanted: OrdersWanted): Promise<OrdersPage>;
  close(): Promise<void>;
}

/** The calls of the operator (database role flashsale_operator). */
export interface OperatorShard {
  /** Counts the order events that were not handed to the queue yet. */
  outboxBacklog(): Promise<number>;
  close(): Promise<void>;
}
