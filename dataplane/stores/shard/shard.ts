// The typed way to talk to one shard's database: one method per SQL function of dataplane/stores/shard/sql. Decides
// nothing. A lost connection or a timeout rejects with StoreUnknown and the connection is destroyed: what was sent
// may have been done, and every function is safe to call again.

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
  /** Waits for payment until its deadline. */
  | 'placed'
  | 'paid'
  | 'cancelled'
  /** The sale has no payment deadline: done at checkout. */
  | 'final';

export interface Order {
  token: TokenId;
  buyer: BuyerId;
  quantity: Units;
  status: OrderStatus;
  /** What is left of the payment deadline by the shard's clock, at least 0; absent: none. */
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

/** In the order of the rows. `known`: the order existed already. `short`: counted as missed, nothing consumed. */
export type CheckoutOutcome = 'sold' | 'known' | 'cancelled' | 'expired' | 'short';

export interface ShardInfo {
  /** The sale's incarnation this shard joined; undefined: not joined yet, not to be used. */
  incarnation: Incarnation | undefined;
  shardIncarnation: Incarnation;
}

/** For storefronts (role flashsale_storefront). */
export interface StorefrontShard {
  info(): Promise<ShardInfo>;
  /** One row lock, one commit for the whole batch (R6, R26, R27). Rejects with WrongIncarnation for another sale's. */
  checkout(
    incarnation: Incarnation,
    rows: CheckoutRow[],
    paymentDeadline: Millis | undefined,
  ): Promise<CheckoutOutcome[]>;
  order(incarnation: Incarnation, token: TokenId): Promise<Order | undefined>;
  /** R31. `refund`: the order was cancelled, or was paid by another payment: this payment is due back. */
  pay(
    incarnation: Incarnation,
    token: TokenId,
    buyer: BuyerId,
    paymentId: string,
  ): Promise<OrderAnswer<'paid' | 'refund'>>;
  cancel(incarnation: Incarnation, token: TokenId, buyer: BuyerId): Promise<OrderAnswer<'cancelled' | 'paid'>>;
  close(): Promise<void>;
}

/** `unknown` also when the order is another buyer's: its existence is nobody else's business (R25). */
export type OrderAnswer<T extends string> = { kind: T | 'final'; order: Order } | { kind: 'unknown' };

/** For cache agents (role flashsale_cache). */
export interface CacheShard {
  info(): Promise<ShardInfo>;
  /**
   * Raises low watermark (only upward), *then* reads which tokens have an order, cancelled ones too.
   * Undefined: the shard knows another epoch of the node; nothing was changed and the list is void.
   */
  closeTokens(
    incarnation: Incarnation,
    node: NodeId,
    epoch: Epoch,
    upTo: SequenceNumber,
    tokens: TokenId[],
  ): Promise<Set<TokenId> | undefined>;
  /** Raises the node's epoch (only upward) and, in the same transaction, sets low watermark to 0. */
  raiseEpoch(incarnation: Incarnation, node: NodeId, epoch: Epoch): Promise<void>;
  /** Units ever ordered through the node, cancelled ones too. */
  orderedThrough(incarnation: Incarnation, node: NodeId): Promise<Units>;
  /** Units ever ordered by each buyer, cancelled ones too. */
  orderedByBuyer(incarnation: Incarnation): Promise<Map<BuyerId, Units>>;
  close(): Promise<void>;
}

/** What a delta message needs, read in one statement. */
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
  /** Only the pool: of its registry, in the same snapshot. */
  pool?: NonNullable<Delta['pool']>;
}

/** For the shard's own agent (role flashsale_owner). The pool's database is one more shard. */
export interface AgentShard {
  /** Applies the numbered migrations that are missing; creates the shard's incarnation the first time. */
  migrate(): Promise<void>;
  /** Records the sale's incarnation and copies the nodes' epochs, only upward. Refuses to change the incarnation. */
  join(incarnation: Incarnation, self: StockHolderId, epochs: { node: NodeId; epoch: Epoch }[]): Promise<void>;
  state(): Promise<ShardState>;
  /** R17, R20, R22: all legs in one transaction, each min(asked, what is left); an old (term, sequence) does nothing: []. */
  execute(command: Command): Promise<Transfer[]>;
  /**
   * Applies in order, once, without gaps; the pool forwards in the same transaction and answers what it sent on.
   * `applied` false: a repeat, or something before it is missing.
   */
  receive(transfer: Transfer): Promise<{ applied: boolean; forwarded: Transfer[] }>;
  /** Transfers to one hop above a version, oldest first: what is to be sent again. */
  transfersTo(hop: StockHolderId, above: Version, limit: number): Promise<Transfer[]>;
  /** Order events above the durable cursor, oldest first. */
  orderEvents(limit: number): Promise<OrderEvent[]>;
  /** Moves the cursor, only upward. */
  relayed(upTo: Version): Promise<void>;
  /** Cancels placed orders whose deadline has passed by the shard's clock; answers how many. */
  cancelOverdue(limit: number): Promise<number>;
  close(): Promise<void>;
}
