// Where the parts of a sale are reached within a cluster: every pod by the name its headless Service gives it, which
// stays when the pod moves. Pure.

import type { Placement } from '../topology/placement.ts';
import type { Topology } from '../topology/topology.ts';
import type { OperatorOptions } from './options.ts';

export interface ClusterSite {
  /** Cache nodes that run: the topology's, and those leaving. */
  cachePods: number;
  /** For a sale that names no brokers; absent: the operator has none to offer. */
  kafka?: OperatorOptions['kafka'];
}

export function placeInCluster(topology: Topology, site: ClusterSite): Placement {
  throw new Error(`not placed: ${topology.name} ${site.cachePods}`);
}
