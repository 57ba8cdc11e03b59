// What buyers were answered, added up over the storefronts of a sale from what each shows at /metrics. Pure.

import type { MetricLine } from './prometheus-text.ts';
import type { Operation, Traffic } from './source.ts';

/** Adds the storefronts up. There is one entry for each; undefined: it could not be asked. */
export const trafficOf = (storefronts: readonly (readonly MetricLine[] | undefined)[]): Traffic => {
  const lines = storefronts.flatMap((shown) => shown ?? []);
  return {
    storefronts: { read: storefronts.filter((shown) => shown !== undefined).length, of: storefronts.length },
    purchases: operation(lines, 'purchases', 'purchase'),
    checkouts: operation(lines, 'checkouts', 'checkout'),
  };
};

function operation(lines: readonly MetricLine[], counted: string, timed: string): Operation {
  const outcomes: Record<string, number> = {};
  const seconds = new Map<number, number>();
  for (const { name, labels, value } of lines) {
    if (name === `flashsale_storefront_${counted}_total` && labels.outcome !== undefined)
      outcomes[labels.outcome] = (outcomes[labels.outcome] ?? 0) + value;
    if (name === `flashsale_storefront_${timed}_seconds_bucket` && labels.le !== undefined) {
      const upTo = labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le);
      seconds.set(upTo, (seconds.get(upTo) ?? 0) + value);
    }
  }
  return {
    outcomes,
    seconds: [...seconds]
      .sort(([a], [b]) => a - b)
      // Infinity is no JSON.
      .map(([upTo, count]) => (Number.isFinite(upTo) ? { upTo, count } : { count })),
  };
}
