// The agent beside the transfer pool: a shard's agent, and whoever carries out what the registry wants: books what
// nodes revoked, grants, credits cancellations, takes a lowered supply back, refills nodes, drives a resize. What to
// do is decided by the real code; here are the steps between which things go wrong.

import type { RefillAnswer } from '../../../dataplane/protocol/refill.ts';
import type { Millis, NodeId, Units } from '../../../dataplane/protocol/units.ts';
import { type Classification, classify, liveUnits } from '../../../dataplane/shard-agent/pool/classify.ts';
import { decideResize, type ResizeAction } from '../../../dataplane/shard-agent/pool/decide-resize.ts';
import { donation, type Holding, planRefills, planWithdrawal } from '../../../dataplane/shard-agent/pool/moves.ts';
import {
  type FitReading,
  isFit,
  isMember,
  isStaying,
  type Look,
  poorest,
} from '../../../dataplane/shard-agent/pool/reading.ts';
import { call, forever, Process, quietly, sleep, type Task } from '../engine/sim.ts';
import { answeredSoldOut, inquire } from '../invariants.ts';
import type { World } from '../world.ts';
import { fence } from './fence.ts';
import { startPeer } from './shard-agent.ts';
import { apply, balance, lookAt, take } from './virtual-stock.ts';

const LOOKS = 5;
const GRACE: Millis = 1000;

interface Flight {
  answer: RefillAnswer | undefined;
}

export class PoolAgent {
  readonly process: Process;
  readonly #world: World;
  #busy = false;
  #flights = new Map<string, Flight>();
  readonly #absentSince = new Map<NodeId, Millis>();
  readonly #fenced = new Map<NodeId, number>();

  constructor(world: World, name: string) {
    this.#world = world;
    this.process = new Process(world.sim, name, (process) => {
      this.#busy = false;
      this.#flights = new Map();
      world.inquiries.clear();
      this.#absentSince.clear();
      this.#fenced.clear();
      startPeer(world, world.registry, process);
      process.spawn(forever(world.sim, 200, () => this.#inTurn(() => this.#keep())));
    });
  }

  /** Whatever moves virtual stock takes turns. */
  *#inTurn<T>(work: () => Task<T>): Task<T> {
    while (this.#busy) yield* sleep(2);
    this.#busy = true;
    try {
      return yield* work();
    } finally {
      this.#busy = false;
    }
  }

  /** One flight per node and quantity; who comes later shares its answer. */
  *refill(node: NodeId, quantity: Units): Task<RefillAnswer> {
    const key = `${node} ${quantity}`;
    const shared = this.#flights.get(key);
    if (shared) {
      while (!shared.answer) yield* sleep(5);
      return shared.answer;
    }
    const flight: Flight = { answer: undefined };
    this.#flights.set(key, flight);
    const inquiry = inquire(this.#world, quantity);
    this.#world.inquiries.add(inquiry);
    const answer = yield* quietly(this.#inTurn(() => this.#refill(node, quantity)));
    this.#world.inquiries.delete(inquiry);
    this.#flights.delete(key);
    if (answer?.outcome === 'sold-out') answeredSoldOut(inquiry);
    flight.answer = answer ?? { outcome: 'unavailable', liveUnits: 0 };
    return flight.answer;
  }

  *#refill(node: NodeId, quantity: Units): Task<RefillAnswer> {
    let units = 0;
    for (let i = 0; i < LOOKS; i++) {
      const look = yield* lookAt(this.#world);
      const found = yield* balance(this.#world, look, isStaying(look.view, node) ? node : undefined);
      units = liveUnits(found);
      const judgement = classify(found, { node, quantity });
      if (judgement.kind !== 'gather') return { outcome: judgement.kind, liveUnits: units };
      yield* this.#gather(judgement);
    }
    return { outcome: 'unavailable', liveUnits: units };
  }

  *#gather({ asker, needed, donors }: Extract<Classification, { kind: 'gather' }>): Task {
    let granted = 0;
    for (const donor of donors) {
      if (granted >= needed) break;
      granted += yield* take(this.#world, donor, donation(donor.state.virtual, needed - granted), asker.node.id);
    }
    yield* apply(this.#world, asker, asker.node.granted + granted);
  }

  *#keep(): Task {
    const found = yield* lookAt(this.#world);
    yield* this.#noticeReachable(found);
    let look = yield* balance(this.#world, found);
    const steps = [this.#credit, this.#withdraw, this.#refillAhead, this.#resize];
    for (const step of steps)
      if (yield* step.call(this, look)) look = yield* balance(this.#world, yield* lookAt(this.#world));
  }

  *#noticeReachable({ readings }: Look): Task {
    const { sim, registry } = this.#world;
    for (const reading of readings) {
      const { id, reachable } = reading.node;
      if (isFit(reading)) this.#absentSince.delete(id);
      else if (!this.#absentSince.has(id)) this.#absentSince.set(id, sim.now);
      const reached = sim.now - (this.#absentSince.get(id) ?? sim.now) < GRACE;
      if (reached !== reachable) yield* call(registry, () => registry.setReachable(id, reached));
    }
  }

  // Each step answers whether it did anything.

  *#credit(look: Look): Task<boolean> {
    const { registry, shards } = this.#world;
    const heir = poorest(look);
    if (heir === undefined) return false;
    let any = false;
    for (const { id, credited } of look.view.shards) {
      const shard = shards.get(id);
      if (!shard) continue;
      const cancelled = yield* call(shard, () => shard.cancelled);
      if (cancelled <= credited) continue;
      yield* call(registry, () => registry.credit(id, cancelled, heir));
      any = true;
    }
    return any;
  }

  *#withdraw(look: Look): Task<boolean> {
    const { registry } = this.#world;
    const { view } = look;
    if (view.owed > 0) yield* call(registry, () => registry.payOwed());
    const excess = view.supplied - view.owed - view.target;
    const heir = poorest(look);
    if (excess <= 0 || heir === undefined) return false;
    const members = look.readings.filter(isFit).filter(({ node }) => isMember(view, node.id));
    const plan = planWithdrawal(members.map(holding), excess);
    return yield* this.#carryOut(
      look,
      plan.map(({ node, units }) => ({ from: node, units, to: heir })),
    );
  }

  *#refillAhead(look: Look): Task<boolean> {
    const staying = look.readings.filter(isFit).filter(({ node }) => isStaying(look.view, node.id));
    return yield* this.#carryOut(look, planRefills(staying.map(holding)));
  }

  *#resize(look: Look): Task<boolean> {
    const { sim } = this.#world;
    const absentFor = (node: NodeId) => sim.now - (this.#absentSince.get(node) ?? sim.now);
    const actions = decideResize(look, absentFor, (node, epoch) => this.#fenced.get(node) === epoch);
    for (const action of actions) yield* this.#act(look, action);
    return false;
  }

  *#act(look: Look, action: ResizeAction): Task {
    const { registry } = this.#world;
    const heir = poorest(look);
    if (action.kind === 'step') yield* call(registry, () => registry.resize(action.from, action.to));
    else if (action.kind === 'empty' && heir !== undefined)
      yield* this.#carryOut(look, [{ from: action.node, units: action.units, to: heir }]);
    else if (action.kind === 'fence' && heir !== undefined) {
      const epoch = yield* fence(this.#world, action.node, action.epoch, heir);
      if (epoch !== undefined) this.#fenced.set(action.node, epoch);
    }
  }

  *#carryOut(look: Look, moves: readonly { from: NodeId; to: NodeId; units: Units }[]): Task<boolean> {
    for (const { from, to, units } of moves) {
      const donor = look.readings.filter(isFit).find(({ node }) => node.id === from);
      if (donor) yield* take(this.#world, donor, units, to);
    }
    return moves.length > 0;
  }
}

const holding = ({ node, state }: FitReading): Holding => ({ node: node.id, virtual: state.virtual });
