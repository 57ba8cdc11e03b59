// The sale as a cluster has it → the topology that every driver makes. Pure.

import type { FlashSale } from '../api/flashsale.gen.ts';
import { buildTopology, type Topology } from '../topology/topology.ts';

export const FINALIZER = 'flashsale.dev/topics';

/** No resource lives to see more edits than this; both parts together stay a safe integer until the year 2242. */
const EDITS = 2 ** 20;

/**
 * Returns the generation of the supply, which must rise over re-creations too: a retained pool refuses one that does not, and a
 * new resource counts its own edits from 1.
 */
export const supplyGeneration = ({ generation = 1, creationTimestamp }: FlashSale['metadata']): number =>
  Math.floor(Date.parse(creationTimestamp ?? '1970-01-01T00:00:00Z') / 1000) * EDITS + Math.min(generation, EDITS - 1);

/** What the sale consists of in a cluster. */
export function topologyOf(sale: FlashSale): Topology {
  const topology = buildTopology(sale);
  return { ...topology, settings: { ...topology.settings, generation: supplyGeneration(sale.metadata) } };
}
