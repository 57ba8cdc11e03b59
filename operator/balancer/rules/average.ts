// The Average rule (R15): every shard should have the mean. Above it a shard gives `stock − mean`, below it takes
// `mean − stock`. Where the mean is not whole, the shards that have most keep the odd units, so that a distribution
// which cannot become more even is left as it is.

import { apportion } from '../shares.ts';
import type { Rule } from './rule.ts';

export const average: Rule = {
  name: 'Average',
  cadence: 'cycle',
  start: undefined,
  tolerance: () => 0,
  aims(standings, _now, memory) {
    const stocks = standings.map((s) => s.stock);
    const total = stocks.reduce((sum, stock) => sum + stock, 0);
    const even = standings.map(() => 1);
    const aims = apportion(total, even, stocks).map((target) => ({ target, tolerance: 0 }));
    return { aims, memory };
  },
};
