// One shard's database as the protocol has it: an executable specification of dataplane/stores/shard/sql. Each method is one
// transaction under the stock row's lock. The ledger has a row for every version, so everything else can be checked
// against it.

import { type Command, type CommandId, newer, type Transfer } from '../../../dataplane/protocol/messages.ts';
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
} from '../../../dataplane/protocol/units.ts';
import { StoreUnknown, WrongIncarnation } from '../../../dataplane/stores/errors.ts';
import type { CheckoutOutcome, CheckoutRow, ShardState } from '../../../dataplane/stores/shard/shard.ts';
import type { Endpoint } from '../engine/sim.ts';
import type { Without } from '../sentences.ts';
import { Violation } from './violation.ts';

type LedgerKind = 'supply' | 'order' | 'cancel' | 'pay' | 'refund_due' | 'transfer_out' | 'transfer_in';

export interface LedgerRow {
  version: Version;
  kind: LedgerKind;
  delta: Units;
  ref: string;
  /** Of transfers: the other hop, and where the stock is to end. */
  peer?: StockHolderId;
  destination?: StockHolderId;
  previous?: Version;
  peerVersion?: Version;
}

export interface OrderRow extends CheckoutRow {
  status: 'placed' | 'paid' | 'cancelled' | 'final';
  deadline: Millis | undefined;
  paymentId?: string;
}

type Fence = { epoch: Epoch; lowWatermark: SequenceNumber };
export type Fences = ReadonlyMap<NodeId, Fence>;

export class ShardModel implements Endpoint {
  readonly name: string;
  readonly peer: StockHolderId;
  up = true;
  incarnation: Incarnation | undefined;
  readonly shardIncarnation: Incarnation;
  available: Units = 0;
  sold: Units = 0;
  cancelled: Units = 0;
  missed: Units = 0;
  missedMax: Units = 0;
  received: Units = 0;
  command: CommandId = { term: 0, sequence: 0 };
  /** Units that ever left by transfers, and that ever came by them, passed on ones included. */
  out: Units = 0;
  in: Units = 0;
  readonly ledger: LedgerRow[] = [];
  readonly orders = new Map<TokenId, OrderRow>();
  readonly sent = new Map<StockHolderId, Units>();
  readonly receivedVersions = new Map<StockHolderId, Version>();
  /** The last transfer to each hop. */
  readonly #lastTo = new Map<StockHolderId, Version>();
  readonly #fences = new Map<NodeId, Fence>();
  readonly #refs = new Set<string>();
  protected readonly without: Without;

  constructor(peer: StockHolderId, without: Without) {
    this.peer = peer;
    this.name = peer;
    this.shardIncarnation = `database of ${peer}`;
    this.without = without;
  }

  get version(): Version {
    return this.ledger.length;
  }

  // ── membership ──────────────────────────────────────────────────────────────────────────────────────────────────

  join(incarnation: Incarnation, epochs: readonly { node: NodeId; epoch: Epoch }[]): void {
    this.incarnation ??= incarnation;
    this.#ours(incarnation);
    for (const { node, epoch } of epochs) this.#fence(node, epoch);
  }

  /** A shard that entered the registry and has not joined yet refuses; it copies the epochs when it does. */
  raiseEpoch(incarnation: Incarnation, node: NodeId, epoch: Epoch): void {
    this.#ours(incarnation);
    this.#fence(node, epoch);
  }

  #fence(node: NodeId, epoch: Epoch): void {
    const last = this.#fences.get(node);
    if (last && last.epoch >= epoch && !this.without('epochs-only-rise')) return;
    const lowWatermark = this.without('epoch-resets-closed') ? (last?.lowWatermark ?? 0) : 0;
    this.#fences.set(node, { epoch, lowWatermark });
  }

  // ── orders ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What a statement that began before its wait for the lock would see. */
  snapshot(): Fences {
    return new Map([...this.#fences].map(([node, fence]) => [node, { ...fence }]));
  }

  checkout(
    incarnation: Incarnation,
    rows: readonly CheckoutRow[],
    deadline: Millis | undefined,
    fences: Fences = this.#fences,
  ): CheckoutOutcome[] {
    this.#ours(incarnation);
    return rows.map((row) => {
      const refused = this.#refused(row, fences);
      if (refused && this.without('known-first')) return 'expired';
      const order = this.orders.get(row.token);
      if (order) return order.status === 'cancelled' ? 'cancelled' : 'known';
      if (refused) return 'expired';
      if (this.available < row.quantity) {
        this.missed += row.quantity;
        this.missedMax = Math.max(this.missedMax, row.quantity);
        return 'short';
      }
      this.write({ kind: 'order', delta: -row.quantity, ref: row.token });
      this.orders.set(row.token, { ...row, status: deadline === undefined ? 'final' : 'placed', deadline });
      this.sold += row.quantity;
      return 'sold';
    });
  }

  /** Whether it has an order for the token, or would make one if it had the stock. */
  accepts(token: Pick<CheckoutRow, 'token' | 'node' | 'epoch' | 'sequence'>): boolean {
    return this.orders.has(token.token) || !this.#refused(token, this.#fences);
  }

  #refused({ node, epoch, sequence }: Pick<CheckoutRow, 'node' | 'epoch' | 'sequence'>, fences: Fences): boolean {
    const fence = fences.get(node);
    if (!this.without('epoch-refused') && fence?.epoch !== epoch) return true;
    return !this.without('closed-refused') && sequence <= (fence?.lowWatermark ?? 0);
  }

  /** Undefined: another epoch. */
  closeTokens(
    incarnation: Incarnation,
    node: NodeId,
    epoch: Epoch,
    upTo: SequenceNumber,
    tokens: readonly TokenId[],
  ): Set<TokenId> | undefined {
    this.#ours(incarnation);
    const fence = this.#fences.get(node);
    if (!this.without('close-checks-epoch') && fence?.epoch !== epoch) return undefined;
    if (fence) fence.lowWatermark = Math.max(fence.lowWatermark, upTo);
    return this.ordered(tokens);
  }

  ordered(tokens: readonly TokenId[]): Set<TokenId> {
    return new Set(tokens.filter((token) => this.orders.has(token)));
  }

  orderedThrough(incarnation: Incarnation, node: NodeId): Units {
    this.#ours(incarnation);
    let units = 0;
    for (const order of this.orders.values()) if (order.node === node) units += order.quantity;
    return units;
  }

  orderedByBuyer(incarnation: Incarnation): Map<BuyerId, Units> {
    this.#ours(incarnation);
    const units = new Map<BuyerId, Units>();
    for (const { buyer, quantity } of this.orders.values()) units.set(buyer, (units.get(buyer) ?? 0) + quantity);
    return units;
  }

  pay(token: TokenId, paymentId: string): 'paid' | 'refund' | 'final' | 'unknown' {
    const order = this.orders.get(token);
    if (!order) return 'unknown';
    if (order.status === 'final') return 'final';
    if (order.status === 'paid' && order.paymentId === paymentId) return 'paid';
    if (order.status === 'placed') {
      this.write({ kind: 'pay', delta: 0, ref: token });
      order.status = 'paid';
      order.paymentId = paymentId;
      return 'paid';
    }
    if (!this.#refs.has(`refund_due ${token}/${paymentId}`))
      this.write({ kind: 'refund_due', delta: 0, ref: `${token}/${paymentId}` });
    return 'refund';
  }

  cancel(token: TokenId): OrderRow['status'] | 'unknown' {
    const order = this.orders.get(token);
    if (order?.status !== 'placed') return order?.status ?? 'unknown';
    this.write({ kind: 'cancel', delta: order.quantity, ref: token });
    order.status = 'cancelled';
    this.cancelled += order.quantity;
    return 'cancelled';
  }

  cancelOverdue(now: Millis): void {
    for (const order of this.orders.values())
      if (order.deadline !== undefined && order.deadline <= now) this.cancel(order.token);
  }

  // ── transfers ───────────────────────────────────────────────────────────────────────────────────────────────────

  protected dealable(): Units {
    return this.available;
  }

  execute(command: Command): Transfer[] {
    this.#ours(command.incarnation);
    if (!newer(command, this.command)) return [];
    const { version } = this;
    for (const { destination, units } of command.legs) {
      const given = Math.min(units, this.dealable());
      if (given <= 0) continue;
      const ref = `${command.term}.${command.sequence}.${destination}`;
      this.#send(this.peer === 'pool' ? destination : 'pool', destination, given, ref);
      this.sent.set(destination, (this.sent.get(destination) ?? 0) + given);
    }
    this.command = { term: command.term, sequence: command.sequence };
    return this.#transfers((row) => row.version > version);
  }

  receive(transfer: Transfer): { applied: boolean; forwarded: Transfer[] } {
    this.#ours(transfer.incarnation);
    const last = this.receivedVersions.get(transfer.from) ?? 0;
    const fits = this.without('chained-transfers') ? transfer.version > last : transfer.previous === last;
    if (!fits) return { applied: false, forwarded: [] };
    const { from: peer, destination, units, version: peerVersion } = transfer;
    const ref = `${peer}@${peerVersion}`;
    this.receivedVersions.set(peer, peerVersion);
    this.write({ kind: 'transfer_in', delta: units, ref, peer, destination, peerVersion });
    if (destination === this.peer) {
      this.received += units;
      return { applied: true, forwarded: [] };
    }
    const { version } = this;
    this.#send(destination, destination, units, ref);
    return { applied: true, forwarded: this.#transfers((row) => row.version > version) };
  }

  transfersTo(hop: StockHolderId, above: Version): Transfer[] {
    return this.#transfers((row) => row.peer === hop && row.version > above);
  }

  #send(hop: StockHolderId, destination: StockHolderId, units: Units, ref: string): void {
    const previous = this.#lastTo.get(hop) ?? 0;
    this.write({ kind: 'transfer_out', delta: -units, ref, peer: hop, destination, previous });
    this.#lastTo.set(hop, this.version);
  }

  #transfers(which: (row: LedgerRow) => boolean): Transfer[] {
    return this.ledger.flatMap((row) => {
      const { kind, peer: to, destination, previous, version, delta } = row;
      if (kind !== 'transfer_out' || !to || !destination || previous === undefined || !which(row)) return [];
      const incarnation = this.incarnation ?? '';
      const fromIncarnation = this.shardIncarnation;
      return [{ incarnation, from: this.peer, fromIncarnation, to, destination, units: -delta, version, previous }];
    });
  }

  // ── state ───────────────────────────────────────────────────────────────────────────────────────────────────────

  state(): ShardState {
    const { incarnation, version, available, sold, cancelled, missed, missedMax, received, command } = this;
    return {
      peerIncarnation: this.shardIncarnation,
      incarnation,
      version,
      available,
      sold,
      cancelled,
      missed,
      missedMax,
      sent: Object.fromEntries(this.sent),
      received,
      receivedVersions: Object.fromEntries(this.receivedVersions),
      command,
    };
  }

  #ours(incarnation: Incarnation): void {
    if (this.incarnation === undefined) throw new StoreUnknown(`${this.name} has not joined`);
    if (this.incarnation !== incarnation) throw new WrongIncarnation(this.name);
  }

  protected write(row: Omit<LedgerRow, 'version'>): void {
    const key = `${row.kind} ${row.ref}`;
    if (this.#refs.has(key)) throw new Violation(`R10: ${this.name} wrote ${key} twice`);
    this.#refs.add(key);
    this.ledger.push({ ...row, version: this.version + 1 });
    this.available += row.delta;
    if (row.kind === 'transfer_out') this.out -= row.delta;
    if (row.kind === 'transfer_in') this.in += row.delta;
    if (this.available < 0) throw new Violation(`R26: ${this.name} has ${this.available} units`);
  }
}
