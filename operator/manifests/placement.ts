// Where the parts of a sale are reached within a cluster: every pod by the name its headless Service gives it, which
// stays when the pod moves. Pure.

import type { Address } from '../../dataplane/protocol/config.ts';
import { nodeId } from '../../dataplane/protocol/units.ts';
import type { Placement } from '../topology/placement.ts';
import type { BuyerList, Topology } from '../topology/topology.ts';
import { nameOf } from './objects.ts';
import type { OperatorOptions } from './options.ts';
import { listFile, PATHS, PORTS } from './places.ts';

export interface ClusterSite {
  /** Cache nodes that run: the topology's, and those leaving. */
  cachePods: number;
  /** The Kafka of a sale that names no brokers; absent: the operator has none to offer. */
  kafka?: OperatorOptions['kafka'];
}

export function placeInCluster(topology: Topology, { cachePods, kafka }: ClusterSite): Placement {
  const at = (component: 'cache' | 'shard' | 'pool', n: number, port: number): Address => {
    const name = nameOf(topology, component);
    return { host: `${name}-${n}.${name}.${topology.namespace}.svc`, port };
  };
  const { replicationFactor } = topology.kafka;
  return {
    caches: Object.fromEntries(Array.from({ length: cachePods }, (_, n) => [nodeId(n), at('cache', n, PORTS.redis)])),
    shards: Object.fromEntries(topology.shards.members.map(({ id }, n) => [id, at('shard', n, PORTS.postgres)])),
    pool: at('pool', 0, PORTS.postgres),
    poolAgent: at('pool', 0, PORTS.refills),
    kafka: {
      brokers: kafka?.bootstrapServers ?? [],
      replicationFactor: replicationFactor > 0 ? replicationFactor : (kafka?.replicationFactor ?? -1),
    },
    lists: {
      ...filesOf('allow', topology.lists.allow),
      ...filesOf('deny', topology.lists.deny),
    },
  };
}

const filesOf = (which: 'allow' | 'deny', list: BuyerList | undefined): Placement['lists'] =>
  list && list.from.length > 0 ? { [which]: list.from.map((_, n) => `${PATHS.lists}/${listFile(which, n)}`) } : {};
