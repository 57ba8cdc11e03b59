// Where valid tokens found too little stock, and how much they still want there (R29). A shard reports lifetime totals
// of missed units; a buyer who waits asks again and again and is counted each time, so what is wanted is the largest
// of the recent increases, not their sum: too little is made up for by the next miss, too much would take stock from
// other buyers. What a shard has sold since is no longer wanted, and a want nobody repeats ends by itself.

import type { ShardView } from '../../dataplane/protocol/table.ts';
import type { Millis, ShardId, Units } from '../../dataplane/protocol/units.ts';

/** What buyers still want of one shard. */
export interface Want {
  units: Units;
  /** When the want ends, if nobody misses stock again. */
  until: Millis;
  /** The shard's lifetime total of missed units, from which this was worked out. */
  missed: Units;
  /** The shard's lifetime total of sold units, from which this was worked out. */
  sold: Units;
}

export type Wants = ReadonlyMap<ShardId, Want>;

/** How long a want outlives its last miss; longer than the time between two attempts of a waiting checkout. */
const HOLD: Millis = 500;

/** Works out the wants from the shards' newest totals and from what was known `before`. */
export function noticeMisses(shards: readonly ShardView[], now: Millis, before: Wants): Wants {
  return new Map(
    shards.map(({ shard, missed, sold }) => {
      // Misses of before this balancer began say nothing about now.
      const last = before.get(shard) ?? { units: 0, until: now, missed, sold };
      const fresh = missed - last.missed;
      const standing = now < last.until ? Math.max(0, last.units - (sold - last.sold)) : 0;
      return [shard, { units: Math.max(standing, fresh), until: fresh > 0 ? now + HOLD : last.until, missed, sold }];
    }),
  );
}
