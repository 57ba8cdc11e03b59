// The option by which a command that counts or crowds a sale of this machine does the same to one of the cluster it runs
// in: as a pod, where the sale's hosts have names that lead somewhere.

import { Option } from 'commander';
import type { ClusterSale } from './cluster-sale.ts';

export const clusterOption = (): Option =>
  new Option('--cluster <namespace/name>', 'a sale of the cluster that this program runs in');

/** The client of a cluster is loaded only where there is one. Throws `UserError`. */
export async function inCluster(name: string): Promise<ClusterSale> {
  const { withCluster } = await import('./cluster.ts');
  const { findSale } = await import('./sales.ts');
  const { readClusterSale } = await import('./cluster-sale.ts');
  return withCluster({}, async (cluster) => readClusterSale(cluster.client, await findSale(cluster, name)));
}
