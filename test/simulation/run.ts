// One run of one seed: the sale opens, sells while things go wrong, heals, comes to rest, and sells what is left.
// Throws a SimulationFailure that says how to see it again.

import type { Millis, Units } from '../../dataplane/protocol/units.ts';
import { letThingsGoWrong } from './accidents.ts';
import { Random } from './engine/random.ts';
import { Sim } from './engine/sim.ts';
import { agreed, atRest, audited, conserved, keptWord, onlyForward, soldOut, unrest, watch } from './invariants.ts';
import { Violation } from './model/violation.ts';
import { comes, type Wish } from './roles/buyer.ts';
import { type Scenario, scenarioOf } from './scenario.ts';
import type { Sentence } from './sentences.ts';
import { World } from './world.ts';

export class SimulationFailure extends Error {
  override name = 'SimulationFailure';
}

export interface Outcome {
  seed: number;
  events: number;
  supplied: Units;
  simulated: Millis;
}

export interface Options {
  /** Fixes parts of what the seed decides. */
  scenario?: Partial<Scenario>;
  /** Sentences taken back. */
  without?: readonly Sentence[];
}

/**
 * Everything has healed by then: longer than any lifetime, patience or repeat; and long enough for the whole crowd to
 * hold the last unit one after the other, when each leaves twice with its token before it buys.
 */
const restWithin = ({ buyers, ttl }: Scenario): Millis => 25_000 + buyers * 3 * ttl;

const LAST_CROWDS = 3;

export function run(seed: number, { scenario: fixed = {}, without = [] }: Options = {}): Outcome {
  const sim = new Sim(new Random(seed));
  const scenario: Scenario = { ...scenarioOf(sim.random), ...fixed };
  const world = new World(sim, scenario, (sentence) => without.includes(sentence));
  try {
    sell(world);
    return { seed, events: sim.events, supplied: world.registry.supplied, simulated: sim.now };
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new SimulationFailure(
      [
        error.message,
        `To see it again: SEED=${seed} hack/test simulation`,
        ...sim.lastNotes(Number(process.env.NOTES ?? 25)).map((note) => `  ${note}`),
        `  ${sim.now.toFixed(1)} ${error.message}`,
      ].join('\n'),
    );
  }
}

function sell(world: World): void {
  const { sim, scenario, bus } = world;
  sim.check = () => {
    conserved(world);
    onlyForward(world);
    for (const inquiry of world.inquiries) watch(world, inquiry);
  };
  sim.slowness = scenario.slowness;
  auditEvery(world, 50);
  Object.assign(sim.faults, scenario.faults);
  Object.assign(bus.faults, scenario.bus);
  for (const wish of crowdOf(world)) comes(world, world.people, wish);
  const heal = letThingsGoWrong(world);
  sim.runUntil(scenario.duration);
  heal();

  settle(world);
  // The last units may go to an earlier buyer who then does not pay, so a second crowd may find some again.
  for (let crowd = 1; crowd === 1 || (crowd <= LAST_CROWDS && virtualStock(world) > 0); crowd++) {
    const left = virtualStock(world);
    for (let n = 0; n < left + 2; n++) comes(world, world.people, lateBuyer(crowd, n));
    settle(world);
  }
  soldOut(world);
}

const virtualStock = ({ nodes }: World): Units => [...nodes.values()].reduce((sum, node) => sum + node.data.virtual, 0);

function settle(world: World): void {
  comeToRest(world);
  atRest(world);
  keptWord(world);
}

function auditEvery(world: World, period: Millis): void {
  world.sim.after(period, () => {
    audited(world);
    agreed(world);
    auditEvery(world, period);
  });
}

function comeToRest(world: World): void {
  const { sim, scenario } = world;
  const end = sim.now + restWithin(scenario);
  let left = unrest(world);
  while (left.length > 0 && sim.now < end) {
    sim.runUntil(sim.now + 250);
    left = unrest(world);
  }
  if (left.length > 0) throw new Violation(`R28, R30: does not come to rest: ${left.join('; ')}`);
}

function crowdOf({ sim, scenario }: World): Wish[] {
  const { random } = sim;
  return Array.from({ length: scenario.buyers }, (_, n) => ({
    buyer: `buyer ${n}`,
    quantity: random.between(1, scenario.maxQuantity),
    at: random.between(200, Math.floor(scenario.duration * 0.8)),
    thinks: thinks(random, scenario.ttl),
    abandons: random.chance(scenario.abandon) ? random.between(1, 2) : 0,
    leaves: random.chance(scenario.leave),
    clicksTwice: random.chance(scenario.twice),
    cancels: random.chance(scenario.cancel),
    pays: random.chance(0.8),
    comesAgain: random.chance(scenario.greedy) ? random.between(1, 5) : 0,
  }));
}

/** Most are quick, some far too late, some come just when their token ends. */
function thinks(random: Random, ttl: Millis): Millis {
  const kind = random.next();
  if (kind < 0.1) return ttl * 2 * random.next();
  return kind < 0.3 ? ttl + random.between(-30, 120) : random.between(0, 300);
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
