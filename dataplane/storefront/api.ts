// The operations of the buyers' API: who asks, what they ask, what they are answered. Each operation turns a request
// into an answer by way of the flow that decides it, and counts it; it decides nothing itself. It never throws or
// rejects.

import type { IncomingMessage } from 'node:http';
import { type Answer, json, refused } from '../http/answer.ts';
import type { Handler } from '../http/hot.ts';
import { isRefusal } from '../http/json-body.ts';
import { PROBLEMS, type Refusal } from '../protocol/problems.ts';
import type { BuyerId, Millis } from '../protocol/units.ts';
import { checkoutBody, payBody, purchaseBody } from './body.ts';
import type { CheckedOut, Checkouts } from './checkout.ts';
import type { Metrics } from './metrics.ts';
import type { OrderState, Orders } from './orders.ts';
import type { Outcome, Purchases } from './purchase.ts';
import type { CurrentRules } from './rules.ts';
import type { SaleState } from './sale-state.ts';
import { refusalOfWrite } from './writes.ts';

export interface ApiDeps {
  rules(): CurrentRules;
  purchases: Purchases;
  checkouts: Checkouts;
  orders: Orders;
  sale(): SaleState;
  metrics: Metrics;
  /** Is called for a fault of this program. */
  fault(error: unknown): void;
  now(): Millis;
}

export interface Api {
  purchase: Handler;
  checkout: Handler;
  look(request: IncomingMessage, id: string): Promise<Answer>;
  pay(request: IncomingMessage, body: string, id: string): Promise<Answer>;
  cancel(request: IncomingMessage, id: string): Promise<Answer>;
  sale(): Answer;
}

const UNAVAILABLE: Refusal = { problem: 'unavailable' };

export function createApi({ rules, purchases, checkouts, orders, sale, metrics, fault, now }: ApiDeps): Api {
  const no = (refusal: Refusal): Answer =>
    PROBLEMS[refusal.problem].status === 401
      ? refused(refusal, ['www-authenticate', rules().challenge])
      : refused(refusal);

  /** Faults become answers here, and only here. */
  const failed = (error: unknown): Refusal => {
    fault(error);
    return UNAVAILABLE;
  };

  const purchased = (outcome: Outcome): Answer => {
    if (isRefusal(outcome)) {
      metrics.purchase(outcome.problem);
      return no(outcome);
    }
    const { fresh, token, quantity, left } = outcome;
    metrics.purchase(fresh ? 'fresh' : 'again');
    const sku = JSON.stringify(rules().sale.sku);
    return json(
      fresh ? 201 : 200,
      `{"token":"${token}","quantity":${quantity},"expiresInMs":${Math.max(0, Math.round(left))},"sku":${sku}}`,
    );
  };

  const checkedOut = (outcome: CheckedOut | Refusal, started: Millis): Answer => {
    metrics.checkoutTook(now() - started);
    if (isRefusal(outcome)) {
      metrics.checkout(outcome.problem);
      return no(outcome);
    }
    metrics.checkout(outcome.sold ? 'sold' : 'known');
    return json(outcome.sold ? 201 : 200, orderJson(outcome));
  };

  /**
   * Where `then` answers at once, nothing is awaited: buyers of a sale that is over are refused that way, as fast as
   * can be.
   */
  const buyerOf = <T>(
    request: IncomingMessage,
    then: (buyer: BuyerId) => T | Refusal | Promise<T | Refusal>,
  ): T | Refusal | Promise<T | Refusal> => {
    try {
      const current = rules();
      const unfit = request.method === 'POST' ? refusalOfWrite(request.headers, current.origins) : undefined;
      if (unfit !== undefined) return unfit;
      const buyer = current.identify(request);
      if (typeof buyer === 'string') return caught(then(buyer));
      if (buyer instanceof Promise) return caught(buyer.then((who) => (typeof who === 'string' ? then(who) : who)));
      return buyer;
    } catch (error) {
      return failed(error);
    }
  };
  const caught = <T>(answer: T | Promise<T | Refusal>): T | Promise<T | Refusal> =>
    answer instanceof Promise ? answer.catch(failed) : answer;

  const order = async (
    request: IncomingMessage,
    done: string,
    act: (buyer: BuyerId) => Promise<OrderState | Refusal> | Refusal,
  ): Promise<Answer> => {
    const outcome = await buyerOf<OrderState>(request, act);
    metrics.order(isRefusal(outcome) ? outcome.problem : done);
    return isRefusal(outcome) ? no(outcome) : json(200, orderJson(outcome), ['cache-control', 'no-store']);
  };

  return {
    purchase(request, body) {
      const outcome = buyerOf(request, (buyer) => {
        const quantity = purchaseBody(body);
        return typeof quantity === 'number' ? purchases.purchase(buyer, quantity) : quantity;
      });
      if (!(outcome instanceof Promise)) return purchased(outcome);
      const started = now();
      return outcome.then((known) => {
        metrics.purchaseTook(now() - started);
        return purchased(known);
      });
    },
    async checkout(request, body) {
      const started = now();
      const outcome = await buyerOf(request, (buyer) => {
        const token = checkoutBody(body);
        return typeof token === 'string' ? checkouts.checkout(buyer, token) : token;
      });
      return checkedOut(outcome, started);
    },
    look: (request, id) => order(request, 'shown', (buyer) => orders.look(buyer, id)),
    pay: (request, body, id) =>
      order(request, 'paid', (buyer) => {
        const paymentId = payBody(body);
        return typeof paymentId === 'string' ? orders.pay(buyer, id, paymentId) : paymentId;
      }),
    cancel: (request, id) => order(request, 'cancelled', (buyer) => orders.cancel(buyer, id)),
    sale: () => json(200, JSON.stringify(sale()), ['cache-control', 'max-age=1']),
  };
}

function orderJson(state: CheckedOut | OrderState): string {
  const { order, quantity, status, payWithin } = state;
  const paymentId = 'paymentId' in state ? state.paymentId : undefined;
  return JSON.stringify({
    order,
    quantity,
    status,
    ...(payWithin === undefined ? {} : { payWithinMs: Math.max(0, Math.round(payWithin)) }),
    ...(paymentId === undefined ? {} : { paymentId }),
  });
}
