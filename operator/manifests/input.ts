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
  /** By file name of the secrets folder: all that `secretNames` lists. */
  secrets: ReadonlyMap<string, string>;
  /** Cache nodes that run: the topology's, and those leaving. */
  cachePods: number;
  /** As `saleConfig` makes it with the placement of `placeInCluster`. */
  config: SaleConfig;
  /** Differs when something differs that roles read only when they start: secrets, Kafka. */
  startedWith: string;
}
