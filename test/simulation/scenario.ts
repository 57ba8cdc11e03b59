// From a seed to what happens in a run: the sale's size, its crowd, what the operator edits, and what goes wrong.

import type { BalancerConfig } from '../../dataplane/protocol/config.ts';
import type { SaleNames } from '../../dataplane/protocol/order-event.ts';
import type { Millis, NodeId, Units } from '../../dataplane/protocol/units.ts';
import type { BusFaults } from '../models/bus.ts';
import type { Random } from './engine/random.ts';
import type { Faults } from './engine/simulation.ts';

/** What order events say of the sale. */
export const SALE: SaleNames = { namespace: 'shop', name: 'sale', sku: 'phone' };

/** `at` counts from the opening. */
export type Edit =
  | { at: Millis; kind: 'stock'; units: Units }
  | { at: Millis; kind: 'nodes'; count: number }
  | { at: Millis; kind: 'shard' }
  | { at: Millis; kind: 'pause'; paused: boolean }
  /** The sale is deleted and made anew under the same name. `keeps`: what survives of its stores. */
  | { at: Millis; kind: 'remake'; keeps: 'everything' | 'caches' | 'nothing' }
  /** Not an edit: a cache node is out of reach from then on, for so long. */
  | { at: Millis; kind: 'away'; node: NodeId; time: Millis }
  /** Not an edit: the agents of a cache node do nothing from then on, for so long. */
  | { at: Millis; kind: 'stalled'; node: NodeId; time: Millis };

export interface Scenario {
  nodes: number;
  shards: number;
  storefronts: number;
  /** How many of each run at the same time. */
  cacheAgents: number;
  shardAgents: number;
  poolAgents: number;
  balancers: number;
  operators: number;
  stock: Units;
  maxQuantity: Units;
  perBuyer: Units;
  /** Absent: any number may lapse. */
  reservations?: { maxLapsed: number; cooldown: Millis };
  ttl: Millis;
  paymentDeadline: Millis | undefined;
  durability: 'Always' | 'EverySecond';
  balancer: BalancerConfig;
  buyers: number;
  /** The last of them comes at this time. */
  rush: Millis;
  /** Shares of the crowd. `ponder`: takes up to twice a token's time to live before it checks out. */
  ponder: number;
  abandon: number;
  leave: number;
  twice: number;
  cancel: number;
  greedy: number;
  /** How long the crowd keeps coming, and things go wrong. */
  duration: Millis;
  edits: Edit[];
  /** How much slower than usual everything answers. */
  slowness: number;
  faults: Faults;
  bus: BusFaults;
  /** Mean time between two accidents of a kind, from 1 s to never. */
  every: Accidents;
}

export interface Accidents {
  /** A process dies and comes back. */
  crash: Millis;
  /** A process is replaced, and goes on for a while beside its successor. */
  replace: Millis;
  /** A process does nothing for a while, and then goes on as if nothing had happened. */
  stall: Millis;
  /** The pool's agent loses its lock and does not know it yet. */
  lock: Millis;
  /** A cache node's server restarts, with what its durability keeps. */
  restart: Millis;
  /** A cache node loses its data. */
  loss: Millis;
  /** A store is out of reach for a while. */
  outage: Millis;
  /** A cache node's clock jumps. */
  clock: Millis;
  /** Kafka is away for a while, or loses everything. */
  kafka: Millis;
  /** Somebody with the key of the messages forges one. Only in the weather `forged`. */
  forger: Millis;
}

const NEVER = Number.POSITIVE_INFINITY;
export const CALM: Accidents = {
  crash: NEVER,
  replace: NEVER,
  stall: NEVER,
  lock: NEVER,
  restart: NEVER,
  loss: NEVER,
  outage: NEVER,
  clock: NEVER,
  kafka: NEVER,
  forger: NEVER,
};

export function scenarioOf(random: Random): Scenario {
  const often = (probability: number, low: Millis, high: Millis): Millis =>
    random.chance(probability) ? random.between(low, high) : NEVER;
  const rough = random.pick([0, 0.01, 0.05]);
  const noisy = random.pick([0, 0.05, 0.2]);
  const maxQuantity = random.pick([1, 1, 2, 4]);
  const shards = random.between(1, 4);
  const nodes = random.between(1, 4);
  const stock = random.pick([1, random.between(0, 12), random.between(10, 60)]);
  const duration = random.between(4000, 10_000);
  const calm = random.chance(0.1);
  return {
    nodes,
    shards,
    storefronts: random.between(1, 3),
    cacheAgents: random.chance(0.3) ? 2 : 1,
    shardAgents: random.chance(0.2) ? 2 : 1,
    poolAgents: random.chance(0.3) ? 2 : 1,
    balancers: random.chance(0.2) ? 2 : 1,
    operators: random.chance(0.2) ? 2 : 1,
    stock,
    maxQuantity,
    perBuyer: maxQuantity + random.between(0, 1),
    ttl: random.between(500, 3000),
    paymentDeadline: random.chance(0.4) ? random.between(500, 4000) : undefined,
    durability: random.chance(0.3) ? 'EverySecond' : 'Always',
    balancer: {
      rule: random.pick(['Average', 'Threshold', 'None'] as const),
      deadBand: random.pick([0, 0.1, 0.5]),
      summaryPeriod: random.pick([0, 100, 300]),
      shardTime: 30,
      delay: 20,
    },
    buyers: Math.floor(stock * random.pick([0.5, 1, 1.5])) + random.between(0, 5),
    rush: Math.floor(duration * 0.8),
    ponder: 0.1,
    abandon: random.pick([0, 0.1, 0.5]),
    leave: random.pick([0, 0.1, 0.5]),
    twice: random.pick([0, 0.2]),
    cancel: random.pick([0, 0.1, 0.3]),
    greedy: random.pick([0, 0.2]),
    duration,
    edits: calm ? [] : edits(random, { nodes, stock, duration }),
    slowness: random.pick([1, 1, 1, 6]),
    faults: { lost: rough, unanswered: rough, late: rough, repeated: rough },
    bus: { lost: noisy, repeated: noisy, delayed: noisy, stale: noisy },
    every: calm
      ? CALM
      : {
          crash: often(0.6, 400, 3000),
          replace: often(0.3, 800, 4000),
          stall: often(0.3, 800, 4000),
          lock: often(0.2, 1000, 4000),
          restart: often(0.4, 1000, 4000),
          loss: often(0.4, 1500, 5000),
          outage: often(0.4, 1000, 4000),
          clock: often(0.2, 1000, 4000),
          kafka: often(0.4, 1500, 5000),
          forger: NEVER,
        },
  };
}

function edits(random: Random, { nodes, stock, duration }: { nodes: number; stock: Units; duration: Millis }): Edit[] {
  const when = () => random.between(500, duration);
  const found: Edit[] = [];
  for (let n = random.pick([0, 0, 1, 3]); n > 0; n--) {
    const units = random.pick([0, random.between(0, 2 * stock), stock + random.between(1, 20)]);
    found.push({ at: when(), kind: 'stock', units });
  }
  for (let n = random.pick([0, 0, 1, 2]); n > 0; n--)
    found.push({ at: when(), kind: 'nodes', count: Math.max(1, nodes + random.between(-2, 2)) });
  for (let n = random.pick([0, 0, 1]); n > 0; n--) found.push({ at: when(), kind: 'shard' });
  if (random.chance(0.1)) {
    const at = when();
    found.push({ at, kind: 'pause', paused: true }, { at: at + 1000, kind: 'pause', paused: false });
  }
  if (random.chance(0.15))
    found.push({ at: when(), kind: 'remake', keeps: random.pick(['everything', 'caches', 'nothing'] as const) });
  return found.sort((a, b) => a.at - b.at);
}
