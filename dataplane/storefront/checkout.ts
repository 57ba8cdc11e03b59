// Carries out a checkout (R6): the token must be one of this sale's and the buyer's, its cache node is asked what
// became of it, and then its shard decides. Due times are not checked here: a token that was returned is refused by its
// shard, whatever anybody's clock says. The node is told of an order after the buyer is.

import type { Refusal } from '../protocol/problems.ts';
import type { TokenClaims, TokenSigner } from '../protocol/token.ts';
import { type BuyerId, type Millis, type OrderId, orderId, type Units } from '../protocol/units.ts';
import { WrongIncarnation } from '../stores/errors.ts';
import type { Order, OrderStatus } from '../stores/shard/shard.ts';
import type { CheckoutAnswer } from './checkout-batcher.ts';
import type { Store } from './metrics.ts';
import type { Nodes } from './nodes.ts';
import type { SettleBatcher } from './settle-batcher.ts';
import type { ShardLink, Shards } from './shards.ts';

export interface CheckedOut {
  /** False when the token was an order before this checkout. */
  sold: boolean;
  order: OrderId;
  quantity: Units;
  status: OrderStatus;
  payWithin?: Millis;
}

export interface CheckoutDeps {
  nodes: Nodes;
  shards: Shards;
  signer: Pick<TokenSigner, 'verify'>;
  settler: SettleBatcher;
  /** Is called when a store failed to answer. */
  failed(store: Store, error: unknown): void;
}

const INVALID: Refusal = { problem: 'token-invalid' };
const NOT_YOURS: Refusal = { problem: 'token-not-yours' };
const EXPIRED: Refusal = { problem: 'token-expired' };
const SHORTAGE: Refusal = { problem: 'shortage' };
const UNAVAILABLE: Refusal = { problem: 'unavailable' };

export class Checkouts {
  readonly #deps: CheckoutDeps;

  constructor(deps: CheckoutDeps) {
    this.#deps = deps;
  }

  async checkout(buyer: BuyerId, token: string): Promise<CheckedOut | Refusal> {
    const verdict = this.#deps.signer.verify(token);
    if (!verdict.valid) return INVALID;
    const { claims } = verdict;
    if (claims.buyer !== buyer) return NOT_YOURS;
    // This storefront has not been told of the shard yet.
    const shard = this.#deps.shards.get(claims.shard);
    if (shard === undefined) return UNAVAILABLE;
    if (await this.#settled(claims)) return this.#known(shard, claims);

    const { id, quantity, node, epoch, sequence } = claims;
    const answer = await shard.checkouts.submit(claims.incarnation, {
      token: id,
      buyer,
      quantity,
      node,
      epoch,
      sequence,
    });
    switch (answer.outcome) {
      case 'sold':
        this.#settle(claims);
        return sold(claims, answer);
      case 'known':
      case 'cancelled':
        this.#settle(claims);
        return this.#known(shard, claims);
      case 'expired':
        return EXPIRED;
      case 'short':
        return SHORTAGE;
      case 'unknown':
        return UNAVAILABLE;
    }
  }

  /**
   * Resolves to true when the token's node has it stored as settled. When the node cannot be asked the answer is false,
   * as for a live token, and the shard decides.
   */
  async #settled({ node, sequence, id, buyer }: TokenClaims): Promise<boolean> {
    const link = this.#deps.nodes.get(node);
    if (link === undefined) return false;
    try {
      const stored = await link.tokenReads.token(buyer);
      return stored?.sequence === sequence && stored.id === id && stored.state === 'settled';
    } catch (error) {
      this.#deps.failed('cache', error);
      return false;
    }
  }

  async #known({ client }: ShardLink, { incarnation, shard, id }: TokenClaims): Promise<CheckedOut | Refusal> {
    let order: Order | undefined;
    try {
      order = await client.order(incarnation, id);
    } catch (error) {
      if (error instanceof WrongIncarnation) return EXPIRED;
      this.#deps.failed('shard', error);
    }
    if (order === undefined) return UNAVAILABLE;
    const { quantity, status, payWithin } = order;
    const known = { sold: false, order: orderId(shard, id), quantity, status };
    return payWithin === undefined ? known : { ...known, payWithin };
  }

  #settle({ node, incarnation, epoch, sequence, id, buyer }: TokenClaims): void {
    const link = this.#deps.nodes.get(node);
    if (link !== undefined) this.#deps.settler.push(link.client, { incarnation, epoch }, { sequence, id, buyer });
  }
}

function sold({ shard, id, quantity }: TokenClaims, { paymentDeadline }: CheckoutAnswer): CheckedOut {
  const order = orderId(shard, id);
  if (paymentDeadline === undefined) return { sold: true, order, quantity, status: 'final' };
  return { sold: true, order, quantity, status: 'placed', payWithin: paymentDeadline };
}
