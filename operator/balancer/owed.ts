// Gathers in the pool what a lowered supply is owed, from stock that no token was promised; under every rule. The
// pool's agent writes it off there. Nodes gave up as much virtual stock, so the shards do have it.

import { type Draft, lack, spare } from './draft.ts';

/** Plans in `draft` what the pool is to gather. */
export function gatherOwed(draft: Draft): void {
  draft.pour(
    draft.shards.map((place) => ({ place, units: spare(place) })),
    [{ place: draft.pool, units: lack(draft.pool, draft.pool.promised) }],
    'owed',
  );
}
