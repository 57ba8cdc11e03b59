// One buyer at a time against a test's sale, for what a crowd does not do: pay, ask for an order, meet a pause.

import { type Answer, openShop } from '../../operator/load/shop.ts';
import type { TestSale } from './sale.ts';
import { until } from './until.ts';

export interface TestShop {
  purchase(buyer: string, quantity?: number): Promise<Answer>;
  checkout(buyer: string, token: string): Promise<Answer>;
  /** A purchase and its checkout; throws when either is refused. */
  buy(buyer: string): Promise<{ order: string }>;
  pay(buyer: string, order: string, paymentId: string): Promise<Answer>;
  cancel(buyer: string, order: string): Promise<Answer>;
  close(): Promise<void>;
}

/** Told to come again: nothing was decided. */
const AGAIN = new Set(['shortage', 'unavailable']);

export function testShop(sale: Pick<TestSale, 'config' | 'storefrontUrls'>): TestShop {
  const { auth } = sale.config;
  if (auth.kind !== 'header') throw new Error('buyers are named by a trusted header');
  const shop = openShop(sale.storefrontUrls(), { connections: 4, timeout: 10_000, header: auth.header });
  const post = (path: string, buyer: string, body: unknown): Promise<Answer> =>
    until(`an answer to ${path}`, async () => {
      const answer = await shop.post(path, buyer, body);
      return !AGAIN.has(answer.problem ?? '') && answer;
    });
  const purchase = (buyer: string, quantity = 1) => post('/purchase', buyer, { quantity });
  const checkout = (buyer: string, token: string) => post('/checkout', buyer, { token });
  const sure = (answer: Answer): Record<string, unknown> => {
    if (answer.problem !== undefined) throw new Error(`refused: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  return {
    purchase,
    checkout,
    async buy(buyer) {
      const { token } = sure(await purchase(buyer));
      const { order } = sure(await checkout(buyer, String(token)));
      return { order: String(order) };
    },
    pay: (buyer, order, paymentId) => post(`/orders/${order}/pay`, buyer, { paymentId }),
    cancel: (buyer, order) => post(`/orders/${order}/cancel`, buyer, {}),
    close: () => shop.close(),
  };
}
