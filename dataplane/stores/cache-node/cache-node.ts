// The typed way to talk to one cache node: one method per Lua script of dataplane/stores/cache-node/lua. Decides nothing,
// retries nothing: a lost connection or a timeout rejects with StoreUnknown, because the script may have run.

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

/** What the node says it is. Written last by recovery, so a node without one is not fit for use. */
export interface NodeIdentity {
  incarnation: Incarnation;
  node: NodeId;
  epoch: Epoch;
  /** Layout number and how many nodes it has; buyers' homes are computed over that count. */
  layout: number;
  count: number;
  paused: boolean;
}

/** The part of an identity a writer must know right; anything else is refused as stale. */
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
  /** Redis TIME of this node. */
  due: Millis;
  state: 'live' | 'settled';
}

export type ReserveReply =
  /** `fresh` false: the buyer's live token of before (R27). `left`: time to live by the node's clock. */
  | { kind: 'token'; token: TokenRecord; fresh: boolean; left: Millis }
  | { kind: 'stale'; identity: NodeIdentity | undefined }
  | { kind: 'paused' }
  | { kind: 'limit'; ordered: Units }
  | { kind: 'short'; virtual: Units };

/** What all purchases of one call share. */
export interface ReserveTerms extends Expected {
  layout: number;
  ttl: Millis;
  /** Units one buyer may ever order. */
  perBuyer: Units;
}

export interface ReserveRequest {
  id: TokenId;
  buyer: BuyerId;
  quantity: Units;
  shard: ShardId;
}

/** A consistent reading of the node, by one script. */
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
  /** Units ever ordered through the node before this epoch: granted − revoked = virtual + liveUnits + settledUnits + this. */
  orderedBefore: Units;
  /**
   * The identity is paused for a resize and stays so until the node has taken a newer layout: no late agent can set it
   * selling again. (An identity paused by the resource alone is not enough to move a resize on.)
   */
  draining: boolean;
  /** Rises with every change of the state, so that levels have an order that survives their reporter. */
  sequence: number;
}

export interface DueReply {
  /** Everything issued up to and including this number is to end. 0: nothing is due. */
  upTo: SequenceNumber;
  /** How far this call looked; the next page begins after it. */
  looked: SequenceNumber;
  /** Everything asked for was looked at: there may be more behind it. */
  more: boolean;
  /** The live ones among them, at most as many as asked for. */
  tokens: TokenRecord[];
  /** Of the node's clock. */
  now: Millis;
}

/** `ordered`: the shard has an order for it, cancelled ones too. */
export interface EndedToken extends TokenRef {
  ordered: boolean;
}

/** The Redis process behind a node, and which users may use it. */
export interface NodeServer {
  /** Another one after every start of the process. */
  run: string;
  /** The run in which the newest recovery began; undefined: none ever did. */
  recoveredIn: string | undefined;
  /** How many of the users are on, the agent's own apart. */
  users: 'all' | 'some' | 'none';
}

/** Whether an identity lets purchases through. `draining`: paused until a newer layout is taken, whatever anybody says. */
export type PurchaseMode = 'selling' | 'paused' | 'draining';

/** For storefronts (user `storefront`). */
export interface StorefrontNode {
  identity(): Promise<NodeIdentity | undefined>;
  /**
   * R4, R5, R27: deducts and writes the token, or does nothing; one request after the other, in one script. Answers in
   * their order.
   */
  reserve(terms: ReserveTerms, requests: readonly ReserveRequest[]): Promise<ReserveReply[]>;
  /** R6: the newest token of each of these buyers, in their order; undefined: none, or it was returned. One command. */
  tokens(buyers: readonly BuyerId[]): Promise<(TokenRecord | undefined)[]>;
  /** Live → settled. Anything else is left as it is. */
  settle(expected: Expected, tokens: readonly TokenRef[]): Promise<void>;
  close(): Promise<void>;
}

/** For the pool's agent (user `pool`). */
export interface PoolNode {
  state(): Promise<NodeState | undefined>;
  /** Lowers V by up to `units` and raises the lifetime total `revoked`; answers the total, or undefined: stale. */
  revoke(expected: Expected, units: Units): Promise<{ revoked: Units; virtual: Units } | undefined>;
  /** V += total − granted applied, if the total is higher. False: stale. */
  grant(expected: Expected, grantedTotal: Units): Promise<boolean>;
  close(): Promise<void>;
}

/** For the node's own agent (user `agent`). */
export interface AgentNode extends PoolNode {
  server(): Promise<NodeServer>;
  /**
   * Turns the users on if the server is still the run that was judged and the identity still begins like this one;
   * answers whether they are on. All on one connection, so that a restart between cannot be missed.
   */
  enable(run: string, identity: NodeIdentity): Promise<boolean>;
  /** Turns the users off and ends their connections. */
  disable(): Promise<void>;
  /** False: stale, or draining and asked for anything else. */
  setMode(identity: NodeIdentity, mode: PurchaseMode): Promise<boolean>;
  /**
   * The longest prefix of what is live and due, looking at most at `limit` numbers above `after` (and above what is
   * known not to be live any more); its end is stored as `closing`. Undefined: stale.
   */
  due(expected: Expected, after: SequenceNumber, limit: number): Promise<DueReply | undefined>;
  /** R28: live tokens end: ordered → settled; others → returned, their units virtual stock again. False: stale. */
  finish(expected: Expected, tokens: EndedToken[]): Promise<boolean>;
  /** Step 2: flushes everything, unless a recovery of this or a newer epoch began here before (false). */
  beginRecovery(incarnation: Incarnation, epoch: Epoch): Promise<boolean>;
  /** Step 5, in as many calls as needed. False: not this recovery any more. */
  recoverBuyers(incarnation: Incarnation, epoch: Epoch, ordered: [BuyerId, Units][]): Promise<boolean>;
  /** Step 5, the end: the numbers and the identity. False: not this recovery any more, or the server restarted during it. */
  endRecovery(identity: NodeIdentity, mode: PurchaseMode, totals: RecoveredTotals): Promise<boolean>;
}

export interface RecoveredTotals {
  granted: Units;
  revoked: Units;
  /** Through this node, ever. Virtual stock is what is left. */
  ordered: Units;
}

/** For the audit (user `audit`): reads everything, writes nothing. */
export interface AuditNode {
  state(): Promise<NodeState | undefined>;
  /** Every buyer's record, in no order, page by page; not consistent with `state` while the node is used. */
  buyers(): AsyncIterable<BuyerRecord[]>;
  close(): Promise<void>;
}

export interface BuyerRecord {
  buyer: BuyerId;
  /** Units ever ordered. */
  ordered: Units;
  /** The newest token, unless it was returned or is of an older epoch. */
  token: TokenRecord | undefined;
}
