// Covers what buyers were promised, before anything else (R29): a shard needs as much stock as live tokens name it
// for, which is known before those buyers check out. For unsold tokens that can always be met, as virtual stock never
// exceeds real stock. But until an order is settled its token still counts as live, so the need may look larger than
// it is; then the shards where buyers were really turned away come first, and may even take what is promised elsewhere.

import { type Draft, lack, type Offer, type Place, spare } from './draft.ts';

/** Plans in `draft` what covers the promises. */
export function cover(draft: Draft): void {
  const offers = (units: (place: Place) => number): Offer[] =>
    draft.shards.map((place) => ({ place, units: units(place) }));
  const pool = (): Offer[] => [{ place: draft.pool, units: spare(draft.pool) }];
  const unserved = () => offers((place) => lack(place, place.wanted));
  const uncovered = () => offers((place) => lack(place, place.promised));

  draft.pour(pool(), unserved(), 'shortage');
  draft.pour(offers(spare), unserved(), 'shortage');
  draft.pour(
    offers((place) => (place.wanted > 0 ? 0 : place.left)),
    unserved(),
    'shortage',
  );
  draft.pour(pool(), uncovered(), 'cover');
  draft.pour(offers(spare), uncovered(), 'cover');
}
