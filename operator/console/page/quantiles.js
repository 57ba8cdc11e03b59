// Latencies from the buckets in which storefronts count them. Pure.

/** @typedef {readonly { upTo?: number, count: number }[]} Buckets cumulative, the last one is all */

/**
 * What was counted between two looks; undefined when nothing was, or when somebody began to count anew.
 * @param {Buckets} now @param {Buckets} before @returns {Buckets | undefined}
 */
export function counted(now, before) {
  const earlier = new Map(before.map(({ upTo, count }) => [upTo, count]));
  const buckets = now.map((bucket) => ({ ...bucket, count: bucket.count - (earlier.get(bucket.upTo) ?? 0) }));
  const fell = buckets.some(({ count }, i) => count < (buckets[i - 1]?.count ?? 0));
  return fell || (buckets.at(-1)?.count ?? 0) === 0 ? undefined : buckets;
}

/**
 * In seconds, evenly spread within a bucket, as Prometheus has it. `beyond`: it is more than that.
 * @param {Buckets} buckets @param {number} q from 0 to 1
 */
export function quantile(buckets, q) {
  const all = buckets.at(-1)?.count ?? 0;
  if (all === 0) return undefined;
  const rank = q * all;
  const i = buckets.findIndex(({ count }) => count >= rank);
  const { upTo, count } = buckets[i] ?? { count: all };
  const { upTo: from = 0, count: below = 0 } = buckets[i - 1] ?? {};
  if (upTo === undefined) return { seconds: from, beyond: true };
  return { seconds: from + ((upTo - from) * (rank - below)) / Math.max(1, count - below), beyond: false };
}
