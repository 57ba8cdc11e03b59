// Where a driver put the parts of a sale, and the configuration every role is told then. Pure.

import type { Address, ListConfig, SaleConfig } from '../../dataplane/protocol/config.ts';
import { type NodeId, nodeNumber, type ShardId } from '../../dataplane/protocol/units.ts';
import type { BuyerList, Topology } from './topology.ts';

export interface Placement {
  /** Every node that runs; those leaving after an edit are still among them. */
  caches: Partial<Record<NodeId, Address>>;
  shards: Record<ShardId, Address>;
  /** The pool's database, and where its agent answers refills. */
  pool: Address;
  poolAgent: Address;
  /** The brokers of a topology that names none. */
  kafka: Pick<SaleConfig['kafka'], 'brokers' | 'replicationFactor'>;
  /** The files made of the lists' texts. */
  lists: { allow?: string[]; deny?: string[] };
}

/** Throws when the placement lacks a shard of the topology: a driver's mistake. */
export function saleConfig(topology: Topology, placement: Placement): SaleConfig {
  const { namespace, name, settings, qualification, lists, caches, shards, pool, kafka } = topology;
  const { brokers, topics: _, ...connection } = kafka;
  const nodes = Object.entries(placement.caches) as [NodeId, Address][];
  return {
    namespace,
    name,
    ...settings,
    qualification: {
      ...qualification,
      ...(lists.allow ? { allow: placedList(lists.allow, placement.lists.allow) } : {}),
      ...(lists.deny ? { deny: placedList(lists.deny, placement.lists.deny) } : {}),
    },
    cache: {
      durability: caches.durability,
      nodes: nodes.map(([id, at]) => ({ id, ...at })).sort((a, b) => nodeNumber(a.id) - nodeNumber(b.id)),
    },
    shards: shards.members.map(({ id, database }) => {
      const at = placement.shards[id];
      if (!at) throw new Error(`shard ${id} was placed nowhere`);
      return { id, database, ...at };
    }),
    pool: { ...placement.pool, database: pool.database, agent: placement.poolAgent },
    kafka: { ...connection, ...(brokers ? { brokers } : placement.kafka) },
  };
}

const placedList = ({ ids }: BuyerList, files: string[] | undefined): ListConfig => ({
  ...(ids ? { ids } : {}),
  ...(files ? { files } : {}),
});
