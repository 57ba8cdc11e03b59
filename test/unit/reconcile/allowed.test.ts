// What the operator's owner keeps a sale from.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Limits } from '../../../operator/manifests/options.ts';
import { aboveLimits, plaintextPasswords } from '../../../operator/reconcile/allowed.ts';
import { buildTopology } from '../../../operator/topology/topology.ts';
import { saleOf } from '../../harness/manifests.ts';

const topologyOf = (spec: Record<string, unknown>) => buildTopology(saleOf(spec));
const sized = (nodes: number, shards: number, size = '1Gi') =>
  topologyOf({ cache: { nodes, storage: { size } }, shards: { count: shards, storage: { size } } });
const limited = (sale: Limits, namespace: Limits = {}) => ({ plaintextKafka: [], limits: { sale, namespace } });

describe('a sale that asks for more than it may have is refused, and told what', () => {
  test.each<[string, ReturnType<typeof topologyOf>, Limits, string]>([
    [
      'shards',
      sized(1, 5),
      { shards: 4 },
      'a sale may have 4 of shards, and 5 would be needed; lower spec.shards.count',
    ],
    ['cache nodes', sized(3, 1), { cacheNodes: 2 }, 'a sale may have 2 of cache nodes, and 3 would be needed'],
    [
      'storefronts of an autoscaler',
      topologyOf({ storefront: { autoscaling: { maxReplicas: 9 } } }),
      { storefronts: 8 },
      'a sale may have 8 of storefronts, and 9 would be needed',
    ],
    // Two nodes, three shards, and the transfer pool, which has a volume too.
    ['storage', sized(2, 3), { storage: '5Gi' }, 'a sale may have 5Gi of storage, and 6144Mi would be needed'],
  ])('%s', (_, topology, limits, message) => {
    expect(aboveLimits(topology, [], limited(limits))).toEqual([expect.stringContaining(message)]);
  });

  test('what fits exactly is allowed, and no limit is none', () => {
    expect(aboveLimits(sized(2, 3), [], limited({ shards: 3, cacheNodes: 2, storage: '6Gi' }))).toEqual([]);
    expect(aboveLimits(sized(64, 64), [sized(64, 64)], limited({ shards: 0, storage: '' }, { sales: 0 }))).toEqual([]);
  });

  test('the sales of a namespace count together, those before this one first', () => {
    const namespace = { sales: 2, shards: 5 };
    expect(aboveLimits(sized(1, 3), [sized(1, 2)], limited({}, namespace))).toEqual([]);
    expect(aboveLimits(sized(1, 4), [sized(1, 2)], limited({}, namespace))).toHaveLength(1);
    expect(aboveLimits(sized(1, 1), [sized(1, 1), sized(1, 1)], limited({}, namespace))).toEqual([
      'the sales of this namespace together may have 2 of sales, and 3 would be needed; lower the number of FlashSales',
    ]);
  });

  test('whatever is asked for, the sales that are allowed stay within the limit together', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (counts, most) => {
          const all = counts.map((count) => sized(1, count));
          const allowed = counts.filter(
            (_, n) => aboveLimits(all[n] as never, all.slice(0, n), limited({}, { shards: most })).length === 0,
          );
          expect(allowed.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});

describe('a password is not sent in clear', () => {
  const kafka = (tls: boolean, mechanism = 'PLAIN') =>
    topologyOf({
      kafka: {
        bootstrapServers: ['a.example.com:9092', 'b.example.com:9092'],
        tls: { enabled: tls },
        sasl: { mechanism, username: 'u', secretRef: { name: 's' } },
      },
    });
  const known = (...plaintextKafka: string[]) => ({ ...limited({}), plaintextKafka });

  test('to an address that the operator’s owner did not list', () => {
    expect(plaintextPasswords(kafka(false), known())[0]).toContain(
      'in clear to a.example.com:9092, b.example.com:9092',
    );
    expect(plaintextPasswords(kafka(false), known('a.example.com:9092'))[0]).toContain(
      'in clear to b.example.com:9092',
    );
  });

  test('and may be to one that was listed, by TLS, or as SCRAM, which sends none', () => {
    expect(plaintextPasswords(kafka(false), known('a.example.com:9092', 'b.example.com:9092'))).toEqual([]);
    expect(plaintextPasswords(kafka(true), known())).toEqual([]);
    expect(plaintextPasswords(kafka(false, 'SCRAM-SHA-512'), known())).toEqual([]);
    expect(plaintextPasswords(topologyOf({}), known())).toEqual([]);
  });
});
