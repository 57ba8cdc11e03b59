// What is so: readings of registry and resource table → the figures of a FlashSale's status. Pure. Every driver
// reports with it, so that a figure means the same on one machine and in a cluster.

import type { Level } from '../../dataplane/protocol/messages.ts';
import type { Dispersion, PoolView, ShardView } from '../../dataplane/protocol/table.ts';
import { type Millis, type NodeId, nodeNumber, type ShardId, sum, type Units } from '../../dataplane/protocol/units.ts';
import type { CacheStatus, FlashSaleStatus, ShardStatus } from '../api/flashsale.gen.ts';
import type { Topology } from './topology.ts';

/** The part of the registry's view that is read here. */
export interface RegistryFigures {
  incarnation: string;
  generation: number;
  target: Units;
  supplied: Units;
  owed: Units;
  count: number;
  wantedCount: number;
  resize: 'none' | 'draining' | 'rebuilding';
  paused: boolean;
}

/** The part of the resource table that is read here. */
export interface TableFigures {
  shards(): readonly ShardView[];
  levels(): Level[];
  pool(): PoolView | undefined;
  dispersion(): Dispersion;
}

export interface Readings {
  /** The registry as last read; absent: it could not be asked yet. */
  registry: RegistryFigures | undefined;
  table: TableFigures | undefined;
  readyCaches: ReadonlySet<NodeId>;
  readyShards: ReadonlySet<ShardId | 'pool'>;
  readyStorefronts: number;
}

/** A shard reports lifetime totals. */
const sold = (shard: ShardView): Units => shard.sold - shard.cancelled;

type Phase = NonNullable<FlashSaleStatus['phase']>;
type Figures = Omit<FlashSaleStatus, 'conditions' | 'selector' | 'balancePeriod'>;

/** The figures are not read at one instant: a moving sale shows small differences between them. */
export function figures(topology: Topology, readings: Readings, now: Millis): Figures {
  const { registry, table, readyCaches, readyShards, readyStorefronts } = readings;
  const shards = table?.shards() ?? [];
  // A node that left goes on being the last thing heard of it: it counts only while it holds something.
  const levels = (table?.levels() ?? []).filter(
    ({ node, virtual, liveUnits }) => nodeNumber(node) < (registry?.count ?? 0) || virtual > 0 || liveUnits > 0,
  );
  const pool = table?.pool();
  const known = {
    observedGeneration: topology.settings.generation,
    phase: phaseOf(topology, readings, now),
    storefrontReplicas: readyStorefronts,
    ...(registry ? { incarnation: registry.incarnation, supplied: registry.supplied } : {}),
  };
  if (!table || !pool) return known;
  return {
    ...known,
    sold: sum(shards, sold),
    available: sum(shards, (shard) => shard.available) + pool.available,
    virtualAvailable: sum(levels, (level) => level.virtual),
    tokensLive: sum(levels, (level) => level.liveUnits),
    inTransfer: sum(shards, (shard) => shard.inFlight) + pool.inFlight,
    shards: [
      ...shards.map(
        (shard): ShardStatus => ({
          id: shard.shard,
          ready: readyShards.has(shard.shard),
          available: shard.available,
          pinned: shard.pinned,
          sold: sold(shard),
        }),
      ),
      { id: 'pool', ready: readyShards.has('pool'), available: pool.available, pinned: 0, sold: 0 },
    ],
    caches: [...levels]
      .sort((a, b) => nodeNumber(a.node) - nodeNumber(b.node))
      .map(
        (level): CacheStatus => ({
          id: level.node,
          ready: readyCaches.has(level.node),
          epoch: level.epoch,
          virtualAvailable: level.virtual,
          tokensLive: level.liveUnits,
        }),
      ),
    dispersion: table.dispersion(),
  };
}

/** Decides the phase: the first that applies, in the order of the CRD. */
function phaseOf(topology: Topology, readings: Readings, now: Millis): Phase {
  const { registry, readyStorefronts } = readings;
  const { window, paused } = topology.settings;
  if (!registry || registry.count === 0 || registry.generation === 0 || readyStorefronts === 0) return 'Pending';
  if (registry.resize !== 'none' || registry.count !== registry.wantedCount) return 'Resizing';
  if (window.closesAt !== undefined && now >= window.closesAt) return 'Closed';
  if (paused) return 'Paused';
  if (window.opensAt !== undefined && now < window.opensAt) return 'Scheduled';
  return nothingLeft(topology, registry, readings.table) ? 'SoldOut' : 'Selling';
}

/** False as long as it is not known: a sale is not called sold out for want of news. */
function nothingLeft(topology: Topology, registry: RegistryFigures, table: TableFigures | undefined): boolean {
  const pool = table?.pool();
  if (!table || !pool || registry.target !== topology.settings.stock) return false;
  const shards = table.shards();
  const live = sum(table.levels(), (level) => level.liveUnits);
  const left = sum(shards, (shard) => shard.available + shard.inFlight) + pool.available + pool.inFlight;
  return shards.length > 0 && live === 0 && left <= registry.owed;
}
