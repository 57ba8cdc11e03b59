// Whether what the registry gave out has arrived where buyers get it: real stock in the shards, virtual stock on the
// cache nodes. Pure; before that a sale that is made is not yet one that sells.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import { nodeNumber } from '../../dataplane/protocol/units.ts';
import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';

/** Returns undefined when everything has arrived, otherwise what is waited for, in a few words. */
export function undelivered(
  registry: Pick<RegistryView, 'supplied' | 'nodes' | 'count' | 'shards'> | undefined,
  table: Pick<ResourceTable, 'pool' | 'levels' | 'shard'> | undefined,
): string | undefined {
  const pool = table?.pool();
  if (!registry || !table || !pool || registry.shards.some(({ id }) => !table.shard(id))) return 'the first reports';
  // Reports come after the registry: what it has just given out is not delivered until they say so, too.
  if (pool.supplied !== registry.supplied || pool.allocatable > 0) return 'the stock to be allocated to the shards';
  const applied = new Map(table.levels().map(({ node, granted }) => [node, granted]));
  const members = registry.nodes.filter(({ id }) => nodeNumber(id) < registry.count);
  if (members.some(({ id, granted }) => (applied.get(id) ?? 0) < granted)) return 'the cache nodes to take their stock';
  return undefined;
}
