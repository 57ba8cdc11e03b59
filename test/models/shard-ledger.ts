// The ledger of a shard: one row for each version, in commit order, whose deltas add up to the stock.

import type { OrderEvent, OrderEventKind, Transfer } from '../../dataplane/protocol/messages.ts';
import {
  type Incarnation,
  type Millis,
  orderId,
  type ShardId,
  type StockHolderId,
  type Units,
  type Version,
} from '../../dataplane/protocol/units.ts';
import type { OrderRow } from './shard-orders.ts';
import { Mistake } from './sync.ts';

export type LedgerKind = 'supply' | 'order' | 'cancel' | 'pay' | 'refund_due' | 'transfer_out' | 'transfer_in';

export interface LedgerRow {
  version: Version;
  kind: LedgerKind;
  delta: Units;
  /** What caused it, once per kind. */
  ref: string;
  at: Millis;
  /** Of transfers: the other hop, and where the stock is to end. */
  peer?: StockHolderId;
  destination?: StockHolderId;
  /** Of transfers that left: the version of the transfer to the same hop before. */
  previous?: Version;
  /** Of transfers that came: the sender's version. */
  peerVersion?: Version;
  paymentId?: string;
}

/** What a row alone does not say of its database. */
interface Owner {
  incarnation: Incarnation | undefined;
  self: StockHolderId | undefined;
  peerIncarnation: Incarnation;
}

export class Ledger {
  readonly rows: LedgerRow[] = [];
  /** The stock. */
  sum: Units = 0;
  /** Units that ever left and ever came by transfers, those that were passed on included. */
  out: Units = 0;
  in: Units = 0;
  readonly #out = new Map<StockHolderId, LedgerRow[]>();
  readonly #refs = new Set<string>();

  write(row: Omit<LedgerRow, 'version' | 'at'>, at: Millis): void {
    const name = `${row.kind} ${row.ref}`;
    if (this.#refs.has(name)) throw new Mistake(`the ledger has a row for ${name}`);
    this.#refs.add(name);
    const written: LedgerRow = { ...row, version: this.rows.length + 1, at };
    this.rows.push(written);
    this.sum += row.delta;
    if (row.kind === 'transfer_in') this.in += row.delta;
    if (row.kind !== 'transfer_out' || row.peer === undefined) return;
    this.out -= row.delta;
    const earlier = this.#out.get(row.peer);
    if (earlier) earlier.push(written);
    else this.#out.set(row.peer, [written]);
  }

  has(kind: LedgerKind, ref: string): boolean {
    return this.#refs.has(`${kind} ${ref}`);
  }

  /** The version of the newest transfer to the hop; 0: there is none. */
  lastTo(hop: StockHolderId): Version {
    return this.#out.get(hop)?.at(-1)?.version ?? 0;
  }

  /** Transfers to the hop above a version, oldest first. */
  to(hop: StockHolderId, above: Version, limit: number): LedgerRow[] {
    const rows = this.#out.get(hop) ?? [];
    const first = rows.findIndex(({ version }) => version > above);
    return first < 0 ? [] : rows.slice(first, first + limit);
  }
}

/** The transfer that the row is; none if it is another kind of row. */
export function transferOf(row: LedgerRow, owner: Owner): Transfer[] {
  const { kind, peer: to, destination, previous, version, delta } = row;
  const { incarnation, self: from, peerIncarnation: fromIncarnation } = owner;
  if (kind !== 'transfer_out' || !to || !destination || !from || !incarnation || previous === undefined) return [];
  return [{ incarnation, from, fromIncarnation, to, destination, units: -delta, version, previous }];
}

const EVENTS: Partial<Record<LedgerKind, OrderEventKind>> = {
  order: 'placed',
  pay: 'paid',
  cancel: 'cancelled',
  refund_due: 'refund-due',
};

/** What the merchant is told of the row; undefined: nothing. */
export function eventOf(row: LedgerRow, order: OrderRow, owner: Owner): OrderEvent | undefined {
  const kind = EVENTS[row.kind];
  if (kind === undefined || owner.incarnation === undefined) return undefined;
  const shard = owner.self as ShardId;
  return {
    incarnation: owner.incarnation,
    order: orderId(shard, order.token),
    shard,
    version: row.version,
    kind,
    buyer: order.buyer,
    quantity: order.quantity,
    ...(row.paymentId === undefined ? {} : { paymentId: row.paymentId }),
    at: Math.floor(row.at),
  };
}
