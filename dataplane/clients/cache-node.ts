// The typed way to talk to one cache node: one method per Lua script of dataplane/cache/lua. Decides nothing,
// retries nothing: a lost connection or a timeout rejects with StoreUnknown, because the script may have run.

import type {
  BuyerId,
  Epoch,
  Incarnation,
  IssueNumber,
  Millis,
  NodeId,
  ShardId,
  TokenId,
  Units,
} from '../protocol/units.ts';

/** What the node says it is. Written last by recovery, so a node without one is not fit for use. */
export interface Stamp {
  incarnation: Incarnation;
  node: NodeId;
  epoch: Epoch;
  /** Layout number and how many nodes it has; buyers' homes are computed over that count. */
  layout: number;
  count: number;
  paused: boolean;
}

/** The part of a stamp a writer must know right; anything else is refused as stale. */
export interface Expected {
  incarnation: Incarnation;
  epoch: Epoch;
}

export interface TokenRecord {
  issue: IssueNumber;
  id: TokenId;
  buyer: BuyerId;
  quantity: Units;
  shard: ShardId;
  /** Redis TIME of this node. */
  due: Millis;
  state: 'live' | 'settled';
}

export type ReserveReply =
  /** `fresh` false: the buyer's live token of before (R27). `left`: time to live by the node's clock. */
  | { kind: 'token'; token: TokenRecord; fresh: boolean; left: Millis }
  | { kind: 'stale'; stamp: Stamp | undefined }
  | { kind: 'paused' }
  | { kind: 'limit'; ordered: Units }
  | { kind: 'short'; virtual: Units; liveUnits: Units };

export interface ReserveRequest extends Expected {
  layout: number;
  id: TokenId;
  buyer: BuyerId;
  quantity: Units;
  shard: ShardId;
  ttl: Millis;
  /** Units one buyer may ever order. */
  perBuyer: Units;
}

/** A consistent reading of the node, by one script. */
export interface NodeState {
  stamp: Stamp;
  virtual: Units;
  granted: Units;
  revoked: Units;
  issued: IssueNumber;
  closing: IssueNumber;
  liveTokens: number;
  liveUnits: Units;
  pinned: Partial<Record<ShardId, Units>>;
  settledUnits: Units;
  returnedUnits: Units;
}

export interface DueReply {
  stamp: Stamp;
  /** Everything issued up to and including this number is to end. 0: nothing is due. */
  upTo: IssueNumber;
  /** The live ones among them, at most as many as asked for. */
  tokens: TokenRecord[];
}

/** For storefronts (user `storefront`). */
export interface StorefrontNode {
  stamp(): Promise<Stamp | undefined>;
  /** R4, R5, R27: deducts and writes the token, or does nothing. */
  reserve(request: ReserveRequest): Promise<ReserveReply>;
  /** R6: the stored token; undefined: unknown, returned, or of another epoch. */
  token(expected: Expected, issue: IssueNumber, id: TokenId): Promise<TokenRecord | undefined>;
  /** Live → settled. Anything else is left as it is. */
  settle(expected: Expected, tokens: { issue: IssueNumber; id: TokenId }[]): Promise<void>;
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
