// The interfaces of one cache node: one method for each Lua script of dataplane/stores/cache-node/lua. They decide
// nothing and retry nothing: after a lost connection or a timeout a call rejects with StoreUnknown, because the script
// may have run.

import type {
  BuyerId,
  Epoch,
  Incarnation,
  Millis,
  NodeId,
  SequenceNumber,
  ShardId,
  TokenId,
  Units,
} from '../../protocol/units.ts';

/** What a node says it is. A recovery writes it last, so a node without an identity is not fit for use. */
export interface NodeIdentity {
  incarnation: Incarnation;
  node: NodeId;
  epoch: Epoch;
  /** The layout's number, and how many nodes it has: buyers' owner nodes are computed over that count. */
  layout: number;
  count: number;
  paused: boolean;
}

/** The part of an identity that a writer must know right. A call that names another one is refused as stale. */
export interface Expected {
  incarnation: Incarnation;
  epoch: Epoch;
}

/** Names a token to its node. A node keeps the newest token of each buyer, so the buyer is part of the name. */
export interface TokenRef {
  sequence: SequenceNumber;
  id: TokenId;
  buyer: BuyerId;
}

export interface TokenRecord extends TokenRef {
  quantity: Units;
  shard: ShardId;
  /** When the token is due, by the TIME of this node's Redis. */
  due: Millis;
  state: 'live' | 'settled';
}

export type ReserveReply =
  /**
   * With `fresh` false it is the buyer's live token of before (R27). `left` is its time to live by the node's clock.
   */
  | { kind: 'token'; token: TokenRecord; fresh: boolean; left: Millis }
  | { kind: 'stale'; identity: NodeIdentity | undefined }
  | { kind: 'paused' }
  /**
   * So many of the buyer's reservations lapsed that they have to wait: until then by the node's clock, which is `left`
   * from now.
   */
  | { kind: 'lapsed'; lapsed: number; until: Millis; left: Millis }
  | { kind: 'limit'; ordered: Units }
  | { kind: 'short'; virtual: Units };

/** The terms that all purchases of one call share. */
export interface ReserveTerms extends Expected {
  layout: number;
  ttl: Millis;
  /** The most units that one buyer may ever order. */
  perBuyer: Units;
  /** How many reservations of a buyer may lapse in a row before the buyer has to wait for `cooldown`. */
  mostLapsed: number;
  /** Counted from when the last of them was due. */
  cooldown: Millis;
}

export interface ReserveRequest {
  id: TokenId;
  buyer: BuyerId;
  quantity: Units;
  shard: ShardId;
}

/** The state of a node, read consistently by one script. */
export interface NodeState {
  identity: NodeIdentity;
  virtual: Units;
  granted: Units;
  revoked: Units;
  issued: SequenceNumber;
  closing: SequenceNumber;
  liveTokens: number;
  liveUnits: Units;
  pinned: Partial<Record<ShardId, Units>>;
  settledUnits: Units;
  returnedUnits: Units;
  /**
   * The units ever ordered through the node before this epoch: granted − revoked = virtual + liveUnits + settledUnits +
   * this.
   */
  orderedBefore: Units;
  /**
   * True when the identity is paused for a resize. It stays so until the node has taken a newer layout: no late agent
   * can set it selling again. (An identity paused by the resource alone is not enough to move a resize on.)
   */
  draining: boolean;
  /** This number rises with every change of the state, so that levels have an order that survives their reporter. */
  sequence: number;
}

export interface DueReply {
  /** Every token up to and including this sequence number is to end. It is 0 when nothing is due. */
  upTo: SequenceNumber;
  /** The last sequence number that this call looked at. The next page begins after it. */
  looked: SequenceNumber;
  /** True when as many numbers were looked at as asked for, so that there may be more behind them. */
  more: boolean;
  /** The live tokens among them, at most as many as asked for. */
  tokens: TokenRecord[];
  /** The time by the node's clock. */
  now: Millis;
}

/** A token that ends. `ordered` is true when the shard has an order for it, even a cancelled one. */
export interface EndedToken extends TokenRef {
  ordered: boolean;
}

/** The Redis process behind a node, and which users may use it. */
export interface NodeServer {
  /** Names one run of the process: it is another one after every start. */
  run: string;
  /** The run in which the newest recovery began, or undefined when none ever did. */
  recoveredIn: string | undefined;
  /** How many of the users are on, not counting the agent's own. */
  users: 'all' | 'some' | 'none';
}

/**
 * Tells whether an identity lets purchases through. With `draining` it is paused until a newer layout is taken,
 * whatever any agent asks for.
 */
export type PurchaseMode = 'selling' | 'paused' | 'draining';

/** The calls of storefronts (Redis user `storefront`). */
export interface StorefrontNode {
  identity(): Promise<NodeIdentity | undefined>;
  /**
   * Deducts the units and writes the token of each request, or does nothing for it (R4, R5, R27). The requests are
   * carried out one after the other in one script, and the replies are in their order.
   */
  reserve(terms: ReserveTerms, requests: readonly ReserveRequest[]): Promise<ReserveReply[]>;
  /**
   * Reads each buyer's newest token in one command (R6). It is undefined where the buyer has none, or it was returned.
   */
  tokens(buyers: readonly BuyerId[]): Promise<(TokenRecord | undefined)[]>;
  /** Makes live tokens settled. Any other token is left as it is. */
  settle(expected: Expected, tokens: readonly TokenRef[]): Promise<void>;
  close(): Promise<void>;
}

/** The calls of the pool's agent (Redis user `pool`). */
export interface PoolNode {
  state(): Promise<NodeState | undefined>;
  /**
   * Lowers virtual stock by up to `units` and raises the lifetime total `revoked` by the same. Resolves to undefined
   * when stale.
   */
  revoke(expected: Expected, units: Units): Promise<{ revoked: Units; virtual: Units } | undefined>;
  /**
   * Raises virtual stock by the difference of the total to what was applied before, if it is higher. Resolves to false
   * when stale.
   */
  grant(expected: Expected, grantedTotal: Units): Promise<boolean>;
  close(): Promise<void>;
}

/** The calls of the node's own agent (Redis user `agent`). */
export interface AgentNode extends PoolNode {
  server(): Promise<NodeServer>;
  /**
   * Turns the users on if the server is still the run that was found fit and the identity still begins like this one.
   * Resolves to true when they are on. It is all done on one connection, so that a restart in between cannot be missed.
   */
  enable(run: string, identity: NodeIdentity): Promise<boolean>;
  /** Turns the users off and ends their connections. */
  disable(): Promise<void>;
  /**
   * Changes the mode of the identity. Resolves to false when stale, or when it is draining and is asked for anything
   * else.
   */
  setMode(identity: NodeIdentity, mode: PurchaseMode): Promise<boolean>;
  /**
   * Finds the longest prefix of tokens that are due or not live, looking at most at `limit` sequence numbers above
   * `after` (and above those known not to be live any more), and stores its end as `closing`. Resolves to undefined
   * when stale.
   */
  due(expected: Expected, after: SequenceNumber, limit: number): Promise<DueReply | undefined>;
  /**
   * Ends live tokens (R28): ordered ones are settled; the others are returned, and their units are virtual stock again.
   * Resolves to false when stale.
   */
  finish(expected: Expected, tokens: EndedToken[]): Promise<boolean>;
  /**
   * Step 2 of a recovery: flushes everything. Resolves to false when a recovery of this or a newer epoch began here
   * before.
   */
  beginRecovery(incarnation: Incarnation, epoch: Epoch): Promise<boolean>;
  /**
   * Step 5, in as many calls as needed: writes the units that buyers ever ordered. Resolves to false when another
   * recovery runs.
   */
  recoverBuyers(incarnation: Incarnation, epoch: Epoch, ordered: [BuyerId, Units][]): Promise<boolean>;
  /**
   * The end of step 5: writes the numbers and the identity. Resolves to false when another recovery runs, or the server
   * restarted meanwhile.
   */
  endRecovery(identity: NodeIdentity, mode: PurchaseMode, totals: RecoveredTotals): Promise<boolean>;
}

export interface RecoveredTotals {
  granted: Units;
  revoked: Units;
  /** The units ever ordered through this node. Virtual stock is what is left. */
  ordered: Units;
}

/** The calls of the audit (Redis user `audit`), which reads everything and writes nothing. */
export interface AuditNode {
  state(): Promise<NodeState | undefined>;
  /**
   * Reads every buyer's record page by page, in no order. The records are not consistent with `state` while the node is
   * used.
   */
  buyers(): AsyncIterable<BuyerRecord[]>;
  close(): Promise<void>;
}

export interface Lapses {
  count: number;
  /** When the last of them was due, by the node's clock. */
  last: Millis;
}

export interface BuyerRecord {
  buyer: BuyerId;
  /** The units that the buyer ever ordered. */
  ordered: Units;
  /** The reservations that lapsed since the buyer's last order; undefined when none did, or the node has forgotten. */
  lapses: Lapses | undefined;
  /** The buyer's newest token; undefined when it was returned or is of an older epoch. */
  token: TokenRecord | undefined;
}
