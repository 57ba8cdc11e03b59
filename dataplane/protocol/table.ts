// The resource table (R13) and the global distribution view (R14): the last reports of every stock holder and every
// cache node, put together. The balancer plans from it and storefronts route by it, so that no transaction asks for the
// distribution (R8). It holds data only: no clock, no client, no decision. It does not rely on the order of messages:
// any order and any repetition of the same reports gives the same table.

import { type CommandId, type Delta, type Level, newer } from './messages.ts';
import type { Incarnation, Millis, NodeId, ShardId, StockHolderId, Units } from './units.ts';

/** One shard as it last reported. `sold`, `cancelled` and `missed` are lifetime totals. */
export interface ShardView {
  shard: ShardId;
  available: Units;
  /**
   * The units of live tokens that name this shard, on all cache nodes. It is too high while settles are outstanding.
   */
  pinned: Units;
  /** The units on their way to it, by any route. */
  inFlight: Units;
  sold: Units;
  cancelled: Units;
  missed: Units;
  missedMax: Units;
  command: CommandId;
}

export interface PoolView {
  available: Units;
  inFlight: Units;
  /** `owed` are the units that a lowered supply still asks back, `allocatable` those that may be allocated to shards. */
  owed: Units;
  allocatable: Units;
  supplied: Units;
  target: Units;
  command: CommandId;
}

/**
 * Tells how unequal the shards' available stock is (R14). All is 0 without shards; the coefficient is 0 for a mean of
 * 0.
 */
export interface Dispersion {
  coefficientOfVariation: number;
  min: Units;
  max: Units;
  mean: number;
}

export function dispersion(amounts: readonly Units[]): Dispersion {
  if (amounts.length === 0) return { coefficientOfVariation: 0, min: 0, max: 0, mean: 0 };
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let total = 0;
  for (const amount of amounts) {
    min = Math.min(min, amount);
    max = Math.max(max, amount);
    total += amount;
  }
  const mean = total / amounts.length;
  let squares = 0;
  for (const amount of amounts) squares += (amount - mean) ** 2;
  const coefficientOfVariation = mean > 0 ? Math.sqrt(squares / amounts.length) / mean : 0;
  return { coefficientOfVariation, min, max, mean };
}

interface Entry<T> {
  last: T;
  heardAt: Millis;
}

const byNumber = (a: { shard: ShardId }, b: { shard: ShardId }): number =>
  Number(a.shard.slice(1)) - Number(b.shard.slice(1));

export class ResourceTable {
  readonly incarnation: Incarnation;
  /** This number grows with every change that a reader can see. A repeated report does not count. */
  revision = 0;
  /**
   * How many messages did not count: those of another life of the sale or of the stock holder, or older than what is
   * known.
   */
  dropped = 0;
  /**
   * How many reports had a delta that does not lead from the amount before to the amount they state: a fault of the
   * sender.
   */
  disagreements = 0;
  readonly #deltas = new Map<StockHolderId, Entry<Delta>>();
  readonly #levels = new Map<NodeId, Entry<Level>>();
  /** The lifetime units that all stock holders together sent, by final destination. */
  readonly #sentTo = new Map<StockHolderId, Units>();
  #shards: { revision: number; views: ShardView[]; byId: Map<ShardId, ShardView> } | undefined;

  constructor(incarnation: Incarnation) {
    this.incarnation = incarnation;
  }

  /** Takes in a report. Returns true when the table changed. `now` is by the reader's own clock, for `heardAt` only. */
  applyDelta(delta: Delta, now: Millis): boolean {
    const held = this.#deltas.get(delta.peer);
    const last = held?.last;
    // Within one life of the sale a shard has one life: its database refuses to change either.
    const foreign = delta.incarnation !== this.incarnation || (last && last.peerIncarnation !== delta.peerIncarnation);
    if (foreign || (last && delta.version < last.version)) {
      this.dropped++;
      return false;
    }
    // R13: the table starts from the first reported amount and every delta is applied. The report states the result
    // as well, so a lost report is made up for by the next; where none was lost the two must agree.
    if (last && delta.fromVersion === last.version && last.available + delta.delta !== delta.available)
      this.disagreements++;
    const next = last && last.version === delta.version ? sameVersion(last, delta) : delta;
    this.#deltas.set(delta.peer, { last: next, heardAt: now });
    if (next === last) return false;
    for (const holder of new Set([...receiversOf(last), ...receiversOf(next)])) {
      const change = (next.sent[holder] ?? 0) - (last?.sent[holder] ?? 0);
      if (change !== 0) this.#sentTo.set(holder, (this.#sentTo.get(holder) ?? 0) + change);
    }
    this.revision++;
    return true;
  }

  /** Takes in a cache node's report. Returns true when the table changed. */
  applyLevel(level: Level, now: Millis): boolean {
    const last = this.#levels.get(level.node)?.last;
    const older = last && (level.epoch < last.epoch || (level.epoch === last.epoch && level.sequence < last.sequence));
    if (level.incarnation !== this.incarnation || older) {
      this.dropped++;
      return false;
    }
    this.#levels.set(level.node, { last: level, heardAt: now });
    if (last && last.epoch === level.epoch && last.sequence === level.sequence) return false;
    this.revision++;
    return true;
  }

  /**
   * Returns all shards that ever reported, by number. It is the same array until the revision changes, and must not be
   * altered.
   */
  shards(): readonly ShardView[] {
    return this.#view().views;
  }

  shard(id: ShardId): ShardView | undefined {
    return this.#view().byId.get(id);
  }

  pool(): PoolView | undefined {
    const last = this.#deltas.get('pool')?.last;
    if (!last) return undefined;
    const { owed, allocatable, supplied, target } = last.pool ?? { owed: 0, allocatable: 0, supplied: 0, target: 0 };
    const { available, command } = last;
    return { available, inFlight: this.inFlight('pool'), owed, allocatable, supplied, target, command };
  }

  /**
   * Returns the last reports of the nodes that have reported the newest layout. A resize lets every live token end
   * before the new layout is in force, so what a node reported under an older one pins nothing any more, even when the
   * node never reports again.
   */
  levels(): Level[] {
    let newest = 0;
    for (const { last } of this.#levels.values()) newest = Math.max(newest, last.layout);
    return [...this.#levels.values()].map(({ last }) => last).filter((level) => level.layout === newest);
  }

  /**
   * Returns the units on their way: those sent to it less those it received. It is at least 0, as a receiver may report
   * first.
   */
  inFlight(holder: StockHolderId): Units {
    return Math.max(0, this.sentTo(holder) - this.received(holder));
  }

  /** Returns the lifetime units that all stock holders reported to have sent to it. */
  sentTo(holder: StockHolderId): Units {
    return this.#sentTo.get(holder) ?? 0;
  }

  /** Returns the lifetime units that each stock holder reported to have sent, by final destination. */
  flows(): ReadonlyMap<StockHolderId, Readonly<Partial<Record<StockHolderId, Units>>>> {
    return new Map([...this.#deltas].map(([holder, { last }]) => [holder, last.sent]));
  }

  /** Returns the lifetime units that it reported to have received for good. */
  received(holder: StockHolderId): Units {
    return this.#deltas.get(holder)?.last.received ?? 0;
  }

  /** Returns the newest command that it reported to have executed. */
  executed(holder: StockHolderId): CommandId {
    return this.#deltas.get(holder)?.last.command ?? { term: 0, sequence: 0 };
  }

  /** Returns when it last reported, by the clock given to `apply…`, or undefined when it never did. A repeat counts. */
  heardAt(holder: StockHolderId | NodeId): Millis | undefined {
    return (this.#deltas.get(holder as StockHolderId) ?? this.#levels.get(holder as NodeId))?.heardAt;
  }

  /** Returns the dispersion of the shards' available stock (R14). */
  dispersion(): Dispersion {
    return dispersion(this.shards().map((s) => s.available));
  }

  #view() {
    if (this.#shards?.revision === this.revision) return this.#shards;
    const pinned = new Map<string, Units>();
    for (const level of this.levels())
      for (const [shard, units = 0] of Object.entries(level.pinned))
        pinned.set(shard, (pinned.get(shard) ?? 0) + units);
    const views: ShardView[] = [];
    for (const [holder, { last }] of this.#deltas) {
      if (holder === 'pool') continue;
      const { available, sold, cancelled, missed, missedMax, command } = last;
      const inFlight = this.inFlight(holder);
      views.push({
        shard: holder,
        available,
        pinned: pinned.get(holder) ?? 0,
        inFlight,
        sold,
        cancelled,
        missed,
        missedMax,
        command,
      });
    }
    views.sort(byNumber);
    this.#shards = { revision: this.revision, views, byId: new Map(views.map((v) => [v.shard, v])) };
    return this.#shards;
  }
}

const receiversOf = (delta: Delta | undefined): StockHolderId[] => Object.keys(delta?.sent ?? {}) as StockHolderId[];

/**
 * Joins two reports of one version. Their stock is the same. Misses and commands that moved nothing leave no version
 * behind, and only ever grow. What the pool owes may change both ways, so there the later arrival stands (it is
 * repeated every second). Returns `last` itself when nothing is new.
 */
function sameVersion(last: Delta, delta: Delta): Delta {
  const missed = Math.max(last.missed, delta.missed);
  const missedMax = Math.max(last.missedMax, delta.missedMax);
  const command = newer(delta.command, last.command) ? delta.command : last.command;
  const pool = delta.pool ?? last.pool;
  const same =
    missed === last.missed &&
    missedMax === last.missedMax &&
    command === last.command &&
    pool?.owed === last.pool?.owed &&
    pool?.allocatable === last.pool?.allocatable &&
    pool?.supplied === last.pool?.supplied &&
    pool?.target === last.pool?.target;
  return same ? last : { ...last, missed, missedMax, command, ...(pool ? { pool } : {}) };
}
