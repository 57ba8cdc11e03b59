// No rule (R23): every shard is right as it is. Promised units are still covered, new supply is still allocated.

import type { Rule } from './rule.ts';

export const none: Rule = {
  name: 'None',
  cadence: 'cycle',
  start: undefined,
  tolerance: () => Number.POSITIVE_INFINITY,
  aims: (standings, _now, memory) => ({ aims: standings.map((s) => ({ target: s.stock, tolerance: 0 })), memory }),
};
