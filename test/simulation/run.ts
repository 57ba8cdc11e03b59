// One run of one seed: the sale opens, sells while things go wrong, heals, comes to rest, and sells what is left.
// Rejects with a SimulationFailure that says how to see it again.

import type { Millis, Units } from '../../dataplane/protocol/units.ts';
import type { StoreSentence } from '../models/sentences.ts';
import { letThingsGoWrong } from './accidents.ts';
import { comes, type Wish } from './buyers.ts';
import { Random } from './engine/random.ts';
import { Simulation } from './engine/simulation.ts';
import { Violation } from './engine/violation.ts';
import {
  agreed,
  atRest,
  audited,
  conserved,
  keptForOwed,
  keptWord,
  nothingLeftBehind,
  onlyForward,
  resized,
  soldByOneLayout,
  soldOut,
  understood,
  unrest,
  watch,
  wished,
} from './invariants.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import { World } from './world.ts';

export class SimulationFailure extends Error {
  override name = 'SimulationFailure';
  readonly seed: number;
  /** What happened before, the newest last. */
  readonly story: readonly string[];

  constructor(seed: number, what: string, story: readonly string[]) {
    super(what);
    this.seed = seed;
    this.story = story;
  }
}

export interface Outcome {
  seed: number;
  steps: number;
  supplied: Units;
  simulated: Millis;
}

export interface Options {
  /** Fixes parts of what the seed decides. */
  scenario?: Partial<Scenario>;
  /** Sentences taken back in the stores' models. */
  without?: readonly StoreSentence[];
  /** How much of the story a failure tells. */
  notes?: number;
}

/** Something must come nearer to its end within this time: longer than any lifetime, timeout or repeat of the roles. */
const progressWithin = ({ ttl }: Scenario): Millis => 30_000 + 6 * ttl;

const LAST_CROWDS = 3;

export async function run(seed: number, options: Options = {}): Promise<Outcome> {
  const { scenario: fixed = {}, without = [], notes = 40 } = options;
  const sim = new Simulation(new Random(seed));
  const scenario: Scenario = { ...scenarioOf(sim.random), ...fixed };
  sim.slowness = scenario.slowness;
  sim.faults = scenario.faults;
  try {
    const world = new World(sim, scenario, (sentence) => without.includes(sentence));
    await sell(world);
    const supplied = world.stores.pool.model.registry.sale?.supplied ?? 0;
    return { seed, steps: sim.steps, supplied, simulated: sim.now };
  } catch (error) {
    const what = error instanceof Violation ? error.message : String(error instanceof Error ? error.stack : error);
    throw new SimulationFailure(seed, what, sim.story.last(notes));
  }
}

async function sell(world: World): Promise<void> {
  const { sim, scenario, stores } = world;
  sim.check = () => {
    conserved(world);
    onlyForward(world);
    wished(world);
    soldByOneLayout(world);
    keptForOwed(world);
    nothingLeftBehind(world);
    resized(world);
    if (world.inquiries.size > 0) for (const inquiry of world.inquiries.values()) watch(world, inquiry);
  };
  auditEvery(world, 100);
  Object.assign(stores.bus.faults, scenario.bus);
  for (const wish of crowdOf(world)) comes(world, wish);
  const heal = letThingsGoWrong(world);
  await sim.run(scenario.duration);
  heal();

  await settle(world);
  // The last units may go to an earlier buyer who then does not pay, so a second crowd may find some again.
  for (let crowd = 1; crowd === 1 || (crowd <= LAST_CROWDS && virtualStock(world) > 0); crowd++) {
    const left = virtualStock(world);
    for (let n = 0; n < left + 2; n++) comes(world, lateBuyer(crowd, n));
    await settle(world);
  }
  soldOut(world);
}

const virtualStock = ({ stores }: World): Units =>
  [...stores.nodes.values()].reduce((sum, { model }) => sum + model.data.virtual, 0);

async function settle(world: World): Promise<void> {
  await comeToRest(world);
  atRest(world);
  keptWord(world);
}

function auditEvery(world: World, period: Millis): void {
  world.sim.after(
    period,
    () => {
      audited(world);
      agreed(world);
      understood(world);
      auditEvery(world, period);
    },
    true,
  );
}

async function comeToRest(world: World): Promise<void> {
  const { sim, scenario } = world;
  let left = unrest(world);
  let before = progress(world);
  let since = sim.now;
  while (left.length > 0 && sim.now < since + progressWithin(scenario)) {
    await sim.run(sim.now + 250);
    left = unrest(world);
    const now = progress(world);
    if (now !== before) since = sim.now;
    before = now;
  }
  if (left.length > 0) throw new Violation(`R28, R30: does not come to rest: ${left.join('; ')}`);
}

/** Another one whenever a buyer was served, left or came back, stock moved, or a node or the layout changed. */
function progress({ stores, told }: World): string {
  const { registry, version } = stores.pool.model;
  const versions = [...stores.shards.values()].map(({ model }) => model.version);
  const epochs = [...registry.nodes.values()].map(({ epoch }) => epoch);
  return [told.waiting.size, told.abandoned, version, registry.sale?.resize, ...versions, ...epochs].join();
}

function crowdOf({ sim, scenario }: World): Wish[] {
  const { random } = sim;
  return Array.from({ length: scenario.buyers }, (_, n) => ({
    buyer: `buyer ${n}`,
    quantity: random.between(1, scenario.maxQuantity),
    at: random.between(200, scenario.rush),
    thinks: thinks(random, scenario),
    abandons: random.chance(scenario.abandon) ? random.between(1, 2) : 0,
    leaves: random.chance(scenario.leave),
    clicksTwice: random.chance(scenario.twice),
    cancels: random.chance(scenario.cancel),
    pays: random.chance(0.8),
    comesAgain: random.chance(scenario.greedy) ? random.between(1, 5) : 0,
  }));
}

/** Most are quick, some far too late, some come just when their token ends. */
function thinks(random: Random, { ttl, ponder }: Scenario): Millis {
  if (random.chance(ponder)) return ttl * 2 * random.next();
  return random.chance(0.2) ? ttl + random.between(-30, 120) : random.between(0, 300);
}

const lateBuyer = (crowd: number, n: number): Wish => ({
  buyer: `late buyer ${crowd}.${n}`,
  quantity: 1,
  at: 0,
  thinks: 10,
  abandons: 0,
  leaves: false,
  clicksTwice: false,
  cancels: false,
  pays: true,
  comesAgain: 0,
});
