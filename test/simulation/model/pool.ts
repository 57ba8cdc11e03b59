// The transfer pool's database: one more shard, without orders, and the registry of the sale. Specifies
// dataplane/stores/shard/sql/migrations/002, 008 and 009.

import {
  type Epoch,
  type NodeId,
  nodeId,
  nodeNumber,
  type ShardId,
  type Units,
} from '../../../dataplane/protocol/units.ts';
import type {
  RegistryNode,
  RegistryShard,
  RegistryView,
  ResizeStep,
} from '../../../dataplane/stores/registry/registry.ts';
import type { ShardState } from '../../../dataplane/stores/shard/shard.ts';
import type { Without } from '../sentences.ts';
import { ShardModel } from './shard.ts';

export const INCARNATION = 'the sale';

export class PoolModel extends ShardModel {
  generation = 0;
  target: Units = 0;
  /** The highest target ever asked for. */
  highest: Units = 0;
  supplied: Units = 0;
  owed: Units = 0;
  layout = 0;
  count = 0;
  wanted = 0;
  resizingTo: number | undefined;
  step: ResizeStep = 'none';
  paused = false;
  readonly nodes = new Map<NodeId, RegistryNode>();
  readonly shards = new Map<ShardId, RegistryShard>();
  #part = 0;
  #term = 0;

  constructor(without: Without) {
    super('pool', without);
    this.join(INCARNATION, []);
  }

  protected override dealable(): Units {
    return this.available - this.owed;
  }

  override state(): ShardState {
    const { owed, supplied, target } = this;
    return { ...super.state(), pool: { owed, dealable: Math.max(0, this.dealable()), supplied, target } };
  }

  read(): RegistryView {
    const { generation, target, supplied, owed, layout, count, paused } = this;
    return {
      incarnation: INCARNATION,
      generation,
      target,
      supplied,
      owed,
      layout,
      count,
      wantedCount: this.resizingTo ?? this.wanted,
      resize: this.step,
      paused,
      nodes: [...this.nodes.values()].map((node) => ({ ...node })),
      shards: [...this.shards.values()].map((shard) => ({ ...shard })),
    };
  }

  // ── what the operator writes ────────────────────────────────────────────────────────────────────────────────────

  setSupply(generation: number, target: Units): boolean {
    if (generation <= this.generation) return false;
    const reached = this.without('raise-by-reached') ? this.target : this.supplied - this.owed;
    const raise = target - reached;
    const unowed = Math.max(0, Math.min(this.owed, raise));
    this.generation = generation;
    this.target = target;
    this.highest = Math.max(this.highest, target);
    this.owed -= unowed;
    if (raise > unowed) this.#supply(raise - unowed);
    if (raise > 0) this.#grantEvenly(raise);
    return true;
  }

  wantNodes(count: number): void {
    for (let n = 0; n < count; n++) {
      const id = nodeId(n);
      if (!this.nodes.has(id)) this.nodes.set(id, { id, epoch: 0, granted: 0, revoked: 0, reachable: true });
    }
    this.wanted = count;
    if (this.count > 0) return;
    this.layout = 1;
    this.count = count;
  }

  nextTerm(): number {
    return ++this.#term;
  }

  #supply(units: Units): void {
    this.supplied += units;
    this.write({ kind: 'supply', delta: units, ref: `${this.generation}.${++this.#part}` });
  }

  #grantEvenly(units: Units): void {
    const staying = [...this.nodes.values()].filter(({ id }) => nodeNumber(id) < this.staying());
    const reachable = staying.filter((node) => node.reachable);
    const chosen = reachable.length > 0 ? reachable : staying;
    chosen.sort((a, b) => a.granted - a.revoked - (b.granted - b.revoked) || nodeNumber(a.id) - nodeNumber(b.id));
    chosen.forEach((node, i) => {
      node.granted += Math.floor(units / chosen.length) + (i < units % chosen.length ? 1 : 0);
    });
  }

  /** How many nodes are in the layout and will stay. */
  staying(): number {
    return Math.min(this.count, this.resizingTo ?? this.wanted);
  }

  // ── what agents write ───────────────────────────────────────────────────────────────────────────────────────────

  raiseNodeEpoch(id: NodeId, from: Epoch): Epoch | undefined {
    const node = this.#node(id);
    if (node.epoch !== from) return undefined;
    return ++node.epoch;
  }

  enterShard(id: ShardId, shardIncarnation: string): void {
    if (!this.shards.has(id)) this.shards.set(id, { id, shardIncarnation, joined: false, credited: 0 });
  }

  shardJoined(id: ShardId): void {
    const shard = this.shards.get(id);
    if (shard) shard.joined = true;
  }

  setReachable(id: NodeId, reachable: boolean): void {
    this.#node(id).reachable = reachable;
  }

  /** `left`: what is left to grant, when granting was not part of it. */
  book(id: NodeId, epoch: Epoch, revokedTotal: Units, grantTo: NodeId): { granted: Units; left: Units } {
    const node = this.#node(id);
    const units = revokedTotal - node.revoked;
    if (units <= 0 || (node.epoch !== epoch && !this.without('book-current-epoch'))) return { granted: 0, left: 0 };
    const excess = Math.max(0, this.supplied - this.owed - this.target);
    const owed = this.without('owe-only-the-excess') && excess > 0 ? units : Math.min(units, excess);
    this.owed += owed;
    node.revoked = revokedTotal;
    if (this.without('book-and-grant-at-once')) return { granted: 0, left: units - owed };
    this.#node(grantTo).granted += units - owed;
    return { granted: units - owed, left: 0 };
  }

  /** Only for runs where booking does not grant. */
  grantLater(id: NodeId, units: Units): void {
    this.#node(id).granted += units;
  }

  credit(shard: ShardId, cancelledTotal: Units, to: NodeId): void {
    const entry = this.shards.get(shard);
    if (!entry) return;
    const units = this.without('credit-totals') ? cancelledTotal : cancelledTotal - entry.credited;
    if (units <= 0) return;
    entry.credited = cancelledTotal;
    this.#node(to).granted += units;
  }

  payOwed(): void {
    const units = Math.min(this.owed, this.available);
    if (units <= 0) return;
    this.owed -= units;
    this.#supply(-units);
  }

  resize(from: ResizeStep, to: ResizeStep): boolean {
    if (this.step !== from || (from === 'none' && this.wanted === this.count)) return false;
    this.step = to;
    if (to === 'draining') this.resizingTo = this.wanted;
    else if (to === 'none') this.resizingTo = undefined;
    else {
      this.count = this.resizingTo ?? this.count;
      this.layout++;
    }
    return true;
  }

  #node(id: NodeId): RegistryNode {
    const node = this.nodes.get(id);
    if (!node) throw new RangeError(`the registry knows no node ${id}`);
    return node;
  }
}
