// What a balancing rule is: from how the shards stand to how they should stand. A rule never decides who gives to
// whom, nor when; `spread` does the first and `decide` the second. It never sees promised units: they are covered
// before, and `stock` is what is left.

import type { Millis, ShardId, Units } from '../../../dataplane/protocol/units.ts';

/** One shard, as a rule sees it. */
export interface Standing {
  shard: ShardId;
  /** Units beyond what its tokens were promised, stock on its way to it included; ≥ 0. */
  stock: Units;
  /** Its even share of everything ever supplied: the stock it was made to hold (R16, ours). */
  capacity: Units;
  /** Units it has sold, and units that checkouts missed there, each as a lifetime total. */
  sold: Units;
  missed: Units;
}

/** Where a shard should be, and how far from there it may be before stock is moved on its account; both in units. */
export interface Aim {
  target: Units;
  tolerance: number;
}

/** A balancing rule. `Memory` is what it carries from one plan to the next: a rule that follows demand needs its averages. */
export interface Rule<Memory = unknown> {
  /** The rule's name in the resource. */
  name: string;
  /** When the rule makes a plan. `cycle`: once a cycle (R21). `event`: with every change of the table. */
  cadence: 'cycle' | 'event';
  /** The memory of a rule that was just chosen. */
  start: Memory;
  /** How far, in units, a shard may be from its share before stock is moved on its account. Infinity: however far. */
  tolerance(share: number): number;
  /** Returns the aims in the order of the standings; the targets are whole and add up to the stock there is. */
  aims(standings: readonly Standing[], now: Millis, memory: Memory): { aims: Aim[]; memory: Memory };
}
