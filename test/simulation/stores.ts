// The stores of a sale: what is behind each address. A sale that is made anew gets new ones behind the same addresses.

import { type NodeId, nodeId, type ShardId, shardId } from '../../dataplane/protocol/units.ts';
import { BusModel, type BusOptions } from '../models/bus.ts';
import { CacheNodeModel, type CacheNodeOptions } from '../models/cache-node.ts';
import { PoolModel, type RegistryModel } from '../models/registry.ts';
import type { WithoutStore } from '../models/sentences.ts';
import { ShardModel } from '../models/shard.ts';
import { type Server, WALL } from './engine/process.ts';
import type { Simulation } from './engine/simulation.ts';

/** A server whose content may be replaced, and which may be out of reach. */
export interface Place<Model> extends Server<Model> {
  up: boolean;
  model: Model;
}

export type NodePlace = Place<CacheNodeModel> & { id: NodeId };
export type ShardPlace = Place<ShardModel> & { id: ShardId };

/** Who looks on while the stores work. */
export interface Witness {
  taken: NonNullable<BusOptions['taken']>;
  ended: NonNullable<CacheNodeOptions['ended']>;
}

export class Stores {
  readonly bus: BusModel;
  readonly pool: Place<PoolModel>;
  /** The registry is in the pool's database. */
  readonly registry: Server<RegistryModel>;
  readonly nodes = new Map<NodeId, NodePlace>();
  readonly shards = new Map<ShardId, ShardPlace>();
  readonly #sim: Simulation;
  readonly #without: WithoutStore;
  readonly #witness: Witness;
  #drawn = 0;

  constructor(sim: Simulation, without: WithoutStore, witness: Witness) {
    this.#sim = sim;
    this.#without = without;
    this.#witness = witness;
    this.bus = new BusModel({
      after: (delay, run) => void sim.after(delay, run),
      random: () => sim.random.next(),
      taken: witness.taken,
    });
    const pool: Place<PoolModel> = { name: 'pool', up: true, model: this.#newPool() };
    this.pool = pool;
    this.registry = {
      name: 'registry',
      get up() {
        return pool.up;
      },
      get model() {
        return pool.model.registry;
      },
    };
  }

  addShard(): ShardId {
    const id = shardId(this.shards.size);
    this.shards.set(id, { id, name: id, up: true, model: this.#newShard() });
    return id;
  }

  addNode(): NodeId {
    const id = nodeId(this.nodes.size);
    this.nodes.set(id, { id, name: id, up: true, model: this.#newNode() });
    return id;
  }

  /** Every database is new, and where they are not kept the cache nodes are, too. The bus keeps what it keeps. */
  remake(keepsCaches: boolean): void {
    this.pool.model = this.#newPool();
    for (const place of this.shards.values()) place.model = this.#newShard();
    if (keepsCaches) return;
    for (const place of this.nodes.values()) place.model = this.#newNode();
    this.bus.wipe();
  }

  /** Those that can be out of reach. */
  places(): Place<unknown>[] {
    return [this.pool, ...this.nodes.values(), ...this.shards.values()];
  }

  #newPool(): PoolModel {
    return new PoolModel({ ...this.#shardOptions(), draw: () => `sale-${++this.#drawn}` });
  }

  #newShard(): ShardModel {
    return new ShardModel(this.#shardOptions());
  }

  #newNode(): CacheNodeModel {
    return new CacheNodeModel({ now: this.#now, without: this.#without, ended: this.#witness.ended });
  }

  #shardOptions() {
    return { now: this.#now, peerIncarnation: `database-${++this.#drawn}`, without: this.#without };
  }

  readonly #now = () => WALL + this.#sim.now;
}
