// Allocates the pool's stock that is not owed to the shards, evenly, under every rule: the initial stock, a restock, and
// what was gathered and then not needed. One command takes it to all shards (R20). Odd units go where there is least.

import { type Draft, spare } from './draft.ts';
import { apportion } from './shares.ts';

/** Plans the allocation in `draft`. */
export function allocate(draft: Draft): void {
  const { shards, pool } = draft;
  const parts = apportion(
    spare(pool),
    shards.map(() => 1),
    shards.map((place) => -place.stock),
  );
  shards.forEach((place, i) => {
    draft.move(pool, place, parts[i] ?? 0, 'allocate');
  });
}
