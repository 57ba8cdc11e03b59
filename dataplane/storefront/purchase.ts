// Carries out a purchase (R3, R4, R5): the buyer must qualify and something must be left; then one script runs on the
// buyer's owner node, and the token it left is signed. An answer that is not a token means that nothing was done, but
// for `unavailable`, after which the same buyer's next try finds what was done (R27, R34).

import type { QualificationConfig } from '../protocol/config.ts';
import type { Refusal } from '../protocol/problems.ts';
import type { TokenSigner } from '../protocol/token.ts';
import type { BuyerId, Millis, NodeId, TokenId, Units } from '../protocol/units.ts';
import type { ReserveReply } from '../stores/cache-node/cache-node.ts';
import type { AdmissionLimiter } from './admission-limiter.ts';
import type { Store } from './metrics.ts';
import type { NodeLink, Nodes } from './nodes.ts';
import { type Attempt, BUYER_CHECKS, FIRST_CHECKS, qualify } from './qualification.ts';
import type { AskRefill } from './refill.ts';
import type { RetryAfterPacer } from './retry-after-pacer.ts';
import type { CurrentRules } from './rules.ts';
import type { Shards } from './shards.ts';
import type { SoldOut, SoldOutness } from './sold-out.ts';
import type { Webhook } from './webhook.ts';

export interface Purchased {
  /** False when the token is the live one of an earlier click (R27). */
  fresh: boolean;
  token: string;
  quantity: Units;
  /** The token's time to live, by the node's clock. */
  left: Millis;
}

export interface PurchaseDeps {
  rules(): CurrentRules;
  nodes: Nodes;
  shards: Shards;
  signer: Pick<TokenSigner, 'sign'>;
  tokenId(): TokenId;
  soldOut: SoldOut;
  pacer: RetryAfterPacer;
  limiter: AdmissionLimiter;
  /** Asks the pool's agent for a refill; calls for the same node and quantity share one request. */
  askRefill: AskRefill;
  /** Is called when a store failed to answer. */
  failed(store: Store, error: unknown): void;
  /** Returns a number from 0 up to and without 1. */
  random(): number;
  /** Returns the time since 1970, for the sale's window. */
  wall(): Millis;
  /** Returns the time of a clock that never goes back, for everything else. */
  now(): Millis;
}

export type Outcome = Purchased | Refusal;

const UNAVAILABLE: Refusal = { problem: 'unavailable' };
const PAUSED: Refusal = { problem: 'paused' };
const SOLD_OUT: Refusal = { problem: 'sold-out' };
/** How often a node is asked for one purchase: others may take what a refill brought, or the layout may be changing. */
const ROUNDS = 5;

const limitsOf = ({ perBuyer, reservations }: QualificationConfig) => ({
  perBuyer,
  mostLapsed: reservations?.maxLapsed ?? Number.MAX_SAFE_INTEGER,
  cooldown: reservations?.cooldown ?? 0,
});

export class Purchases {
  readonly #deps: PurchaseDeps;

  constructor(deps: PurchaseDeps) {
    this.#deps = deps;
  }

  /** Answers at once where nothing needs to be asked: once a sale is over, that is most of its traffic. */
  purchase(buyer: BuyerId, quantity: Units): Outcome | Promise<Outcome> {
    const { rules, nodes, soldOut, wall, now } = this.#deps;
    const current = rules();
    const attempt = { buyer, quantity, now: wall(), at: now() };
    const refusal = qualify(FIRST_CHECKS, attempt, current);
    if (refusal !== undefined) return refusal;
    const owner = nodes.owner(buyer);
    const known = owner && soldOut.recall(owner.config.id, quantity, now());
    if (known === 'for-good') return SOLD_OUT;
    const { limiter, random } = this.#deps;
    // Before the checks that count: who is told to come back has not used up anything.
    const turnedAway = limiter.enter(now(), random);
    if (turnedAway !== undefined) return turnedAway;
    const refused = known === undefined ? qualify(BUYER_CHECKS, attempt, current) : undefined;
    if (refused === undefined) return this.#asked(attempt, current, known === 'for-now' ? owner : undefined);
    limiter.leave();
    return refused;
  }

  /**
   * Carries out an admitted purchase. When a store does not answer, the buyer is told to try again. `soldOutAt` is the
   * owner node when it is remembered as sold out.
   */
  async #asked({ buyer, quantity }: Attempt, rules: CurrentRules, soldOutAt: NodeLink | undefined): Promise<Outcome> {
    try {
      if (soldOutAt !== undefined) return await this.#ifHolding(soldOutAt, buyer, quantity, rules);
      if (rules.webhook !== undefined) return await this.#afterWebhook(rules.webhook, buyer, quantity, rules);
      return await this.#reserve(buyer, quantity, rules);
    } catch (error) {
      this.#deps.failed('cache', error);
      return UNAVAILABLE;
    } finally {
      this.#deps.limiter.leave();
    }
  }

  /** R27: nothing is left, but this buyer may have clicked before and hold some of what is reserved. */
  async #ifHolding(owner: NodeLink, buyer: BuyerId, quantity: Units, rules: CurrentRules): Promise<Outcome> {
    const token = await owner.tokenReads.token(buyer);
    return token?.state === 'live' ? this.#reserve(buyer, quantity, rules) : this.#soldOut('for-now');
  }

  async #afterWebhook(webhook: Webhook, buyer: BuyerId, quantity: Units, rules: CurrentRules): Promise<Outcome> {
    const { namespace, name, sku } = rules.sale;
    const refusal = await webhook.check({ sale: `${namespace}/${name}`, sku, buyer, quantity });
    return refusal ?? this.#reserve(buyer, quantity, rules);
  }

  async #reserve(buyer: BuyerId, quantity: Units, { sale }: CurrentRules): Promise<Outcome> {
    const { nodes, shards, tokenId, random } = this.#deps;
    let looked = false;
    // Asks all nodes anew, once a purchase, because what is known of them is out of date.
    const lookAgain = async (): Promise<boolean> => {
      if (looked) return false;
      looked = true;
      await nodes.refresh();
      return true;
    };
    for (let round = 0; round < ROUNDS; round++) {
      const { layout } = nodes;
      const owner = nodes.owner(buyer);
      if (layout === undefined || owner?.identity === undefined) {
        if (await lookAgain()) continue;
        return UNAVAILABLE;
      }
      const shard = shards.pick(layout.incarnation, random());
      if (shard === undefined) return UNAVAILABLE;
      const { incarnation, number } = layout;
      const { epoch } = owner.identity;
      const reply = await owner.reserves.reserve(
        { incarnation, epoch, layout: number, ttl: sale.token.ttl, ...limitsOf(sale.qualification) },
        { id: tokenId(), buyer, quantity, shard },
      );
      switch (reply.kind) {
        case 'token':
          return this.#signed(reply, { incarnation, node: owner.config.id, epoch });
        case 'paused':
          return PAUSED;
        case 'lapsed': {
          const seconds = Math.ceil(reply.left / 1000);
          return { problem: 'reservations-lapsed', parameters: { lapsed: reply.lapsed, seconds }, retryAfter: seconds };
        }
        case 'limit': {
          const { perBuyer } = sale.qualification;
          return { problem: 'limit-reached', parameters: { perBuyer, ordered: reply.ordered, quantity } };
        }
        case 'stale':
          // The node said what it is now, and the others may have changed with it.
          nodes.learn(owner, reply.identity);
          if (!(await lookAgain())) return UNAVAILABLE;
          break;
        case 'short': {
          const refusal = await this.#refill(owner.config.id, quantity);
          if (refusal !== undefined) return refusal;
        }
      }
    }
    return UNAVAILABLE;
  }

  #signed(
    { token, fresh, left }: ReserveReply & { kind: 'token' },
    from: { incarnation: string; node: NodeId; epoch: number },
  ): Purchased {
    const { id, buyer, quantity, sequence, shard, due } = token;
    const text = this.#deps.signer.sign({ ...from, id, buyer, quantity, sequence, shard, due });
    return { fresh, token: text, quantity, left };
  }

  /** Resolves to undefined when the node has more stock now and is to be asked again, and otherwise to the refusal. */
  async #refill(owner: NodeId, quantity: Units): Promise<Refusal | undefined> {
    const { soldOut, askRefill, now } = this.#deps;
    const known = soldOut.recall(owner, quantity, now());
    if (known !== undefined) return this.#soldOut(known);
    const { outcome, liveUnits } = await askRefill(owner, quantity);
    if (outcome === 'granted') return undefined;
    if (outcome === 'unavailable') return UNAVAILABLE;
    const kind = liveUnits > 0 ? 'for-now' : 'for-good';
    soldOut.remember(owner, quantity, kind, now());
    return this.#soldOut(kind);
  }

  #soldOut(kind: SoldOutness): Refusal {
    const { pacer, now } = this.#deps;
    return kind === 'for-good' ? SOLD_OUT : { problem: 'sold-out', retryAfter: pacer.next(now()) };
  }
}
