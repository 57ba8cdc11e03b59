// What the operator's owner allows a sale, which asks for machines and names addresses that its author chose. Pure. Answers a
// sentence for each thing that is not allowed; a sale with one is left as it is.

import { parseQuantity } from '../api/scalars.ts';
import type { Limits, TenantOptions } from '../manifests/options.ts';
import type { Topology } from '../topology/topology.ts';

/** What a sale takes of what is limited. `storage` is in bytes. */
interface Use {
  sales: number;
  shards: number;
  cacheNodes: number;
  storefronts: number;
  storage: number;
}

const WORDS: Record<keyof Use, { what: string; field: string }> = {
  sales: { what: 'sales', field: 'the number of FlashSales' },
  shards: { what: 'shards', field: 'spec.shards.count' },
  cacheNodes: { what: 'cache nodes', field: 'spec.cache.nodes' },
  storefronts: { what: 'storefronts', field: 'spec.storefront.replicas or autoscaling.maxReplicas' },
  storage: { what: 'storage', field: 'storage.size of spec.cache and spec.shards, or their numbers' },
};

type Sized = Pick<Topology, 'caches' | 'shards' | 'storefronts'>;

/**
 * Returns what the limits forbid. `earlier` are the sales of the namespace that were created before this one: they have their
 * place already, so it is the newest sales that find none.
 */
export function aboveLimits(topology: Sized, earlier: readonly Sized[], { limits }: TenantOptions): string[] {
  const own = useOf(topology);
  return [
    ...above(own, limits.sale, 'a sale may have'),
    ...above(
      earlier.map(useOf).reduce((sum, use) => add(sum, use), own),
      limits.namespace,
      'the sales of this namespace together may have',
    ),
  ];
}

function useOf({ caches, shards, storefronts }: Sized): Use {
  const cacheNodes = caches.nodes.length;
  const count = shards.members.length;
  return {
    ...{ sales: 1, shards: count, cacheNodes },
    storefronts: Math.max(storefronts.replicas, storefronts.autoscaling?.maxReplicas ?? 0),
    // The transfer pool has a volume like a shard's.
    storage: cacheNodes * bytes(caches.storage.size) + (count + 1) * bytes(shards.storage.size),
  };
}

const add = (a: Use, b: Use): Use => ({
  sales: a.sales + b.sales,
  shards: a.shards + b.shards,
  cacheNodes: a.cacheNodes + b.cacheNodes,
  storefronts: a.storefronts + b.storefronts,
  storage: a.storage + b.storage,
});

function above(use: Use, limits: Limits, who: string): string[] {
  return (Object.keys(WORDS) as (keyof Use)[]).flatMap((of) => {
    const limit = limits[of];
    const most = typeof limit === 'string' ? bytes(limit) : limit;
    if (most === undefined || most === 0 || use[of] <= most) return [];
    const { what, field } = WORDS[of];
    const asked = of === 'storage' ? `${Math.ceil(use.storage / 2 ** 20)}Mi` : use[of];
    return [`${who} ${limit} of ${what}, and ${asked} would be needed; lower ${field}`];
  });
}

function bytes(size: string): number {
  const quantity = parseQuantity(size);
  return quantity === undefined ? 0 : Number(quantity.numerator / quantity.denominator);
}

/** Returns the brokers that would be sent a password in clear and are not known to the operator's owner. */
export function plaintextPasswords({ kafka }: Pick<Topology, 'kafka'>, { plaintextKafka }: TenantOptions): string[] {
  if (kafka.tls || kafka.sasl?.mechanism !== 'plain') return [];
  const strange = (kafka.brokers ?? []).filter((broker) => !plaintextKafka.includes(broker));
  if (strange.length === 0) return [];
  return [
    `spec.kafka would send a password in clear to ${strange.join(', ')}; set spec.kafka.tls: {}, or use SCRAM-SHA-512, or have the operator's owner list the address in sales.kafka.plaintextPasswords`,
  ];
}
