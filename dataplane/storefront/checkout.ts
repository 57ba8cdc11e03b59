// A checkout (R6): is the token one of ours and the buyer's, what does its node say, and then its shard decides. Due
// times are never judged here: a token that was returned is refused by its shard, whatever anybody's clock says. The
// node is told of an order after the buyer is.

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
  /** False: it was an order before. */
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
  /** A store failed to answer. */
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
    // A shard that this storefront has not been told of yet.
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

  /** What the node has stored for the token. A node that cannot say leaves it to the shard, like one that says live. */
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
