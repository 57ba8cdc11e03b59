// The shard tier as plain data: what the SQL must do, one call after the other, without a database. For the property
// test, which makes the same calls of both and compares.

import type { Transfer } from '../../../dataplane/protocol/messages.ts';
import type {
  Epoch,
  NodeId,
  SequenceNumber,
  StockHolderId,
  TokenId,
  Units,
  Version,
} from '../../../dataplane/protocol/units.ts';
import type { CheckoutOutcome, CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';

interface ModelOrder {
  buyer: string;
  quantity: Units;
  status: 'placed' | 'paid' | 'cancelled' | 'final';
  payment?: string;
}

export class ModelShard {
  readonly self: StockHolderId;
  available = 0;
  version: Version = 0;
  sold = 0;
  cancelled = 0;
  missed = 0;
  missedMax = 0;
  received = 0;
  readonly orders = new Map<TokenId, ModelOrder>();
  readonly refunds = new Set<string>();
  readonly nodes = new Map<NodeId, { epoch: Epoch; closed: SequenceNumber }>();
  readonly sent = new Map<StockHolderId, Units>();
  readonly receivedVersions = new Map<StockHolderId, Version>();
  readonly out: Transfer[] = [];
  command: [number, number] = [0, 0];
  /** The pool's: kept back when it deals out. */
  owed: Units = 0;

  constructor(self: StockHolderId) {
    this.self = self;
  }

  /** One more ledger row. */
  #write(delta: Units): Version {
    this.available += delta;
    this.version += 1;
    return this.version;
  }

  supply(units: Units): void {
    this.#write(units);
  }

  checkout(row: CheckoutRow, final: boolean): CheckoutOutcome {
    const order = this.orders.get(row.token);
    if (order) return order.status === 'cancelled' ? 'cancelled' : 'known';
    const node = this.nodes.get(row.node);
    if (node?.epoch !== row.epoch || row.sequence <= node.closed) return 'expired';
    if (row.quantity > this.available) {
      this.missed += row.quantity;
      this.missedMax = Math.max(this.missedMax, row.quantity);
      return 'short';
    }
    this.#write(-row.quantity);
    this.sold += row.quantity;
    this.orders.set(row.token, { buyer: row.buyer, quantity: row.quantity, status: final ? 'final' : 'placed' });
    return 'sold';
  }

  pay(token: TokenId, buyer: string, payment: string): string {
    const order = this.orders.get(token);
    if (order?.buyer !== buyer) return 'unknown';
    if (order.status === 'final') return 'final';
    if (order.status === 'placed') {
      order.status = 'paid';
      order.payment = payment;
      this.#write(0);
      return 'paid';
    }
    if (order.status === 'paid' && order.payment === payment) return 'paid';
    const refund = `${token}/${payment}`;
    if (!this.refunds.has(refund)) this.#write(0);
    this.refunds.add(refund);
    return 'refund';
  }

  cancel(token: TokenId, buyer: string): string {
    const order = this.orders.get(token);
    if (order?.buyer !== buyer) return 'unknown';
    if (order.status === 'placed') {
      order.status = 'cancelled';
      this.cancelled += order.quantity;
      this.#write(order.quantity);
    }
    return order.status;
  }

  close(node: NodeId, epoch: Epoch, upTo: SequenceNumber, tokens: TokenId[]): Set<TokenId> | undefined {
    const fence = this.nodes.get(node);
    if (fence?.epoch !== epoch) return undefined;
    fence.closed = Math.max(fence.closed, upTo);
    return new Set(tokens.filter((t) => this.orders.has(t)));
  }

  raiseEpoch(node: NodeId, epoch: Epoch): void {
    if ((this.nodes.get(node)?.epoch ?? -1) < epoch) this.nodes.set(node, { epoch, closed: 0 });
  }

  #send(hop: StockHolderId, destination: StockHolderId, units: Units): Transfer {
    const previous = this.out.filter((t) => t.to === hop).at(-1)?.version ?? 0;
    const transfer: Transfer = {
      incarnation: '',
      from: this.self,
      fromIncarnation: '',
      to: hop,
      destination,
      units,
      version: this.#write(-units),
      previous,
    };
    this.out.push(transfer);
    return transfer;
  }

  execute(term: number, sequence: number, legs: { destination: StockHolderId; units: Units }[]): Transfer[] {
    if (term < this.command[0] || (term === this.command[0] && sequence <= this.command[1])) return [];
    this.command = [term, sequence];
    const made: Transfer[] = [];
    for (const { destination, units } of legs) {
      const given = Math.min(units, this.available - this.owed);
      if (destination === this.self || given <= 0) continue;
      made.push(this.#send(this.self === 'pool' ? destination : 'pool', destination, given));
      this.sent.set(destination, (this.sent.get(destination) ?? 0) + given);
    }
    return made;
  }

  receive(t: Transfer): { applied: boolean; forwarded: Transfer[] } {
    if ((this.receivedVersions.get(t.from) ?? 0) !== t.previous) return { applied: false, forwarded: [] };
    this.receivedVersions.set(t.from, t.version);
    this.#write(t.units);
    if (t.destination !== this.self)
      return { applied: true, forwarded: [this.#send(t.destination, t.destination, t.units)] };
    this.received += t.units;
    return { applied: true, forwarded: [] };
  }
}

export class ModelSale {
  generation = 0;
  target: Units = 0;
  supplied: Units = 0;
  credited = new Map<StockHolderId, Units>();
  readonly nodes = new Map<NodeId, { granted: Units; revoked: Units; epoch: Epoch }>();
  readonly pool: ModelShard;

  constructor(pool: ModelShard, nodes: NodeId[]) {
    this.pool = pool;
    for (const id of nodes) this.nodes.set(id, { granted: 0, revoked: 0, epoch: 0 });
  }

  #supply(units: Units): void {
    this.supplied += units;
    this.pool.supply(units);
  }

  setSupply(generation: number, target: Units): boolean {
    if (generation <= this.generation) return false;
    this.generation = generation;
    this.target = target;
    const raise = target - (this.supplied - this.pool.owed);
    if (raise <= 0) return true;
    const unowed = Math.min(this.pool.owed, raise);
    this.pool.owed -= unowed;
    if (raise > unowed) this.#supply(raise - unowed);
    const poorestFirst = [...this.nodes.values()].sort((a, b) => a.granted - a.revoked - (b.granted - b.revoked));
    poorestFirst.forEach((node, place) => {
      node.granted += Math.floor(raise / this.nodes.size) + (place < raise % this.nodes.size ? 1 : 0);
    });
    return true;
  }

  book(id: NodeId, epoch: Epoch, total: Units, to: NodeId): { booked: Units; owed: Units; granted: Units } {
    const node = this.nodes.get(id);
    const heir = this.nodes.get(to);
    if (!node || !heir || node.epoch !== epoch || total <= node.revoked) return { booked: 0, owed: 0, granted: 0 };
    const booked = total - node.revoked;
    const owed = Math.min(booked, Math.max(0, this.supplied - this.pool.owed - this.target));
    node.revoked = total;
    heir.granted += booked - owed;
    this.pool.owed += owed;
    return { booked, owed, granted: booked - owed };
  }

  credit(shard: StockHolderId, total: Units, to: NodeId): Units {
    const units = total - (this.credited.get(shard) ?? 0);
    const heir = this.nodes.get(to);
    if (units <= 0 || !heir) return 0;
    this.credited.set(shard, total);
    heir.granted += units;
    return units;
  }

  payOwed(): Units {
    const units = Math.min(this.pool.owed, this.pool.available);
    if (units > 0) {
      this.pool.owed -= units;
      this.#supply(-units);
    }
    return units;
  }

  raiseEpoch(id: NodeId, from: Epoch): Epoch | undefined {
    const node = this.nodes.get(id);
    if (node?.epoch !== from) return undefined;
    node.epoch += 1;
    return node.epoch;
  }
}
