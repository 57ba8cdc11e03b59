// Handles orders after the checkout: looks at one, pays it, cancels it (R31). The shard decides. To everybody but its
// buyer an order does not exist (R25). Each is looked at before anything takes the shard's lock, because whoever invents
// orders must not hold up those who have some.

import type { Refusal } from '../protocol/problems.ts';
import { type BuyerId, type Incarnation, isShardId, type Millis, type OrderId, orderId } from '../protocol/units.ts';
import type { Order, StorefrontShard } from '../stores/shard/shard.ts';
import type { Store } from './metrics.ts';
import { OrderLimiter } from './order-limiter.ts';
import { type RateLimit, refusalOfRate } from './rate.ts';
import type { Shards } from './shards.ts';

export interface OrderState extends Omit<Order, 'token' | 'buyer'> {
  order: OrderId;
}

export interface OrdersDeps {
  shards: Shards;
  /** Is called when a store failed to answer. */
  failed(store: Store, error: unknown): void;
  /** The rate limit of purchases, which these requests share. */
  rate(): Pick<RateLimit, 'take'> | undefined;
  now(): Millis;
}

const NOT_FOUND: Refusal = { problem: 'order-not-found' };
const FINAL: Refusal = { problem: 'order-final' };
const PAID: Refusal = { problem: 'order-paid' };
const UNAVAILABLE: Refusal = { problem: 'unavailable' };

export class Orders {
  readonly #deps: OrdersDeps;
  readonly #limiter = new OrderLimiter();

  constructor(deps: OrdersDeps) {
    this.#deps = deps;
  }

  look(buyer: BuyerId, id: string): Promise<OrderState | Refusal> {
    return this.#at(buyer, id, async (_shard, _incarnation, order) => order);
  }

  pay(buyer: BuyerId, id: string, paymentId: string): Promise<OrderState | Refusal> {
    return this.#at(buyer, id, async (shard, incarnation, { token, status }) => {
      if (status === 'final') return FINAL;
      const answer = await shard.pay(incarnation, token, buyer, paymentId);
      if (answer.kind === 'paid') return answer.order;
      return { unknown: NOT_FOUND, final: FINAL, refund: { problem: 'refund-due' } as const }[answer.kind];
    });
  }

  cancel(buyer: BuyerId, id: string): Promise<OrderState | Refusal> {
    return this.#at(buyer, id, async (shard, incarnation, order) => {
      const { token, status } = order;
      if (status !== 'placed') return { cancelled: order, final: FINAL, paid: PAID }[status];
      const answer = await shard.cancel(incarnation, token, buyer);
      if (answer.kind === 'cancelled') return answer.order;
      return { unknown: NOT_FOUND, final: FINAL, paid: PAID }[answer.kind];
    });
  }

  /** Looks the buyer's order up and goes on from there. */
  async #at(
    buyer: BuyerId,
    id: string,
    act: (shard: StorefrontShard, incarnation: Incarnation, order: Order) => Promise<Order | Refusal>,
  ): Promise<OrderState | Refusal> {
    const { rate, now } = this.#deps;
    const tooOften = refusalOfRate(rate(), buyer, now());
    if (tooOften !== undefined) return tooOften;
    const [, shard, token] = /^(s\d+)-([A-Za-z0-9_-]{22})$/.exec(id) ?? [];
    if (shard === undefined || token === undefined || !isShardId(shard)) return NOT_FOUND;
    const link = this.#deps.shards.get(shard);
    if (link === undefined) return NOT_FOUND;
    // Which sale the shard belongs to is known from the shard itself, because orders outlive the cache nodes.
    const { client, incarnation } = link;
    if (incarnation === undefined) return UNAVAILABLE;
    const ask = async () => {
      const order = await client.order(incarnation, token);
      return order?.buyer === buyer ? act(client, incarnation, order) : NOT_FOUND;
    };
    try {
      const answer = await this.#limiter.run(buyer, shard, ask);
      if ('problem' in answer) return answer;
      const { quantity, status, payWithin, paymentId } = answer;
      return {
        order: orderId(shard, token),
        quantity,
        status,
        ...(payWithin === undefined ? {} : { payWithin }),
        ...(paymentId === undefined ? {} : { paymentId }),
      };
    } catch (error) {
      this.#deps.failed('shard', error);
      return UNAVAILABLE;
    }
  }
}
