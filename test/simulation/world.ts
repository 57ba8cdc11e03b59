// Everything of one run, put together: the stores, the processes, the crowd, and what was told to whom.

import { type NodeId, nodeId, type ShardId, shardId, type TokenId } from '../../dataplane/protocol/units.ts';
import type { Process, Sim } from './engine/sim.ts';
import type { Inquiry } from './invariants.ts';
import { BusModel } from './model/bus.ts';
import { NodeModel } from './model/node.ts';
import { PoolModel } from './model/pool.ts';
import { ShardModel } from './model/shard.ts';
import { Violation } from './model/violation.ts';
import { balancer } from './roles/balancer.ts';
import { crowd, nobodyTold, type Told } from './roles/buyer.ts';
import { cacheAgent } from './roles/cache-agent.ts';
import { operator } from './roles/operator.ts';
import { PoolAgent } from './roles/pool-agent.ts';
import { shardAgent } from './roles/shard-agent.ts';
import { Storefront } from './roles/storefront.ts';
import type { Scenario } from './scenario.ts';
import type { Without } from './sentences.ts';

export class World {
  readonly sim: Sim;
  readonly scenario: Scenario;
  readonly without: Without;
  readonly bus: BusModel;
  readonly registry: PoolModel;
  readonly nodes = new Map<NodeId, NodeModel>();
  readonly shards = new Map<ShardId, ShardModel>();
  readonly storefronts: Storefront[] = [];
  readonly poolAgent: PoolAgent;
  readonly people: Process;
  /** Those that may die; they are started again. */
  readonly mortals: Process[] = [];
  readonly told: Told = nobodyTold();
  /** Purchases that wait for an answer whether anything is left. */
  readonly inquiries = new Set<Inquiry>();
  /** Generations of the resource, as edited and as known to be applied. */
  edited = 1;
  applied = 0;
  #tokens = 0;

  constructor(sim: Sim, scenario: Scenario, without: Without) {
    this.sim = sim;
    this.scenario = scenario;
    this.without = without;
    this.bus = new BusModel(sim);
    this.registry = new PoolModel(without);
    this.people = crowd(this);
    this.people.start();
    this.poolAgent = new PoolAgent(this, 'agent of the pool');
    this.#run(this.poolAgent.process);
    for (let n = 0; n < scenario.shards; n++) this.addShard();
    for (let n = 0; n < scenario.nodes; n++) this.addNode();
    for (let n = 0; n < scenario.storefronts; n++) {
      const storefront = new Storefront(this, `storefront ${n}`);
      this.storefronts.push(storefront);
      this.#run(storefront.process);
    }
    for (let n = 0; n < scenario.balancers; n++) this.#run(balancer(this, `balancer ${n}`));
    this.#run(operator(this));
  }

  addShard(): void {
    const id = shardId(this.shards.size);
    const shard = new ShardModel(id, this.without);
    this.shards.set(id, shard);
    this.#run(shardAgent(this, shard));
  }

  addNode(): void {
    const id = nodeId(this.nodes.size);
    const node = new NodeModel(id, () => this.sim.now, this.without);
    this.nodes.set(id, node);
    for (let n = 0; n < this.scenario.agents; n++) this.#run(cacheAgent(this, node, `agent ${n} of ${id}`));
  }

  newToken(): TokenId {
    return `t${++this.#tokens}`;
  }

  reportFault(found: boolean, what: string): void {
    if (found) throw new Violation(what);
  }

  #run(process: Process): void {
    this.mortals.push(process);
    process.start();
  }
}
