// The Threshold rule (R16). `r_i = stock_i / capacity_i` is how full a shard is, `T = Σstock / Σcapacity` how full
// all are together. A shard above T gives its excess over `T·capacity_i`, one below takes its deficit; within the
// dead band, T·(1 ± deadBand), it is left alone.

import { apportion } from '../shares.ts';
import type { Rule } from './rule.ts';

/** Makes the rule. `deadBand` is a fraction of T, from 0 to 1. */
export function threshold(deadBand: number): Rule {
  const tolerance = (share: number) => deadBand * share;
  return {
    name: 'Threshold',
    cadence: 'cycle',
    start: undefined,
    tolerance,
    aims(standings, _now, memory) {
      const stocks = standings.map((s) => s.stock);
      const capacities = standings.map((s) => s.capacity);
      const stock = stocks.reduce((sum, units) => sum + units, 0);
      const capacity = capacities.reduce((sum, units) => sum + units, 0);
      const level = capacity > 0 ? stock / capacity : 0;
      const aims = apportion(stock, capacities, stocks).map((target, i) => ({
        target,
        tolerance: tolerance(level * (capacities[i] ?? 0)),
      }));
      return { aims, memory };
    },
  };
}
