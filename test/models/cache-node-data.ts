// What a cache node holds, as plain data: the keys of dataplane/stores/cache-node/lua in the model's own form.

import type {
  BuyerId,
  Epoch,
  Incarnation,
  Millis,
  SequenceNumber,
  ShardId,
  Units,
} from '../../dataplane/protocol/units.ts';
import type {
  Lapses,
  NodeIdentity,
  NodeState,
  PurchaseMode,
  TokenRecord,
  TokenRef,
} from '../../dataplane/stores/cache-node/cache-node.ts';

export interface HeldToken extends TokenRef {
  quantity: Units;
  shard: ShardId;
  ttl: Millis;
  /** The point of the node's clock at which it was issued. */
  issued: Millis;
  state: 'live' | 'settled';
}

/** The record of a buyer: units ever ordered, and the newest token unless it was returned. */
export interface HeldBuyer {
  ordered: Units;
  token: HeldToken | undefined;
  /** The reservations that lapsed since the last order. */
  lapses: Lapses | undefined;
}

export interface NodeData {
  identity: (NodeIdentity & { mode: PurchaseMode }) | undefined;
  recovering: { incarnation: Incarnation; epoch: Epoch } | undefined;
  /** The run of the server in which the newest recovery began. */
  recoveredIn: number | undefined;
  virtual: Units;
  granted: Units;
  revoked: Units;
  orderedBefore: Units;
  settledTokens: number;
  settledUnits: Units;
  returnedTokens: number;
  returnedUnits: Units;
  modeChanges: number;
  closing: SequenceNumber;
  /** Nothing up to this sequence number is live any more. */
  head: SequenceNumber;
  /** The buyer of each sequence number, from 1. */
  sequences: BuyerId[];
  buyers: Map<BuyerId, HeldBuyer>;
  pinned: Map<ShardId, Units>;
}

export const emptyNode = (): NodeData => ({
  identity: undefined,
  recovering: undefined,
  recoveredIn: undefined,
  virtual: 0,
  granted: 0,
  revoked: 0,
  orderedBefore: 0,
  settledTokens: 0,
  settledUnits: 0,
  returnedTokens: 0,
  returnedUnits: 0,
  modeChanges: 0,
  closing: 0,
  head: 0,
  sequences: [],
  buyers: new Map(),
  pinned: new Map(),
});

/** The clock is read in whole milliseconds, as the clients read it. */
export const recordOf = ({ sequence, id, buyer, quantity, shard, issued, ttl, state }: HeldToken): TokenRecord => ({
  ...{ sequence, id, buyer, quantity, shard, state },
  due: Math.floor(issued) + ttl,
});

export const identityOf = (data: NodeData): NodeIdentity | undefined => {
  if (data.identity === undefined) return undefined;
  const { incarnation, node, epoch, layout, count, mode } = data.identity;
  return { incarnation, node, epoch, layout, count, paused: mode !== 'selling' };
};

/** Everything the node counts; undefined while it has no identity. */
export function stateOf(data: NodeData): NodeState | undefined {
  const identity = identityOf(data);
  if (identity === undefined) return undefined;
  const { virtual, granted, revoked, closing, settledTokens, returnedTokens, sequences } = data;
  const pinned: Partial<Record<ShardId, Units>> = {};
  let liveUnits = 0;
  for (const [shard, units] of data.pinned) {
    liveUnits += units;
    if (units !== 0) pinned[shard] = units;
  }
  return {
    identity,
    virtual,
    granted,
    revoked,
    issued: sequences.length,
    closing,
    liveTokens: sequences.length - settledTokens - returnedTokens,
    liveUnits,
    pinned,
    settledUnits: data.settledUnits,
    returnedUnits: data.returnedUnits,
    orderedBefore: data.orderedBefore,
    draining: data.identity?.mode === 'draining',
    sequence: sequences.length + settledTokens + returnedTokens + granted + revoked + data.modeChanges,
  };
}

/** The token with this sequence number if it is live. */
export function liveAt(data: NodeData, sequence: SequenceNumber): HeldToken | undefined {
  const buyer = data.sequences[sequence - 1];
  const token = buyer === undefined ? undefined : data.buyers.get(buyer)?.token;
  return token?.state === 'live' && token.sequence === sequence ? token : undefined;
}

/** The token that is named if it is live. */
export function liveToken(data: NodeData, { sequence, id, buyer }: TokenRef): HeldToken | undefined {
  const token = data.buyers.get(buyer)?.token;
  return token?.state === 'live' && token.sequence === sequence && token.id === id ? token : undefined;
}

/** Every live token, in the order in which they were issued. */
export function* liveTokens(data: NodeData): Generator<HeldToken> {
  for (let sequence = data.head + 1; sequence <= data.sequences.length; sequence++) {
    const token = liveAt(data, sequence);
    if (token) yield token;
  }
}

export function pin(data: NodeData, shard: ShardId, units: Units): void {
  data.pinned.set(shard, (data.pinned.get(shard) ?? 0) + units);
}

/** The live token became an order. */
export function settleToken(data: NodeData, token: HeldToken): void {
  const record = data.buyers.get(token.buyer);
  if (record) Object.assign(record, { ordered: record.ordered + token.quantity, lapses: undefined });
  token.state = 'settled';
  pin(data, token.shard, -token.quantity);
  data.settledTokens += 1;
  data.settledUnits += token.quantity;
}

/** The live token will never be an order. Its units are virtual stock again, and it counts as one that lapsed. */
export function returnToken(data: NodeData, token: HeldToken): void {
  const record = data.buyers.get(token.buyer);
  const lapses = { count: (record?.lapses?.count ?? 0) + 1, last: Math.floor(token.issued) + token.ttl };
  if (record) Object.assign(record, { token: undefined, lapses });
  pin(data, token.shard, -token.quantity);
  data.returnedTokens += 1;
  data.returnedUnits += token.quantity;
  data.virtual += token.quantity;
}
