// Handles orders after the checkout: looks at one, pays it, cancels it (R31). The shard decides. To everybody but its
// buyer an order does not exist (R25).

import type { Refusal } from '../protocol/problems.ts';
import { type BuyerId, type Incarnation, isShardId, type OrderId, orderId, type TokenId } from '../protocol/units.ts';
import type { Order, StorefrontShard } from '../stores/shard/shard.ts';
import type { Store } from './metrics.ts';
import type { Shards } from './shards.ts';

export interface OrderState extends Omit<Order, 'token' | 'buyer'> {
  order: OrderId;
}

export interface OrdersDeps {
  shards: Shards;
  /** Is called when a store failed to answer. */
  failed(store: Store, error: unknown): void;
}

const NOT_FOUND: Refusal = { problem: 'order-not-found' };
const FINAL: Refusal = { problem: 'order-final' };
const UNAVAILABLE: Refusal = { problem: 'unavailable' };

export class Orders {
  readonly #deps: OrdersDeps;

  constructor(deps: OrdersDeps) {
    this.#deps = deps;
  }

  look(buyer: BuyerId, id: string): Promise<OrderState | Refusal> {
    return this.#at(id, async (shard, incarnation, token) => {
      const order = await shard.order(incarnation, token);
      return order?.buyer === buyer ? order : NOT_FOUND;
    });
  }

  pay(buyer: BuyerId, id: string, paymentId: string): Promise<OrderState | Refusal> {
    return this.#at(id, async (shard, incarnation, token) => {
      const answer = await shard.pay(incarnation, token, buyer, paymentId);
      if (answer.kind === 'paid') return answer.order;
      return { unknown: NOT_FOUND, final: FINAL, refund: { problem: 'refund-due' } as const }[answer.kind];
    });
  }

  cancel(buyer: BuyerId, id: string): Promise<OrderState | Refusal> {
    return this.#at(id, async (shard, incarnation, token) => {
      const answer = await shard.cancel(incarnation, token, buyer);
      if (answer.kind === 'cancelled') return answer.order;
      return { unknown: NOT_FOUND, final: FINAL, paid: { problem: 'order-paid' } as const }[answer.kind];
    });
  }

  async #at(
    id: string,
    ask: (shard: StorefrontShard, incarnation: Incarnation, token: TokenId) => Promise<Order | Refusal>,
  ): Promise<OrderState | Refusal> {
    const [, shard, token] = /^(s\d+)-([A-Za-z0-9_-]{22})$/.exec(id) ?? [];
    if (shard === undefined || token === undefined || !isShardId(shard)) return NOT_FOUND;
    const link = this.#deps.shards.get(shard);
    if (link === undefined) return NOT_FOUND;
    // Which sale the shard belongs to is known from the shard itself, because orders outlive the cache nodes.
    if (link.incarnation === undefined) return UNAVAILABLE;
    try {
      const answer = await ask(link.client, link.incarnation, token);
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
