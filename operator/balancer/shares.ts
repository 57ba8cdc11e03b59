// Whole-number sharing: proportions and levels whose parts always add up exactly, the same for the same input.
// Pure arithmetic on plain arrays; knows nothing of shards.

import type { Units } from '../../dataplane/protocol/units.ts';

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);

/**
 * Splits `total` in proportion to `weights` (all 0: evenly). Odd units go to the largest fractions, among equal ones
 * to the larger `prefer`, then to the first. Returns whole amounts that add up to `total`; without weights, nothing.
 */
export function apportion(total: Units, weights: readonly number[], prefer: readonly number[] = []): Units[] {
  const whole = sum(weights);
  const exact = weights.map((weight) => total * (whole > 0 ? weight / whole : 1 / weights.length));
  // Rounded a little, so that equal fractions stay equal whatever the last bit of a division says.
  const fraction = exact.map((amount) => Math.round((amount - Math.floor(amount)) * 1e6));
  const shares = exact.map(Math.floor);
  const order = weights
    .map((_, i) => i)
    .sort((a, b) => (fraction[b] ?? 0) - (fraction[a] ?? 0) || (prefer[b] ?? 0) - (prefer[a] ?? 0) || a - b);
  const odd = total - sum(shares);
  for (const i of odd > 0 ? order.slice(0, odd) : order.slice(order.length + odd))
    shares[i] = (shares[i] ?? 0) + Math.sign(odd);
  return shares;
}

/**
 * Takes `total` (at most what there is) from the largest amounts downward, so that those taken from end level.
 * Returns what is taken from each; among equal ones the last give the odd units.
 */
export function levelDown(amounts: readonly Units[], total: Units): Units[] {
  const order = amounts.map((_, i) => i).sort((a, b) => (amounts[b] ?? 0) - (amounts[a] ?? 0) || a - b);
  const wanted = Math.min(total, sum(amounts));
  const taken = amounts.map(() => 0);
  if (wanted <= 0) return taken;
  // The first `count` in the order give; nobody further down does, as they lie at or below the level reached.
  let count = 0;
  let top = 0;
  do {
    top += amounts[order[count] ?? 0] ?? 0;
    count++;
  } while (count < order.length && top - count * (amounts[order[count] ?? 0] ?? 0) < wanted);
  const kept = top - wanted;
  const level = Math.floor(kept / count);
  const odd = kept - level * count;
  for (let k = 0; k < count; k++) {
    const i = order[k] ?? 0;
    taken[i] = (amounts[i] ?? 0) - level - (k < odd ? 1 : 0);
  }
  return taken;
}
