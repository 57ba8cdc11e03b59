// A plan while it is being made: how every shard and the pool would stand if all that is commanded, and all that is
// planned so far, were done. Each step of `decide` moves units in it and the next step sees the result, so that no
// unit is planned twice (R21) and none that a shard does not hold. It decides nothing itself.

import type { Command } from '../../dataplane/protocol/messages.ts';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { ShardId, StockHolderId, Units } from '../../dataplane/protocol/units.ts';
import { levelDown } from './shares.ts';

/** Why units move; a label of the metrics. */
export type Reason = 'shortage' | 'cover' | 'owed' | 'allocate' | 'spread';

/** One stock holder, as it would stand after the plan. */
export interface Place<Holder extends StockHolderId = StockHolderId> {
  readonly holder: Holder;
  /** Units that buyers asked for here and did not get. */
  readonly wanted: Units;
  /** Units that must stay or come: `wanted`, or all that live tokens name the shard for; at the pool, what a lowered supply is owed. */
  readonly promised: Units;
  /** Units it holds and may be told to give. 0 while a command to it is outstanding: it has one at a time. */
  left: Units;
  /** Units it holds or will: stock in flight counts as its destination's. */
  stock: Units;
}

/** Units that a place may give without touching promised ones. */
export const spare = (place: Place): Units => Math.max(0, place.left - place.promised);

/** Units that a place lacks to have `units`. A place that lacks promised units has none to spare. */
export const lack = (place: Place, units: Units): Units => Math.max(0, units - place.stock);

/** A place, and the units it may give or would take. */
export interface Offer {
  place: Place;
  units: Units;
}

export class Draft {
  readonly shards: Place<ShardId>[] = [];
  readonly pool: Place<'pool'>;
  /** Units planned so far, by reason. */
  readonly moved: Record<Reason, Units> = { shortage: 0, cover: 0, owed: 0, allocate: 0, spread: 0 };
  readonly #legs = new Map<StockHolderId, Map<StockHolderId, Units>>();

  /** `present` are the holders that take part, the pool among them. `outstanding` are commands that count as still to be carried out. */
  constructor(
    table: ResourceTable,
    present: ReadonlySet<StockHolderId>,
    outstanding: readonly Command[],
    wanted: (shard: ShardId) => Units,
  ) {
    const coming = new Map<StockHolderId, Units>();
    const going = new Map<StockHolderId, Units>();
    const busy = new Set(outstanding.map((command) => command.source));
    for (const { source, legs } of outstanding) {
      for (const { destination, units } of legs) {
        coming.set(destination, (coming.get(destination) ?? 0) + units);
        going.set(source, (going.get(source) ?? 0) + units);
      }
    }
    const place = <Holder extends StockHolderId>(
      holder: Holder,
      available: Units,
      inFlight: Units,
      wants: Units,
      promises: Units,
    ): Place<Holder> => ({
      holder: holder,
      wanted: wants,
      promised: Math.max(wants, promises),
      left: busy.has(holder) ? 0 : available,
      stock: Math.max(0, available - (going.get(holder) ?? 0)) + inFlight + (coming.get(holder) ?? 0),
    });
    for (const { shard, available, inFlight, pinned } of table.shards())
      if (present.has(shard)) this.shards.push(place(shard, available, inFlight, wanted(shard), pinned));
    const pool = table.pool();
    this.pool = place('pool', pool?.available ?? 0, pool?.inFlight ?? 0, 0, pool?.owed ?? 0);
  }

  /** Plans a move of `units` from one place to another; none when there is nothing to move. */
  move(from: Place, to: Place, units: Units, reason: Reason): void {
    if (units <= 0 || from === to) return;
    from.left -= units;
    from.stock -= units;
    to.stock += units;
    this.moved[reason] += units;
    const legs = this.#legs.get(from.holder) ?? new Map<StockHolderId, Units>();
    legs.set(to.holder, (legs.get(to.holder) ?? 0) + units);
    this.#legs.set(from.holder, legs);
  }

  /**
   * Moves as much as both sides allow: those that offer most give down to one level, those that want most are filled
   * up alike. Returns the units moved.
   */
  pour(from: readonly Offer[], to: readonly Offer[], reason: Reason): Units {
    const total = Math.min(sumOf(from), sumOf(to));
    const takes = levelDown(
      to.map((o) => o.units),
      total,
    );
    let taker = 0;
    levelDown(
      from.map((o) => o.units),
      total,
    ).forEach((gives, i) => {
      const giver = from[i]?.place;
      for (let left = gives; giver && left > 0; ) {
        const place = to[taker]?.place;
        const units = Math.min(left, takes[taker] ?? 0);
        if (!place) return;
        this.move(giver, place, units, reason);
        left -= units;
        takes[taker] = (takes[taker] ?? 0) - units;
        if (takes[taker] === 0) taker++;
      }
    });
    return total;
  }

  /** Returns one entry for each source that gives anything, with all its destinations (R17, R20). */
  legs(): Map<StockHolderId, Command['legs']> {
    return new Map(
      [...this.#legs].map(([source, legs]) => [
        source,
        [...legs].map(([destination, units]) => ({ destination, units })),
      ]),
    );
  }
}

const sumOf = (offers: readonly Offer[]): Units => offers.reduce((total, { units }) => total + units, 0);
