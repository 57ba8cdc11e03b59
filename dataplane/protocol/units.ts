// The types that every other file uses for quantities and names. They are aliases, not classes: they cost nothing and
// say what a number or a string means.

/** Whole units of stock (or of an account's smallest currency unit, R24). Never fractional. */
export type Units = number;

/** A span of time, or a point on one machine's own clock, in milliseconds. Never compared across machines. */
export type Millis = number;

/**
 * Names a cache node: `c0`, `c1`, … Its number is its place in the layout. (A node of the cluster is always called
 * cluster node.)
 */
export type NodeId = `c${number}`;

/** Names a shard that serves orders: `s0`, `s1`, … */
export type ShardId = `s${number}`;

/** Names a stock holder: a shard that serves orders, or the transfer pool. */
export type StockHolderId = ShardId | 'pool';

/** Names one life of a sale. Deleting and re-creating a sale gives a new one; everything old is then refused. */
export type Incarnation = string;

/** Counts the lives of one cache node's data. Raised by recovery; tokens of an older epoch cannot sell. */
export type Epoch = number;

/** Counts the tokens a cache node issued within its epoch, from 1, without gaps. */
export type SequenceNumber = number;

/** Counts a shard's changes, from 1, without gaps, in commit order. */
export type Version = number;

/** Names a token by 22 characters of base64url: 128 random bits. */
export type TokenId = string;

/** Names an order, `<shard>-<token id>`: an order is the token it settled, on the token's shard. */
export type OrderId = `${ShardId}-${string}`;

/** Whatever the identity provider calls the buyer. Personal data (R25): never logged, never a metric label. */
export type BuyerId = string;

export const nodeId = (n: number): NodeId => `c${n}`;
export const nodeNumber = (id: NodeId): number => Number(id.slice(1));
export const shardId = (n: number): ShardId => `s${n}`;
export const isShardId = (text: string): text is ShardId => /^s(0|[1-9]\d{0,5})$/.test(text);
export const orderId = (shard: ShardId, token: TokenId): OrderId => `${shard}-${token}`;

/** The sum of one figure of each item. */
export const sum = <T>(items: Iterable<T>, of: (item: T) => number): number => {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
};
