// A purchase (R3, R4, R5): does the buyer qualify, is anything left, then one script on the buyer's home node, and the
// token it left is signed. Every answer that is not a token left nothing behind, but for `unavailable`, after which
// the same buyer's next try finds what was done (R27, R34).

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
  /** False: the live token of an earlier click. */
  fresh: boolean;
  token: string;
  quantity: Units;
  /** Time to live, by the node's clock. */
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
  /** One flight per node and quantity. */
  askRefill: AskRefill;
  /** A store failed to answer. */
  failed(store: Store, error: unknown): void;
  /** From 0 up to and without 1. */
  random(): number;
  /** Since 1970, for the sale's window. */
  wall(): Millis;
  /** Never goes back, for everything else. */
  now(): Millis;
}

export type Outcome = Purchased | Refusal;

const UNAVAILABLE: Refusal = { problem: 'unavailable' };
const PAUSED: Refusal = { problem: 'paused' };
const SOLD_OUT: Refusal = { problem: 'sold-out' };
/** Times a node is asked for one purchase: others may take what a refill brought, or a layout may be changing. */
const ROUNDS = 5;

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
    const home = nodes.owner(buyer);
    const known = home && soldOut.recall(home.config.id, quantity, now());
    if (known === 'for-good') return SOLD_OUT;
    const { limiter, random } = this.#deps;
    // Before the checks that count: who is told to come back has not used up anything.
    const turnedAway = limiter.enter(now(), random);
    if (turnedAway !== undefined) return turnedAway;
    const refused = known === undefined ? qualify(BUYER_CHECKS, attempt, current) : undefined;
    if (refused === undefined) return this.#asked(attempt, current, known === 'for-now' ? home : undefined);
    limiter.leave();
    return refused;
  }

  /** Asks whom it takes. A node that does not answer is no reason to fail. `soldOutAt`: as far as is known. */
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

  /** R27: nothing is left, but this buyer may have some of what is reserved, and clicked again. */
  async #ifHolding(home: NodeLink, buyer: BuyerId, quantity: Units, rules: CurrentRules): Promise<Outcome> {
    const token = await home.tokenReads.token(buyer);
    return token?.state === 'live' ? this.#reserve(buyer, quantity, rules) : this.#soldOut('for-now');
  }

  async #afterWebhook(webhook: Webhook, buyer: BuyerId, quantity: Units, rules: CurrentRules): Promise<Outcome> {
    const { namespace, name, sku } = rules.sale;
    const refusal = await webhook.judge({ sale: `${namespace}/${name}`, sku, buyer, quantity });
    return refusal ?? this.#reserve(buyer, quantity, rules);
  }

  async #reserve(buyer: BuyerId, quantity: Units, { sale }: CurrentRules): Promise<Outcome> {
    const { nodes, shards, tokenId, random } = this.#deps;
    let looked = false;
    // What is known of the nodes is not so any more: look once, and go on with what is found.
    const lookAgain = async (): Promise<boolean> => {
      if (looked) return false;
      looked = true;
      await nodes.refresh();
      return true;
    };
    for (let round = 0; round < ROUNDS; round++) {
      const { layout } = nodes;
      const home = nodes.owner(buyer);
      if (layout === undefined || home?.identity === undefined) {
        if (await lookAgain()) continue;
        return UNAVAILABLE;
      }
      const shard = shards.pick(layout.incarnation, random());
      if (shard === undefined) return UNAVAILABLE;
      const { incarnation, number } = layout;
      const { epoch } = home.identity;
      const reply = await home.reserves.reserve(
        { incarnation, epoch, layout: number, ttl: sale.token.ttl, perBuyer: sale.qualification.perBuyer },
        { id: tokenId(), buyer, quantity, shard },
      );
      switch (reply.kind) {
        case 'token':
          return this.#signed(reply, { incarnation, node: home.config.id, epoch });
        case 'paused':
          return PAUSED;
        case 'limit': {
          const { perBuyer } = sale.qualification;
          return { problem: 'limit-reached', parameters: { perBuyer, ordered: reply.ordered, quantity } };
        }
        case 'stale':
          // It said what it is, and the others may have changed with it.
          nodes.learn(home, reply.identity);
          if (!(await lookAgain())) return UNAVAILABLE;
          break;
        case 'short': {
          const refusal = await this.#refill(home.config.id, quantity);
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

  /** Undefined: the node has more now; ask it again. */
  async #refill(home: NodeId, quantity: Units): Promise<Refusal | undefined> {
    const { soldOut, askRefill, now } = this.#deps;
    const known = soldOut.recall(home, quantity, now());
    if (known !== undefined) return this.#soldOut(known);
    const { outcome, liveUnits } = await askRefill(home, quantity);
    if (outcome === 'granted') return undefined;
    if (outcome === 'unavailable') return UNAVAILABLE;
    const kind = liveUnits > 0 ? 'for-now' : 'for-good';
    soldOut.remember(home, quantity, kind, now());
    return this.#soldOut(kind);
  }

  #soldOut(kind: SoldOutness): Refusal {
    const { pacer, now } = this.#deps;
    return kind === 'for-good' ? SOLD_OUT : { problem: 'sold-out', retryAfter: pacer.next(now()) };
  }
}
