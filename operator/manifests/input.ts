// What every object of a sale is made of.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import type { Topology } from '../topology/topology.ts';
import type { OperatorOptions } from './options.ts';

export interface ManifestInput {
  /** Valid, with its defaults. Objects are owned by it once it has a uid. */
  sale: FlashSale;
  /** Of this sale. */
  topology: Topology;
  options: OperatorOptions;
  /** The values of all secrets that `secretNames` lists, by file name of the secrets folder. */
  secrets: ReadonlyMap<string, string>;
  /** Cache nodes that run: the topology's, and those leaving. */
  cachePods: number;
  /** The configuration that `saleConfig` makes with the placement of `placeInCluster`. */
  config: SaleConfig;
  /** A fingerprint of what roles read only when they start: secrets and Kafka. */
  startedWith: string;
}
