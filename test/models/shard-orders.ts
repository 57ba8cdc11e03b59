// The orders of a shard: at most one for each token.

import type { BuyerId, Millis, NodeId, TokenId, Units } from '../../dataplane/protocol/units.ts';
import type { CheckoutRow, Order, OrderStatus } from '../../dataplane/stores/shard/shard.ts';
import { LOCK_WAIT } from './shard-fences.ts';

export interface OrderRow extends CheckoutRow {
  status: OrderStatus;
  placedAt: Millis;
  /** For payment; undefined: the order is final. */
  deadline: Millis | undefined;
  paymentId?: string;
}

export class Orders {
  readonly rows = new Map<TokenId, OrderRow>();
  /** Those that wait for payment, so that looking for overdue ones reads none of the others. */
  readonly placed = new Set<OrderRow>();
  readonly #now: () => Millis;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  get(token: TokenId): OrderRow | undefined {
    return this.rows.get(token);
  }

  /** `early`: as a statement sees it that read before it waited for the lock. */
  has(token: TokenId, early: boolean): boolean {
    const order = this.rows.get(token);
    return order !== undefined && !(early && order.placedAt > this.#now() - LOCK_WAIT);
  }

  place(row: CheckoutRow, paymentDeadline: Millis | undefined): void {
    const now = this.#now();
    const deadline = paymentDeadline === undefined ? undefined : now + paymentDeadline;
    const order: OrderRow = { ...row, status: deadline === undefined ? 'final' : 'placed', placedAt: now, deadline };
    this.rows.set(row.token, order);
    if (order.status === 'placed') this.placed.add(order);
  }

  pay(order: OrderRow, paymentId: string): void {
    order.status = 'paid';
    order.paymentId = paymentId;
    this.placed.delete(order);
  }

  cancel(order: OrderRow): void {
    order.status = 'cancelled';
    this.placed.delete(order);
  }

  /** The longest overdue first. */
  overdue(): OrderRow[] {
    const now = this.#now();
    const due = [...this.placed].filter(({ deadline = Number.POSITIVE_INFINITY }) => deadline <= now);
    return due.sort((a, b) => (a.deadline ?? 0) - (b.deadline ?? 0));
  }

  /** What its buyer is told of an order. */
  describe({ token, buyer, quantity, status, deadline, paymentId }: OrderRow): Order {
    return {
      ...{ token, buyer, quantity, status },
      ...(paymentId === undefined ? {} : { paymentId }),
      ...(status === 'placed' && deadline !== undefined
        ? { payWithin: Math.max(0, Math.floor(deadline - this.#now())) }
        : {}),
    };
  }

  /** Units ever ordered through the node. */
  through(node: NodeId): Units {
    let units = 0;
    for (const order of this.rows.values()) if (order.node === node) units += order.quantity;
    return units;
  }

  byBuyer(): Map<BuyerId, Units> {
    const units = new Map<BuyerId, Units>();
    for (const { buyer, quantity } of this.rows.values()) units.set(buyer, (units.get(buyer) ?? 0) + quantity);
    return units;
  }
}
