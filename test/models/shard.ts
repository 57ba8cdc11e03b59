// One shard's database as the protocol has it: an executable specification of dataplane/stores/shard/sql. Each method is
// one function, in a transaction of its own under the stock row's lock. test/integration/shard-sql/model.test.ts holds it
// to the real functions on a real PostgreSQL; the simulation sells from it.

import {
  type Command,
  type CommandId,
  newer,
  type OrderEvent,
  type Transfer,
} from '../../dataplane/protocol/messages.ts';
import type {
  BuyerId,
  Epoch,
  Incarnation,
  Millis,
  NodeId,
  SequenceNumber,
  StockHolderId,
  TokenId,
  Units,
  Version,
} from '../../dataplane/protocol/units.ts';
import { StoreUnknown, WrongIncarnation } from '../../dataplane/stores/errors.ts';
import type {
  AgentShard,
  CacheShard,
  CheckoutOutcome,
  CheckoutRow,
  Order,
  OrderAnswer,
  OrderStatus,
  ShardInfo,
  ShardState,
  StorefrontShard,
} from '../../dataplane/stores/shard/shard.ts';
import { type WithoutStore, withAll } from './sentences.ts';
import { Fences } from './shard-fences.ts';
import { eventOf, Ledger, type LedgerRow, transferOf } from './shard-ledger.ts';
import { type OrderRow, Orders } from './shard-orders.ts';
import { type Calls, Mistake, Refused } from './sync.ts';

export interface ShardOptions {
  /** The shard's own clock. */
  now: () => Millis;
  /** The life of this database. A database that was made anew has another one. */
  peerIncarnation: Incarnation;
  without?: WithoutStore;
}

/** The lifetime totals of the stock row. */
export interface Totals {
  sold: Units;
  cancelled: Units;
  missed: Units;
  missedMax: Units;
  received: Units;
}

export class ShardModel implements Calls<StorefrontShard>, Calls<CacheShard>, Calls<AgentShard> {
  readonly peerIncarnation: Incarnation;
  incarnation: Incarnation | undefined;
  /** Which shard of the sale it is; undefined until it has joined. */
  self: StockHolderId | undefined;
  readonly totals: Totals = { sold: 0, cancelled: 0, missed: 0, missedMax: 0, received: 0 };
  readonly ledger = new Ledger();
  readonly orders: Orders;
  readonly fences: Fences;
  readonly sent = new Map<StockHolderId, Units>();
  readonly receivedFrom = new Map<StockHolderId, { incarnation: Incarnation; version: Version }>();
  command: CommandId = { term: 0, sequence: 0 };
  relayedUpTo: Version = 0;
  #migrated = false;
  protected readonly now: () => Millis;
  protected readonly without: WithoutStore;

  constructor({ now, peerIncarnation, without = withAll }: ShardOptions) {
    this.now = now;
    this.peerIncarnation = peerIncarnation;
    this.without = without;
    this.orders = new Orders(now);
    this.fences = new Fences(now, without);
  }

  get available(): Units {
    return this.ledger.sum;
  }

  get version(): Version {
    return this.ledger.rows.length;
  }

  // ── membership ──────────────────────────────────────────────────────────────────────────────────────────────────

  migrate(): void {
    this.#migrated = true;
  }

  info(): ShardInfo {
    this.reach();
    return { incarnation: this.incarnation, shardIncarnation: this.peerIncarnation };
  }

  join(
    incarnation: Incarnation,
    self: StockHolderId,
    peerIncarnation: Incarnation,
    epochs: { node: NodeId; epoch: Epoch }[],
  ): void {
    this.reach();
    if (peerIncarnation !== this.peerIncarnation && !this.without('join-names-database'))
      throw new WrongIncarnation('this database is another one than the call was meant for');
    if ((this.incarnation ?? incarnation) !== incarnation)
      throw new WrongIncarnation('this shard belongs to another incarnation of the sale');
    if ((this.self ?? self) !== self) throw new WrongIncarnation('this database is another shard of the sale');
    this.incarnation = incarnation;
    this.self = self;
    for (const { node, epoch } of epochs) this.fences.raise(node, epoch);
  }

  // ── for storefronts ─────────────────────────────────────────────────────────────────────────────────────────────

  checkout(incarnation: Incarnation, rows: CheckoutRow[], paymentDeadline: Millis | undefined): CheckoutOutcome[] {
    if (rows.length === 0) return [];
    this.#ours(incarnation);
    return rows.map((row) => {
      const outcome = this.#classify(row);
      if (outcome === 'short') {
        this.totals.missed += row.quantity;
        this.totals.missedMax = Math.max(this.totals.missedMax, row.quantity);
      }
      if (outcome === 'sold') {
        this.write({ kind: 'order', delta: -row.quantity, ref: row.token });
        this.orders.place(row, paymentDeadline);
        this.totals.sold += row.quantity;
      }
      return outcome;
    });
  }

  #classify(row: CheckoutRow): CheckoutOutcome {
    const refused = this.fences.refuse(row);
    if (refused && this.without('known-first')) return 'expired';
    const order = this.orders.get(row.token);
    if (order) return order.status === 'cancelled' ? 'cancelled' : 'known';
    if (refused) return 'expired';
    return row.quantity <= this.available ? 'sold' : 'short';
  }

  /** Answers whether it has an order for the token, or would make one if it had the stock. */
  accepts(token: Pick<CheckoutRow, 'token' | 'node' | 'epoch' | 'sequence'>): boolean {
    return this.orders.get(token.token) !== undefined || !this.fences.refuse(token);
  }

  order(incarnation: Incarnation, token: TokenId): Order | undefined {
    this.#ours(incarnation);
    const order = this.orders.get(token);
    return order && this.orders.describe(order);
  }

  pay(incarnation: Incarnation, token: TokenId, buyer: BuyerId, paymentId: string): OrderAnswer<'paid' | 'refund'> {
    this.#ours(incarnation);
    const order = this.#orderOf(token, buyer);
    if (order === undefined) return { kind: 'unknown' };
    const kind = this.#pay(order, paymentId);
    return { kind, order: this.orders.describe(order) };
  }

  #pay(order: OrderRow, paymentId: string): 'paid' | 'refund' | 'final' {
    if (order.status === 'final') return 'final';
    if (order.status === 'paid' && order.paymentId === paymentId) return 'paid';
    if (order.status === 'placed' || this.without('paid-stays-paid')) {
      this.orders.pay(order, paymentId);
      this.write({ kind: 'pay', delta: 0, ref: order.token, paymentId });
      return 'paid';
    }
    const ref = `${order.token}/${paymentId}`;
    if (!this.ledger.has('refund_due', ref)) this.write({ kind: 'refund_due', delta: 0, ref, paymentId });
    return 'refund';
  }

  cancel(incarnation: Incarnation, token: TokenId, buyer: BuyerId): OrderAnswer<'cancelled' | 'paid'> {
    this.#ours(incarnation);
    const order = this.#orderOf(token, buyer);
    if (order === undefined) return { kind: 'unknown' };
    if (order.status === 'placed') this.#cancel(order);
    const kind = order.status as Exclude<OrderStatus, 'placed'>;
    return { kind, order: this.orders.describe(order) };
  }

  #orderOf(token: TokenId, buyer: BuyerId): OrderRow | undefined {
    const order = this.orders.get(token);
    return order?.buyer === buyer ? order : undefined;
  }

  #cancel(order: OrderRow): void {
    this.orders.cancel(order);
    this.totals.cancelled += order.quantity;
    this.write({ kind: 'cancel', delta: order.quantity, ref: order.token });
  }

  // ── for cache agents ────────────────────────────────────────────────────────────────────────────────────────────

  closeTokens(
    incarnation: Incarnation,
    node: NodeId,
    epoch: Epoch,
    upTo: SequenceNumber,
    tokens: readonly TokenId[],
  ): Set<TokenId> | undefined {
    this.#ours(incarnation);
    if (!this.fences.close(node, epoch, upTo)) return undefined;
    return new Set(tokens.filter((token) => this.orders.has(token, this.without('close-before-reading'))));
  }

  raiseEpoch(incarnation: Incarnation, node: NodeId, epoch: Epoch): void {
    this.#ours(incarnation);
    this.fences.raise(node, epoch);
  }

  orderedThrough(incarnation: Incarnation, node: NodeId): Units {
    this.#ours(incarnation);
    return this.orders.through(node);
  }

  orderedByBuyer(incarnation: Incarnation): Map<BuyerId, Units> {
    this.#ours(incarnation);
    return this.orders.byBuyer();
  }

  // ── for its own agent ───────────────────────────────────────────────────────────────────────────────────────────

  state(): ShardState {
    this.reach();
    const versions = [...this.receivedFrom].map(([peer, { version }]) => [peer, version]);
    const pool = this.registryTotals();
    return {
      peerIncarnation: this.peerIncarnation,
      incarnation: this.incarnation,
      version: this.version,
      available: this.available,
      ...this.totals,
      sent: Object.fromEntries(this.sent),
      receivedVersions: Object.fromEntries(versions),
      command: { ...this.command },
      ...(pool ? { pool } : {}),
    };
  }

  /** The pool's: what its registry adds to the state. */
  protected registryTotals(): ShardState['pool'] {
    return undefined;
  }

  execute(command: Command): Transfer[] {
    this.#ours(command.incarnation);
    if (!newer(command, this.command) && !this.without('newest-command-wins')) return [];
    const { term, sequence } = command;
    this.command = { term, sequence };
    const before = this.version;
    for (const [i, { destination, units }] of command.legs.entries()) {
      const given = Math.min(units, this.allocatable());
      if (destination === this.self || given <= 0) continue;
      this.#send(this.self === 'pool' ? destination : 'pool', destination, given, `${term}.${sequence}.${i + 1}`);
      this.sent.set(destination, (this.sent.get(destination) ?? 0) + given);
    }
    return this.#transfersAbove(before);
  }

  /** What a command may take; the pool keeps back what it owes. */
  protected allocatable(): Units {
    return this.available;
  }

  receive(transfer: Transfer): { applied: boolean; forwarded: Transfer[] } {
    this.#ours(transfer.incarnation);
    const { from: peer, fromIncarnation, to, destination, units, version, previous } = transfer;
    const passOn = this.passesOn(destination);
    if (to !== this.self || (destination !== this.self && this.self !== 'pool') || units <= 0 || version <= previous)
      throw new Mistake(`a transfer of ${units} units from ${peer} by way of ${to} to ${destination} is not for here`);
    if (!this.knows(peer, fromIncarnation) && !this.without('known-senders'))
      throw new Refused(`${this.self} receives nothing from ${peer}`);
    if (!this.#fits(transfer)) return { applied: false, forwarded: [] };
    const before = this.version;
    const ref = `${peer}@${version}`;
    this.receivedFrom.set(peer, { incarnation: fromIncarnation, version });
    this.write({
      kind: 'transfer_in',
      delta: units,
      ref,
      peer,
      destination: passOn ? destination : to,
      peerVersion: version,
    });
    if (passOn) this.#send(destination, destination, units, ref);
    else this.totals.received += units;
    return { applied: true, forwarded: this.#transfersAbove(before) };
  }

  /** Whether stock may come from there: a shard gets it from the pool only. */
  protected knows(from: StockHolderId, _life: Incarnation): boolean {
    return from === 'pool';
  }

  /** The pool's: whether it sends on what is for that destination. */
  protected passesOn(_destination: StockHolderId): boolean {
    return false;
  }

  #fits({ from, fromIncarnation, version, previous }: Transfer): boolean {
    const last = this.receivedFrom.get(from);
    if (last && last.incarnation !== fromIncarnation) return false;
    if (this.without('chained-transfers')) return version > (last?.version ?? 0);
    return previous === (last?.version ?? 0);
  }

  #send(hop: StockHolderId, destination: StockHolderId, units: Units, ref: string): void {
    const previous = this.ledger.lastTo(hop);
    this.write({ kind: 'transfer_out', delta: -units, ref, peer: hop, destination, previous });
  }

  #transfersAbove(version: Version): Transfer[] {
    return this.ledger.rows.slice(version).flatMap((row) => transferOf(row, this));
  }

  transfersTo(hop: StockHolderId, above: Version, limit: number): Transfer[] {
    this.reach();
    return this.ledger.to(hop, above, limit).flatMap((row) => transferOf(row, this));
  }

  orderEvents(limit: number): OrderEvent[] {
    this.reach();
    const found: OrderEvent[] = [];
    for (const event of this.eventsAbove(this.relayedUpTo)) {
      if (found.length >= limit) break;
      found.push(event);
    }
    // A stretch without order events is not read again.
    if (found.length === 0) this.relayed(this.version);
    return found;
  }

  /** Every event of an order above a version, oldest first: what the merchant is to be told. */
  *eventsAbove(version: Version): Generator<OrderEvent> {
    for (let i = version; i < this.version; i++) {
      const row = this.ledger.rows[i];
      const order = row && this.orders.get(row.ref.split('/')[0] ?? '');
      const event = row && order && eventOf(row, order, this);
      if (event) yield event;
    }
  }

  relayed(upTo: Version): void {
    this.reach();
    this.relayedUpTo = Math.max(this.relayedUpTo, upTo);
  }

  cancelOverdue(limit: number): number {
    this.reach();
    const overdue = this.orders.overdue().slice(0, limit);
    for (const order of overdue) this.#cancel(order);
    return overdue.length;
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Before its migrations the database has none of the functions. */
  protected reach(): void {
    if (!this.#migrated) throw new StoreUnknown('the database is not migrated');
  }

  #ours(incarnation: Incarnation): void {
    this.reach();
    if (this.incarnation === undefined) throw new WrongIncarnation('this shard has not joined a sale');
    if (this.incarnation !== incarnation)
      throw new WrongIncarnation('this shard belongs to another incarnation of the sale');
  }

  protected write(row: Omit<LedgerRow, 'version' | 'at'>): void {
    if (this.available + row.delta < 0) throw new Mistake(`stock would be ${this.available + row.delta}`);
    this.ledger.write(row, this.now());
  }
}
