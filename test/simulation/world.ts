// Everything of one run, put together: the stores, the processes, the crowd, and what was told to whom.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { OrderCloudEvent } from '../../dataplane/protocol/order-event.ts';
import type { RefillAnswer, RefillRequest } from '../../dataplane/protocol/refill.ts';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Incarnation, Millis, NodeId, ShardId, TokenId, Units } from '../../dataplane/protocol/units.ts';
import type { WithoutStore } from '../models/sentences.ts';
import { nobodyTold, type Told } from './buyers.ts';
import { Process } from './engine/process.ts';
import type { Simulation } from './engine/simulation.ts';
import { answeredSoldOut, ended, type Inquiry, inquire } from './invariants.ts';
import { Lock } from './lock.ts';
import { Merchant } from './merchant.ts';
import {
  type Edited,
  type PoolProcess,
  runBalancer,
  runCacheAgent,
  runOperator,
  runPoolAgent,
  runShardAgent,
  runStorefront,
  type StorefrontProcess,
} from './roles.ts';
import { type Edit, SALE, type Scenario } from './scenario.ts';
import { Stores, type Witness } from './stores.ts';

/** What a generation of the resource asks of the registry. */
export interface Wishes {
  nodes: number;
  stock: Units;
}

/** A role that is started again whenever it ends. */
export interface Supervised {
  readonly name: string;
  /** The one that was started last; an earlier one may still be alive. */
  process: Process;
  edited: Edited;
  readonly start: (process: Process) => Edited;
}

const agentOf = (id: NodeId | ShardId): string => `agent of ${id}`;

/** Configurations are polled. */
const NOTICES_WITHIN: Millis = 600;

export class World {
  readonly sim: Simulation;
  readonly scenario: Scenario;
  readonly stores: Stores;
  readonly lock: Lock;
  readonly people: Process;
  readonly roles: Supervised[] = [];
  readonly storefronts: StorefrontProcess[] = [];
  readonly poolAgents: PoolProcess[] = [];
  readonly tables: ResourceTable[] = [];
  told: Told = nobodyTold();
  merchant = new Merchant();
  /** Purchases that wait for an answer whether anything is left, by the agent and the question. */
  readonly inquiries = new Map<string, Inquiry>();
  wantedNodes: number;
  /** What each generation of the resource wants, by its number. */
  readonly wishes: Wishes[] = [];
  /** The highest supply ever asked for. */
  highest: Units;
  /** The generation that the registry is known to have. */
  appliedGeneration = 0;
  #generation = 1;
  #stock: Units;
  #paused = false;
  #tokens = 0;

  constructor(sim: Simulation, scenario: Scenario, without: WithoutStore) {
    this.sim = sim;
    this.scenario = scenario;
    this.#stock = scenario.stock;
    this.highest = scenario.stock;
    this.wantedNodes = scenario.nodes;
    this.wishes[1] = { nodes: scenario.nodes, stock: scenario.stock };
    this.stores = new Stores(sim, without, this.#witness());
    this.lock = new Lock(this.stores);
    this.people = new Process(sim, 'crowd');
    for (let n = 0; n < scenario.nodes; n++) this.stores.addNode();
    for (let n = 0; n < scenario.shards; n++) this.stores.addShard();
    const { poolAgents, balancers, storefronts, operators } = scenario;
    this.#supervise(poolAgents, 'agent of the pool', (process) => runPoolAgent(this, process));
    for (const id of this.stores.shards.keys()) this.#superviseShard(id);
    for (const id of this.stores.nodes.keys()) this.#superviseNode(id);
    this.#supervise(storefronts, 'storefront', (process) => runStorefront(this, process));
    this.#supervise(balancers, 'balancer', (process) => runBalancer(this, process));
    this.#supervise(operators, 'operator', (process) => runOperator(this, process));
    for (const edit of scenario.edits) sim.after(edit.at, () => this.edit(edit));
  }

  /** Of the sale that is there now; undefined: its registry is not made yet. */
  get incarnation(): Incarnation | undefined {
    return this.stores.pool.model.registry.sale?.incarnation;
  }

  get settledEdits(): boolean {
    return this.appliedGeneration >= this.#generation;
  }

  config(): SaleConfig {
    const { scenario, stores } = this;
    const address = { host: 'here', port: 1 };
    return {
      ...SALE,
      generation: this.#generation,
      stock: this.#stock,
      window: {},
      paused: this.#paused,
      token: { ttl: scenario.ttl },
      orders: scenario.paymentDeadline === undefined ? {} : { paymentDeadline: scenario.paymentDeadline },
      storefront: { connections: { most: 1000 } },
      qualification: {
        ...{ perBuyer: scenario.perBuyer, maxQuantity: scenario.maxQuantity },
        ...(scenario.reservations ? { reservations: scenario.reservations } : {}),
      },
      auth: { kind: 'header', header: 'x-buyer' },
      cache: { durability: scenario.durability, nodes: [...stores.nodes.keys()].map((id) => ({ id, ...address })) },
      shards: [...stores.shards.keys()].map((id) => ({ id, database: id, ...address })),
      pool: { ...address, database: 'pool', agent: address },
      kafka: { brokers: [], prefix: 'sale', replicationFactor: 1, tls: false },
      balancer: scenario.balancer,
    };
  }

  newToken(): TokenId {
    return `token${String(++this.#tokens).padStart(17, '0')}`;
  }

  applied(generation: number, incarnation: Incarnation): void {
    if (incarnation === this.incarnation) this.appliedGeneration = Math.max(this.appliedGeneration, generation);
  }

  /** The one that a storefront's question reaches. */
  actingPoolAgent(): PoolProcess | undefined {
    const living = this.poolAgents.filter(({ process }) => process.alive);
    const ready = living.filter(({ agent }) => agent.waitsFor() === undefined);
    const able = ready.length > 0 ? ready : living;
    return able.length > 0 ? this.sim.random.pick(able) : undefined;
  }

  /** Asks the pool's agent in its own process. R29 is watched from the question to the answer. */
  async refill({ process, agent }: PoolProcess, request: RefillRequest): Promise<RefillAnswer> {
    const refill = agent.refill();
    if (refill === undefined) return { outcome: 'unavailable', liveUnits: 0 };
    // Whoever asks the same of the same agent shares the answer to the first one's question.
    const question = `${process.number}: ${request.node} ${request.quantity}`;
    const first = this.inquiries.get(question);
    const inquiry = first ?? inquire(this, request.quantity);
    if (!first) this.inquiries.set(question, inquiry);
    try {
      const answer = await refill(request);
      if (answer.outcome === 'sold-out' && this.inquiries.get(question) === inquiry)
        this.#check(() => answeredSoldOut(inquiry));
      return answer;
    } finally {
      if (this.inquiries.get(question) === inquiry) this.inquiries.delete(question);
    }
  }

  edit(edit: Edit): void {
    if (edit.kind === 'away' || edit.kind === 'stalled') {
      if (edit.kind === 'away') this.#away(edit.node, edit.time);
      else this.#stall(edit.node, edit.time);
      return;
    }
    this.sim.note('edit', JSON.stringify(edit));
    this.#generation++;
    if (edit.kind === 'stock') this.#stock = edit.units;
    else if (edit.kind === 'nodes') this.wantedNodes = edit.count;
    else if (edit.kind === 'pause') this.#paused = edit.paused;
    else if (edit.kind === 'shard') this.#superviseShard(this.stores.addShard());
    else this.#remake(edit.keeps);
    this.wishes[this.#generation] = { nodes: this.wantedNodes, stock: this.#stock };
    this.highest = Math.max(this.highest, this.#stock);
    while (this.stores.nodes.size < this.wantedNodes) this.#superviseNode(this.stores.addNode());
    for (const { process, edited } of this.roles)
      process.wake(this.sim.random.next() * NOTICES_WITHIN, () => edited(this.config()));
  }

  /** Starts it anew. `overlap`: for how long the earlier one goes on. */
  restart(role: Supervised, overlap: Millis = 0): void {
    const earlier = role.process;
    if (overlap > 0 && earlier.alive) this.sim.after(overlap, () => earlier.end());
    else earlier.end();
    role.process = new Process(this.sim, role.name);
    role.edited = role.start(role.process);
  }

  #remake(keeps: 'everything' | 'caches' | 'nothing'): void {
    if (keeps !== 'everything') {
      this.stores.remake(keeps === 'caches');
      this.told = { ...nobodyTold(), waiting: this.told.waiting };
      this.merchant = new Merchant();
      this.inquiries.clear();
      this.tables.length = 0;
      this.highest = this.#stock;
      this.appliedGeneration = 0;
    }
    for (const role of this.roles) this.restart(role, this.sim.random.chance(0.5) ? this.sim.random.next() * 3000 : 0);
  }

  #away(node: NodeId, time: Millis): void {
    const place = this.stores.nodes.get(node);
    if (!place) return;
    this.sim.note(node, 'is out of reach');
    place.up = false;
    this.sim.after(time, () => {
      place.up = true;
    });
  }

  #stall(node: NodeId, time: Millis): void {
    for (const { name, process } of this.roles) if (name.startsWith(agentOf(node))) process.stall(time);
  }

  /** Checks in the middle of a call: a violation ends the run, because the caller would take it for a refusal. */
  #check(invariant: () => void): void {
    try {
      invariant();
    } catch (error) {
      this.sim.fail(error);
    }
  }

  #witness(): Witness {
    return {
      taken: (topic, value) => {
        if (topic === 'orders') this.#check(() => this.merchant.hear(this, value as OrderCloudEvent));
      },
      ended: ({ id }, as, incarnation) => this.#check(() => ended(this, id, as, incarnation)),
    };
  }

  #superviseShard(id: `s${number}`): void {
    this.#supervise(this.scenario.shardAgents, agentOf(id), (process) => runShardAgent(this, id, process));
  }

  #superviseNode(id: `c${number}`): void {
    this.#supervise(this.scenario.cacheAgents, agentOf(id), (process) => runCacheAgent(this, id, process));
  }

  #supervise(count: number, what: string, start: (process: Process) => Edited): void {
    for (let n = 0; n < count; n++) {
      const name = count === 1 ? what : `${what} (${n})`;
      const process = new Process(this.sim, name);
      this.roles.push({ name, process, edited: start(process), start });
    }
  }
}
