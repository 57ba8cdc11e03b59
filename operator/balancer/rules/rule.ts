// What a balancing rule is: from how the shards stand to how they should stand. A rule never decides who gives to
// whom, nor when; `spread` does the first and `decide` the second. It never sees promised units: they are covered
// before, and `stock` is what is left.

import type { Millis, ShardId, Units } from '../../../dataplane/protocol/units.ts';

/** One shard, as a rule sees it. */
export interface Standing {
  shard: ShardId;
  /** What it has beyond what its tokens were promised, stock on its way to it included; ≥ 0. */
  stock: Units;
  /** Its even share of everything ever supplied: the stock it was made to hold (R16, ours). */
  capacity: Units;
  /** Lifetime totals. */
  sold: Units;
  missed: Units;
}

/** Where a shard should be, and how far from there it may be before stock is moved on its account; both in units. */
export interface Aim {
  target: Units;
  tolerance: number;
}

/** `Memory` is what a rule carries from one plan to the next (a rule that follows demand needs its averages). */
export interface Rule<Memory = unknown> {
  name: string;
  /** `cycle`: planned once a cycle (R21). `event`: with every change of the table. */
  cadence: 'cycle' | 'event';
  start: Memory;
  /** Aims in the order of the standings; the targets are whole and add up to the stock there is. */
  aims(standings: readonly Standing[], now: Millis, memory: Memory): { aims: Aim[]; memory: Memory };
}
