// The transfer pool's database as the protocol has it: one more shard, which serves no orders, and beside it the
// registry of the sale. An executable specification of the registry in dataplane/stores/shard/sql, held to it by
// test/integration/shard-sql/model.test.ts.

import {
  type Epoch,
  type Incarnation,
  type NodeId,
  nodeId,
  nodeNumber,
  type ShardId,
  type StockHolderId,
  type Units,
} from '../../dataplane/protocol/units.ts';
import { StoreUnknown, WrongIncarnation } from '../../dataplane/stores/errors.ts';
import type {
  AgentRegistry,
  CacheRegistry,
  HeldUnits,
  OperatorRegistry,
  RegistryNode,
  RegistryShard,
  RegistryView,
  ResizeStep,
} from '../../dataplane/stores/registry/registry.ts';
import type { ShardState } from '../../dataplane/stores/shard/shard.ts';
import type { WithoutStore } from './sentences.ts';
import { ShardModel, type ShardOptions } from './shard.ts';
import { type Calls, Mistake } from './sync.ts';

export interface PoolOptions extends ShardOptions {
  /** Draws the incarnation of a sale; never the same one twice. */
  draw: () => Incarnation;
}

/** The one row that all must agree on. */
export interface SaleRow {
  readonly incarnation: Incarnation;
  generation: number;
  /** Counts the supply rows of the generation. */
  part: number;
  target: Units;
  supplied: Units;
  owed: Units;
  layout: number;
  count: number;
  wanted: number;
  resize: ResizeStep;
  resizingTo: number | undefined;
  paused: boolean;
  /** The newest generation of any wish. */
  asked: number;
  term: number;
}

const newSale = (incarnation: Incarnation): SaleRow => ({
  incarnation,
  generation: 0,
  part: 0,
  target: 0,
  supplied: 0,
  owed: 0,
  layout: 0,
  count: 0,
  wanted: 0,
  resize: 'none',
  resizingTo: undefined,
  paused: false,
  asked: 0,
  term: 0,
});

/** The pool's own stock; the registry of the same database is `registry`, because both name a method raiseEpoch. */
export class PoolModel extends ShardModel {
  readonly registry: RegistryModel;

  constructor(options: PoolOptions) {
    super(options);
    this.registry = new RegistryModel(this, options.draw, this.without);
  }

  protected override allocatable(): Units {
    const owed = this.without('owed-not-allocated') ? 0 : (this.registry.sale?.owed ?? 0);
    return this.available - owed;
  }

  protected override knows(from: StockHolderId, life: Incarnation): boolean {
    return from !== 'pool' && this.registry.shards.get(from)?.shardIncarnation === life;
  }

  protected override passesOn(destination: StockHolderId): boolean {
    return destination !== 'pool' && this.registry.shards.has(destination);
  }

  protected override registryTotals(): ShardState['pool'] {
    const { sale } = this.registry;
    if (sale === undefined) return undefined;
    const { owed, supplied, target } = sale;
    return { owed, allocatable: Math.max(0, this.available - owed), supplied, target };
  }

  /** For the registry: throws while the database is not migrated. */
  opened(): void {
    this.reach();
  }

  /** For the registry: one more supply row. */
  supply(units: Units, ref: string): void {
    this.write({ kind: 'supply', delta: units, ref });
  }
}

export class RegistryModel implements Calls<OperatorRegistry>, Calls<CacheRegistry>, Calls<AgentRegistry> {
  sale: SaleRow | undefined;
  readonly nodes = new Map<NodeId, RegistryNode>();
  readonly shards = new Map<ShardId, RegistryShard>();
  readonly #pool: PoolModel;
  readonly #draw: () => Incarnation;
  readonly #without: WithoutStore;

  constructor(pool: PoolModel, draw: () => Incarnation, without: WithoutStore) {
    this.#pool = pool;
    this.#draw = draw;
    this.#without = without;
  }

  read(): RegistryView | undefined {
    this.#pool.opened();
    if (this.sale === undefined) return undefined;
    const { incarnation, generation, target, supplied, owed, layout, count, resize, resizingTo, wanted, paused, term } =
      this.sale;
    const byNumber = (a: { id: string }, b: { id: string }) => Number(a.id.slice(1)) - Number(b.id.slice(1));
    return {
      ...{ incarnation, generation, target, supplied, owed, layout, count },
      wantedCount: this.#without('wanted-itself') ? (resizingTo ?? wanted) : wanted,
      ...{ resize, resizingTo: resizingTo ?? null, paused, term },
      nodes: [...this.nodes.values()].map((node) => ({ ...node })).sort(byNumber),
      shards: [...this.shards.values()].map((shard) => ({ ...shard })).sort(byNumber),
    };
  }

  // ── for the operator ────────────────────────────────────────────────────────────────────────────────────────────

  setSupply(incarnation: Incarnation, generation: number, target: Units): boolean {
    const sale = this.#lock(incarnation);
    if (sale.count === 0) throw new StoreUnknown('no cache nodes to grant supply to: wantNodes comes first');
    if (generation <= sale.generation && !this.#without('newer-generation')) return false;
    if (generation < sale.asked && !this.#without('newest-supply')) return false;
    if (target < 0) throw new Mistake(`a target of ${target} units`);
    sale.asked = generation;
    const reached = this.#without('raise-by-reached') ? sale.target : sale.supplied - sale.owed;
    const raise = target - reached;
    const unowed = this.#without('unowe-first') ? 0 : Math.max(0, Math.min(sale.owed, raise));
    sale.part = generation === sale.generation ? sale.part : 0;
    sale.generation = generation;
    sale.target = target;
    sale.owed -= unowed;
    if (raise > unowed) this.#supply(sale, raise - unowed);
    if (raise > 0) this.#grantEvenly(sale, raise);
    return true;
  }

  #supply(sale: SaleRow, units: Units): void {
    sale.supplied += units;
    sale.part += 1;
    this.#pool.supply(units, `${sale.generation}.${sale.part}`);
  }

  /** To the reachable ones of the nodes that stay, the poorest first; to all of them if none is reachable. */
  #grantEvenly({ count, resizingTo, wanted }: SaleRow, units: Units): void {
    const stay = Math.min(count, resizingTo ?? wanted);
    const staying = [...this.nodes.values()].filter(({ id }) => nodeNumber(id) < stay);
    const reachable = staying.filter((node) => node.reachable);
    const chosen = reachable.length > 0 ? reachable : staying;
    chosen.sort((a, b) => a.granted - a.revoked - (b.granted - b.revoked) || nodeNumber(a.id) - nodeNumber(b.id));
    for (const [place, node] of chosen.entries())
      node.granted += Math.floor(units / chosen.length) + (place < units % chosen.length ? 1 : 0);
  }

  setPaused(incarnation: Incarnation, generation: number, paused: boolean): boolean {
    const sale = this.#lock(incarnation);
    if (!this.#ask(sale, generation)) return false;
    sale.paused = paused;
    return true;
  }

  /** False: the wish is older than another one. */
  #ask(sale: SaleRow, generation: number): boolean {
    if (generation < sale.asked && !this.#without('newest-wish')) return false;
    sale.asked = generation;
    return true;
  }

  wantNodes(incarnation: Incarnation, generation: number, count: number): boolean {
    const sale = this.#lock(incarnation);
    if (count < 1) throw new Mistake('a sale needs at least one cache node');
    if (!this.#ask(sale, generation)) return false;
    for (let n = 0; n < count; n++) {
      const id = nodeId(n);
      if (!this.nodes.has(id)) this.nodes.set(id, { id, epoch: 0, granted: 0, revoked: 0, reachable: true });
    }
    sale.wanted = count;
    if (sale.count > 0) return true;
    sale.layout = 1;
    sale.count = count;
    return true;
  }

  nextTerm(): number {
    const sale = this.#lock();
    sale.term += 1;
    return sale.term;
  }

  // ── for cache agents ────────────────────────────────────────────────────────────────────────────────────────────

  raiseEpoch(incarnation: Incarnation, id: NodeId, from: Epoch): Epoch | undefined {
    this.#lock(incarnation);
    const node = this.nodes.get(id);
    if (node === undefined || (node.epoch !== from && !this.#without('epoch-compare-and-set'))) return undefined;
    node.epoch = from + 1;
    return node.epoch;
  }

  // ── for shard agents and the pool's agent ───────────────────────────────────────────────────────────────────────

  initialize(): void {
    this.#pool.opened();
    const incarnation = this.sale?.incarnation ?? this.#draw();
    this.#pool.join(incarnation, 'pool', this.#pool.peerIncarnation, []);
    this.sale ??= newSale(incarnation);
  }

  enterShard(incarnation: Incarnation, id: ShardId, shardIncarnation: Incarnation): void {
    this.#lock(incarnation);
    const known = this.shards.get(id);
    if (known === undefined) this.shards.set(id, { id, shardIncarnation, joined: false, cancelled: 0, credited: 0 });
    else if (known.shardIncarnation !== shardIncarnation)
      throw new WrongIncarnation(`${id} entered the registry with another database`);
  }

  shardJoined(incarnation: Incarnation, id: ShardId): void {
    this.#lock(incarnation);
    const shard = this.shards.get(id);
    if (shard) shard.joined = true;
  }

  setReachable(incarnation: Incarnation, id: NodeId, reachable: boolean): void {
    this.#lock(incarnation);
    const node = this.nodes.get(id);
    if (node) node.reachable = reachable;
  }

  book(
    incarnation: Incarnation,
    id: NodeId,
    epoch: Epoch,
    revokedTotal: Units,
    grantTo: NodeId,
  ): { booked: Units; owed: Units; granted: Units } {
    const sale = this.#lock(incarnation);
    const node = this.nodes.get(id);
    const booked =
      node && (node.epoch === epoch || this.#without('book-current-epoch')) ? revokedTotal - node.revoked : 0;
    if (node === undefined || booked <= 0) return { booked: 0, owed: 0, granted: 0 };
    const recipient = this.#recipient(sale, grantTo);
    if (recipient === undefined) return { booked: 0, owed: 0, granted: 0 };
    if (revokedTotal > node.granted) throw new Mistake(`${id} revoked more than it was granted`);
    const excess = Math.max(0, sale.supplied - sale.owed - sale.target);
    const owed = this.#without('owe-only-the-excess') && excess > 0 ? booked : Math.min(booked, excess);
    sale.owed += owed;
    node.revoked = revokedTotal;
    const granted = booked - owed;
    if (!this.#without('book-and-grant-at-once')) recipient.granted += granted;
    return { booked, owed, granted };
  }

  tellCancelled(incarnation: Incarnation, id: ShardId, shardIncarnation: Incarnation, total: Units): void {
    this.#lock(incarnation);
    const shard = this.shards.get(id);
    if (shard?.shardIncarnation === shardIncarnation) shard.cancelled = Math.max(shard.cancelled, total);
  }

  credit(incarnation: Incarnation, id: ShardId, to: NodeId): Units {
    const sale = this.#lock(incarnation);
    const shard = this.shards.get(id);
    if (shard === undefined) throw new Mistake(`no shard ${id} in the registry`);
    const units = this.#without('credit-totals') ? shard.cancelled : shard.cancelled - shard.credited;
    if (units <= 0) return 0;
    const recipient = this.#recipient(sale, to);
    if (recipient === undefined) return 0;
    shard.credited = shard.cancelled;
    recipient.granted += units;
    return units;
  }

  payOwed(incarnation: Incarnation): Units {
    const sale = this.#lock(incarnation);
    const units = Math.min(sale.owed, this.#pool.available);
    if (units <= 0) return units;
    sale.owed -= units;
    this.#supply(sale, -units);
    return units;
  }

  resize(incarnation: Incarnation, layout: number, from: ResizeStep, to: ResizeStep, held: HeldUnits): boolean {
    const sale = this.#lock(incarnation);
    if (sale.resize !== from || (sale.layout !== layout && !this.#without('resize-names-layout'))) return false;
    switch (`${from}>${to}`) {
      case 'none>draining':
        if (sale.wanted === sale.count) return false;
        sale.resizingTo = sale.wanted;
        break;
      case 'draining>rebuilding':
        if (this.#isHeldOtherwise(sale, held) && !this.#without('drained-totals')) return false;
        sale.count = sale.resizingTo ?? sale.count;
        sale.layout += 1;
        break;
      case 'rebuilding>none':
        sale.resizingTo = undefined;
        break;
      default:
        throw new Mistake(`a resize does not go from ${from} to ${to}`);
    }
    sale.resize = to;
    return true;
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #lock(incarnation?: Incarnation): SaleRow {
    this.#pool.opened();
    if (this.sale === undefined) throw new StoreUnknown('this database holds no registry (yet)');
    const isAnother = incarnation !== undefined && incarnation !== this.sale.incarnation;
    if (isAnother && !this.#without('registry-incarnation'))
      throw new WrongIncarnation('this registry belongs to another incarnation of the sale');
    return this.sale;
  }

  /** Undefined: it is outside the layout or leaves it. */
  #recipient({ count, resizingTo }: SaleRow, id: NodeId): RegistryNode | undefined {
    const node = this.nodes.get(id);
    if (node === undefined) throw new Mistake(`no cache node ${id} to grant to`);
    const number = nodeNumber(id);
    if (number >= count) return this.#without('grants-in-layout') ? node : undefined;
    return number < (resizingTo ?? count) || this.#without('grants-stay') ? node : undefined;
  }

  /** A leaving node accounts for other units than the caller saw. */
  #isHeldOtherwise({ count, resizingTo = count }: SaleRow, held: HeldUnits): boolean {
    const leaving = [...this.nodes.values()].filter(({ id }) => nodeNumber(id) >= resizingTo && nodeNumber(id) < count);
    return leaving.some(({ id, granted, revoked }) => granted - revoked !== held[id]);
  }
}
