// Stand-ins for the stores: just enough of a cache node, a shard and the pool's agent to drive the storefront's own
// logic, each with a switch to go away. What the real ones do is proved on real ones, in test/integration.

import type { RefillAnswer } from '../../../dataplane/protocol/refill.ts';
import type { BuyerId, Incarnation, Millis, NodeId, TokenId, Units } from '../../../dataplane/protocol/units.ts';
import type {
  NodeIdentity,
  ReserveReply,
  ReserveRequest,
  ReserveTerms,
  StorefrontNode,
  TokenRecord,
  TokenRef,
} from '../../../dataplane/stores/cache-node/cache-node.ts';
import { StoreUnknown, WrongIncarnation } from '../../../dataplane/stores/errors.ts';
import type {
  CheckoutOutcome,
  CheckoutRow,
  Order,
  OrderAnswer,
  ShardInfo,
  StorefrontShard,
} from '../../../dataplane/stores/shard/shard.ts';

export const INCARNATION = '0193b1c2-0000-7000-8000-000000000001';

export class MemoryNode implements StorefrontNode {
  storedIdentity: NodeIdentity | undefined;
  virtual: Units;
  away = false;
  closed = false;
  issued = 0;
  /** Purchases, and the calls they came in. */
  reserves = 0;
  calls = 0;
  /** Calls that are carried out, and whose answers are lost. */
  losesAnswers = 0;
  /** Set to hold purchases back until it resolves. */
  gate: Promise<void> = Promise.resolve();
  settles: TokenRef[] = [];
  lookups: BuyerId[][] = [];
  readonly ordered = new Map<BuyerId, Units>();
  /** How many reservations of a buyer lapsed just now. */
  readonly lapsed = new Map<BuyerId, number>();
  readonly tokenOf = new Map<BuyerId, TokenRecord>();

  constructor(id: NodeId, count: number, virtual: Units) {
    this.storedIdentity = { incarnation: INCARNATION, node: id, epoch: 1, layout: 1, count, paused: false };
    this.virtual = virtual;
  }

  get liveUnits(): Units {
    let units = 0;
    for (const token of this.tokenOf.values()) if (token.state === 'live') units += token.quantity;
    return units;
  }

  async identity(): Promise<NodeIdentity | undefined> {
    this.#answer();
    return this.storedIdentity;
  }

  async reserve(terms: ReserveTerms, requests: readonly ReserveRequest[]): Promise<ReserveReply[]> {
    this.reserves += requests.length;
    this.calls++;
    await this.gate;
    this.#answer();
    const replies = requests.map((request) => this.#reserve(terms, request));
    if (this.losesAnswers > 0) {
      this.losesAnswers--;
      throw new StoreUnknown('the answer was lost');
    }
    return replies;
  }

  #reserve(terms: ReserveTerms, { id, buyer, quantity, shard }: ReserveRequest): ReserveReply {
    const { ttl, perBuyer, mostLapsed, cooldown } = terms;
    const identity = this.storedIdentity;
    if (
      identity?.incarnation !== terms.incarnation ||
      identity.epoch !== terms.epoch ||
      identity.layout !== terms.layout
    )
      return { kind: 'stale', identity };
    if (identity.paused) return { kind: 'paused' };
    const live = this.tokenOf.get(buyer);
    if (live?.state === 'live') return { kind: 'token', token: live, fresh: false, left: ttl / 2 };
    const lapsed = this.lapsed.get(buyer) ?? 0;
    if (lapsed >= mostLapsed) return { kind: 'lapsed', lapsed, until: 1e12 + cooldown, left: cooldown };
    const ordered = this.ordered.get(buyer) ?? 0;
    if (ordered + quantity > perBuyer) return { kind: 'limit', ordered };
    if (this.virtual < quantity) return { kind: 'short', virtual: this.virtual };
    this.virtual -= quantity;
    const token: TokenRecord = { sequence: ++this.issued, id, buyer, quantity, shard, due: 1e12 + ttl, state: 'live' };
    this.tokenOf.set(buyer, token);
    return { kind: 'token', token, fresh: true, left: ttl };
  }

  async tokens(buyers: BuyerId[]): Promise<(TokenRecord | undefined)[]> {
    this.#answer();
    this.lookups.push(buyers);
    return buyers.map((buyer) => this.tokenOf.get(buyer));
  }

  async settle(_expected: unknown, tokens: TokenRef[]): Promise<void> {
    this.#answer();
    this.settles.push(...tokens);
    for (const { buyer, id } of tokens) {
      const held = this.tokenOf.get(buyer);
      if (held?.id !== id || held.state !== 'live') continue;
      held.state = 'settled';
      this.ordered.set(buyer, (this.ordered.get(buyer) ?? 0) + held.quantity);
    }
  }

  /** What expiry does to a token without an order. */
  expire(buyer: BuyerId): void {
    this.virtual += this.tokenOf.get(buyer)?.quantity ?? 0;
    this.tokenOf.delete(buyer);
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #answer(): void {
    if (this.away) throw new StoreUnknown('away');
  }
}

export class MemoryShard implements StorefrontShard {
  incarnation: Incarnation | undefined = INCARNATION;
  available: Units;
  lowWatermark = 0;
  /** Calls that are carried out, and whose answers are lost. */
  losesAnswers = 0;
  away = false;
  closed = false;
  batches: CheckoutRow[][] = [];
  readonly orders = new Map<TokenId, Order>();
  /** Set to hold batches back until it resolves. */
  gate: Promise<void> = Promise.resolve();

  constructor(available: Units) {
    this.available = available;
  }

  async info(): Promise<ShardInfo> {
    this.#answer();
    return { incarnation: this.incarnation, shardIncarnation: 'a-shard' };
  }

  async checkout(incarnation: Incarnation, rows: CheckoutRow[], paymentDeadline: Millis | undefined) {
    this.batches.push(rows);
    await this.gate;
    this.#answer();
    this.#belongs(incarnation);
    const outcomes = rows.map((row) => this.#sell(row, paymentDeadline));
    if (this.losesAnswers > 0) {
      this.losesAnswers--;
      throw new StoreUnknown('the answer was lost');
    }
    return outcomes;
  }

  #sell({ token, buyer, quantity, sequence }: CheckoutRow, paymentDeadline: Millis | undefined): CheckoutOutcome {
    const known = this.orders.get(token);
    if (known !== undefined) return known.status === 'cancelled' ? 'cancelled' : 'known';
    if (sequence <= this.lowWatermark) return 'expired';
    if (this.available < quantity) return 'short';
    this.available -= quantity;
    const order: Order = { token, buyer, quantity, status: paymentDeadline === undefined ? 'final' : 'placed' };
    this.orders.set(token, paymentDeadline === undefined ? order : { ...order, payWithin: paymentDeadline });
    return 'sold';
  }

  async order(incarnation: Incarnation, token: TokenId): Promise<Order | undefined> {
    this.#answer();
    this.#belongs(incarnation);
    return this.orders.get(token);
  }

  async pay(
    _incarnation: Incarnation,
    token: TokenId,
    buyer: BuyerId,
    paymentId: string,
  ): Promise<OrderAnswer<'paid' | 'refund'>> {
    this.#answer();
    const order = this.orders.get(token);
    if (order?.buyer !== buyer) return { kind: 'unknown' };
    if (order.status === 'final') return { kind: 'final', order };
    if (order.status === 'cancelled' || (order.status === 'paid' && order.paymentId !== paymentId))
      return { kind: 'refund', order };
    const { payWithin: _, ...rest } = order;
    const paid: Order = { ...rest, status: 'paid', paymentId };
    this.orders.set(token, paid);
    return { kind: 'paid', order: paid };
  }

  async cancel(_incarnation: Incarnation, token: TokenId, buyer: BuyerId): Promise<OrderAnswer<'cancelled' | 'paid'>> {
    this.#answer();
    const order = this.orders.get(token);
    if (order?.buyer !== buyer) return { kind: 'unknown' };
    if (order.status === 'final') return { kind: 'final', order };
    if (order.status === 'paid') return { kind: 'paid', order };
    if (order.status === 'placed') this.available += order.quantity;
    const { payWithin: _, ...rest } = order;
    const cancelled: Order = { ...rest, status: 'cancelled' };
    this.orders.set(token, cancelled);
    return { kind: 'cancelled', order: cancelled };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  #answer(): void {
    if (this.away) throw new StoreUnknown('away');
  }

  #belongs(incarnation: Incarnation): void {
    if (incarnation !== this.incarnation) throw new WrongIncarnation('another sale');
  }
}

/** Moves what any node has to whoever asks; says sold out when no node has enough. */
export class MemoryPool {
  asked: { node: NodeId; quantity: Units }[] = [];
  away = false;
  readonly #nodes: ReadonlyMap<NodeId, MemoryNode>;

  constructor(nodes: ReadonlyMap<NodeId, MemoryNode>) {
    this.#nodes = nodes;
  }

  async ask(node: NodeId, quantity: Units): Promise<RefillAnswer> {
    this.asked.push({ node, quantity });
    const nodes = [...this.#nodes.values()];
    const liveUnits = nodes.reduce((sum, n) => sum + n.liveUnits, 0);
    if (this.away || nodes.some((n) => n.away)) return { outcome: 'unavailable', liveUnits };
    const asker = this.#nodes.get(node);
    const richest = nodes.toSorted((a, b) => b.virtual - a.virtual)[0];
    if (asker === undefined || richest === undefined) return { outcome: 'unavailable', liveUnits };
    if (richest.virtual + (richest === asker ? 0 : asker.virtual) < quantity) return { outcome: 'sold-out', liveUnits };
    const moved = Math.max(Math.ceil(richest.virtual / 2), quantity - asker.virtual);
    richest.virtual -= moved;
    asker.virtual += moved;
    return { outcome: 'granted', liveUnits };
  }
}
