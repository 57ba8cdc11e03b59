// Weather in which some sentence of the protocol matters more often than in whatever a seed decides: parts of a
// scenario. With every sentence in place, runs in them find nothing, too.

import { NO_BUS_FAULTS } from '../models/bus.ts';
import { NO_FAULTS } from './engine/simulation.ts';
import { CALM, type Edit, type Scenario } from './scenario.ts';

const ONE_OF_EACH = { storefronts: 1, cacheAgents: 1, shardAgents: 1, poolAgents: 1, balancers: 1, operators: 1 };

/** `count` edits, one every `period` ms from 700 on. */
const edits = (count: number, period: number, edit: (n: number) => Edit): Edit[] =>
  Array.from({ length: count }, (_, n) => ({ ...edit(n), at: 700 + n * period }));

const restless: Partial<Scenario> = {
  ...ONE_OF_EACH,
  ...{ nodes: 3, shards: 2, storefronts: 2, stock: 40, buyers: 60, maxQuantity: 4, perBuyer: 4 },
  ...{ abandon: 0.5, leave: 0, cancel: 0, ttl: 600, duration: 6000, edits: [], slowness: 4 },
  faults: { ...NO_FAULTS, late: 0.05 },
  every: { ...CALM, loss: 700 },
};

const seesaw: Partial<Scenario> = {
  ...ONE_OF_EACH,
  ...{ nodes: 4, shards: 1, stock: 40, buyers: 5, maxQuantity: 1, perBuyer: 1 },
  ...{ abandon: 0.5, leave: 0, cancel: 0, ttl: 400, duration: 9000, slowness: 5 },
  edits: edits(30, 260, (n) => ({ at: 0, kind: 'stock', units: n % 2 === 0 ? 4 : 60 })),
  faults: { ...NO_FAULTS, late: 0.15 },
  every: { ...CALM, loss: 250 },
};

const resizing: Partial<Scenario> = {
  ...ONE_OF_EACH,
  ...{ nodes: 2, shards: 1, storefronts: 2, stock: 200, buyers: 150, maxQuantity: 1, perBuyer: 1 },
  ...{ abandon: 0, cancel: 0, greedy: 1, ttl: 500, duration: 12_000, slowness: 1, durability: 'Always' as const },
  paymentDeadline: undefined,
  edits: edits(6, 1900, (n) => ({ at: 0, kind: 'nodes', count: n % 2 === 0 ? 3 : 2 })),
  faults: NO_FAULTS,
  bus: NO_BUS_FAULTS,
  every: CALM,
};

const twoPools: Partial<Scenario> = {
  ...resizing,
  ...{ poolAgents: 2, stock: 60, buyers: 80, slowness: 4 },
  every: { ...CALM, lock: 400, stall: 900 },
};

const heldUp: Partial<Scenario> = {
  ...resizing,
  ...{ poolAgents: 3, nodes: 3, stock: 60, buyers: 90, cancel: 0.2, paymentDeadline: 900, ttl: 1500 },
  edits: edits(14, 700, (n) => ({ at: 0, kind: 'nodes', count: n % 2 === 0 ? 2 : 3 })),
  faults: { ...NO_FAULTS, late: 0.2 },
  every: { ...CALM, lock: 250 },
};

export const WEATHERS = {
  /** Many refills, nodes that lose their data all the time, calls that arrive late, and everything slow. */
  restless,
  /** The same with two agents of each node, which crash. */
  contested: { ...restless, cacheAgents: 2, every: { ...CALM, loss: 700, crash: 150, stall: 800 } },
  /** Nodes that restart without their last second. */
  forgetful: { ...restless, durability: 'EverySecond', every: { ...CALM, restart: 600 } },
  /** Supply that is lowered and raised all the time, while nodes lose their data. */
  seesaw,
  /** The same, and answers are lost instead. */
  unanswered: { ...seesaw, faults: { ...NO_FAULTS, unanswered: 0.1 }, every: CALM },
  /** Buyers who check out just when their token ends. */
  lastMoment: {
    ...ONE_OF_EACH,
    ...{ nodes: 1, shards: 1, storefronts: 3, cacheAgents: 2, stock: 40, buyers: 150, abandon: 0, ttl: 500 },
    ...{ edits: [], slowness: 1 },
    faults: { ...NO_FAULTS, late: 0.2 },
    every: CALM,
  },
  /** Buyers with two windows who come back to a token of before. */
  twoWindows: {
    ...ONE_OF_EACH,
    ...{ nodes: 1, shards: 1, stock: 60, buyers: 80, maxQuantity: 1, perBuyer: 3, abandon: 0, leave: 0, twice: 1 },
    ...{ greedy: 1, cancel: 0, ttl: 500, edits: [], slowness: 1, faults: NO_FAULTS, bus: NO_BUS_FAULTS, every: CALM },
  },
  /** Shards that join while nodes are recovered. */
  growing: {
    ...ONE_OF_EACH,
    ...{ nodes: 3, shards: 1, storefronts: 2, stock: 60, buyers: 120, ttl: 1500, duration: 9000, slowness: 6 },
    ...{ abandon: 0, maxQuantity: 1, perBuyer: 1, faults: { ...NO_FAULTS, late: 0.05 } },
    edits: edits(12, 600, () => ({ at: 0, kind: 'shard' })),
    every: { ...CALM, loss: 300 },
  },
  /** Buyers who try to buy again, while the number of nodes changes. */
  resizing,
  /** A leaving node that is out of reach while its tokens are checked out. */
  leaving: {
    ...resizing,
    ...{ nodes: 2, shards: 4, ttl: 9000, rush: 3000, ponder: 0.9, greedy: 0, duration: 16_000, slowness: 30 },
    edits: [
      { at: 2800, kind: 'nodes', count: 1 },
      { at: 4200, kind: 'away', node: 'c1', time: 11_000 },
    ],
  },
  /** Little stock, of which one unit more comes again and again, while many ask for it. */
  trickling: {
    ...ONE_OF_EACH,
    ...{ nodes: 2, shards: 1, storefronts: 10, stock: 4, buyers: 300, maxQuantity: 1, perBuyer: 1, abandon: 0 },
    ...{ leave: 0, twice: 0, cancel: 0, greedy: 0, ttl: 3000, duration: 7000, slowness: 12 },
    faults: NO_FAULTS,
    edits: edits(70, 75, (n) => ({ at: 0, kind: 'stock', units: 5 + n })),
    every: CALM,
  },
  /** Nodes whose clocks jump. */
  jumping: { every: { ...CALM, clock: 700 } },
  /** All stock is on one shard, and nobody spreads it by a rule. */
  lopsided: {
    ...ONE_OF_EACH,
    ...{ shards: 4, stock: 30, buyers: 60, abandon: 0, edits: [] },
    balancer: { rule: 'None', deadBand: 0, summaryPeriod: 100, shardTime: 30, delay: 20 },
    bus: { lost: 0.3, repeated: 0.1, delayed: 0.2, stale: 0.2 },
    every: CALM,
  },
  /** Supply that is lowered after it was sold, and raised again. */
  lowered: {
    ...{ nodes: 3, stock: 20, buyers: 20, maxQuantity: 4, perBuyer: 4, abandon: 0.5 },
    edits: [
      { at: 1500, kind: 'stock', units: 0 },
      { at: 2500, kind: 'stock', units: 22 },
      { at: 3000, kind: 'stock', units: 19 },
      { at: 3500, kind: 'stock', units: 18 },
    ],
  },
  /** Sales that are made anew while processes of the earlier one go on. */
  remade: {
    edits: [
      { at: 2000, kind: 'remake', keeps: 'caches' },
      { at: 5000, kind: 'remake', keeps: 'nothing' },
    ],
    every: { ...CALM, replace: 700, stall: 900 },
  },
  /** Sales that are made anew, nothing of them kept, while calls of the earlier ones are still on their way. */
  outlived: {
    ...ONE_OF_EACH,
    ...{ nodes: 2, shards: 3, stock: 30, buyers: 40, duration: 9000, slowness: 1 },
    edits: edits(6, 1200, () => ({ at: 0, kind: 'remake', keeps: 'nothing' })),
    faults: { ...NO_FAULTS, late: 0.3 },
    every: { ...CALM, replace: 80 },
  },
  /** Two agents of the pool that act at the same time, and a layout that changes. */
  twoPools,
  /** The same with three, little stock and everything slow: one still moves units when another one has ended the draining. */
  threePools: {
    ...twoPools,
    ...{ poolAgents: 3, stock: 24, buyers: 60, ttl: 250, slowness: 8 },
    edits: edits(12, 950, (n) => ({ at: 0, kind: 'nodes', count: n % 2 === 0 ? 3 : 2 })),
    every: { ...CALM, lock: 300, stall: 600 },
  },
  /** Two operators, one of which may be held up with an edit of before, and numbers of nodes that change. */
  secondThoughts: {
    ...resizing,
    ...{ operators: 2, stock: 20, buyers: 40, abandon: 0.5, ttl: 4000, duration: 20_000 },
    edits: edits(6, 2000, (n) => ({ at: 0, kind: 'nodes', count: 2 + (n % 3) })),
    faults: { ...NO_FAULTS, late: 0.3 },
    every: { ...CALM, stall: 150 },
  },
  /** The same with the supply, and only what is asked of it comes late. */
  lateSupplies: {
    ...seesaw,
    operators: 2,
    edits: edits(12, 700, (n) => ({ at: 0, kind: 'stock', units: [40, 10, 30][n % 3] ?? 30 })),
    faults: { ...NO_FAULTS, held: { setSupply: 0.5 } },
    every: CALM,
  },
  /** Numbers of nodes that are edited away and back while the layout changes. */
  wavering: {
    ...resizing,
    ...{ stock: 20, buyers: 40, abandon: 0.5, ttl: 9000, duration: 20_000 },
    edits: [3, 4, 3].map((count, n) => ({ at: 1500 + 1000 * n, kind: 'nodes' as const, count })),
  },
  /** Buyers who let their reservations lapse again and again, and have to wait after the second; clocks jump. */
  hoarding: {
    ...{ nodes: 2, stock: 30, buyers: 60, maxQuantity: 2, perBuyer: 4, abandon: 0.8, leave: 0.1, ttl: 500 },
    ...{ reservations: { maxLapsed: 2, cooldown: 1500 } },
    every: { ...CALM, loss: 1500, clock: 1500 },
  },
  /** Recoveries that raise the epoch long after they looked at the registry, while supply is lowered and raised. */
  lateEpochs: { ...seesaw, faults: { ...NO_FAULTS, held: { raiseEpoch: 0.3 } }, every: { ...CALM, loss: 700 } },
  /** Ends of tokens that reach the shards when the node is in its next life. */
  lateCloses: { ...restless, faults: { ...NO_FAULTS, held: { closeTokens: 0.3 } } },
  /** Steps of a resize that reach the registry during the next one. */
  lateSteps: {
    ...heldUp,
    edits: edits(20, 500, (n) => ({ at: 0, kind: 'nodes', count: [2, 4, 3][n % 3] ?? 3 })),
    faults: { ...NO_FAULTS, held: { resize: 0.4 } },
    every: CALM,
  },
  /** The end of a pause that reaches a node when it drains. */
  latePauses: {
    ...resizing,
    ...{ cacheAgents: 2, duration: 16_000, rush: 15_000 },
    edits: Array.from({ length: 6 }, (_, n): Edit[] => [
      { at: 900 + 2200 * n, kind: 'pause', paused: true },
      { at: 1900 + 2200 * n, kind: 'pause', paused: false },
      { at: 1901 + 2200 * n, kind: 'nodes', count: n % 2 === 0 ? 3 : 2 },
    ]).flat(),
    faults: { ...NO_FAULTS, held: { setMode: 0.4 } },
  },
  /** Agents of the pool that are held up while the others change the layout, and layouts that follow each other. */
  heldUp,
  /** Somebody who has the key of the messages forges stock, credits and commands. */
  forged: {
    ...{ shards: 3, stock: 30, buyers: 80, perBuyer: 4 },
    every: { ...CALM, forger: 60, crash: 1500, kafka: 2500 },
  },
  /** Numbers of nodes that change while the agent of a node that stays does nothing: it does not pause its node. */
  distracted: {
    ...resizing,
    edits: [1000, 4500, 8000].flatMap((at, n) => [
      { at, kind: 'nodes' as const, count: n % 2 === 0 ? 3 : 2 },
      { at, kind: 'stalled' as const, node: 'c0' as const, time: 3000 },
    ]),
  },
  /** Nodes that the agent of the pool often fails to ask, while they hold the last units. */
  unasked: {
    ...ONE_OF_EACH,
    ...{ nodes: 3, shards: 1, storefronts: 3, stock: 40, buyers: 80, maxQuantity: 2, perBuyer: 2, abandon: 0 },
    ...{ leave: 0, twice: 0, cancel: 0, greedy: 0, ttl: 3000, duration: 6000, slowness: 1, edits: [] },
    faults: { ...NO_FAULTS, lost: 0.1 },
    every: CALM,
  },
  /** A unit more now and then, for a node whose agent does not apply its grants. */
  unapplied: {
    ...ONE_OF_EACH,
    ...{ nodes: 1, shards: 1, storefronts: 6, stock: 6, buyers: 250, maxQuantity: 1, perBuyer: 1, abandon: 0.5 },
    ...{ leave: 0.5, twice: 0, cancel: 0, greedy: 0, ttl: 3000, duration: 8000, slowness: 1 },
    faults: { ...NO_FAULTS, lost: 0.1 },
    edits: [
      { at: 1500, kind: 'stalled', node: 'c0', time: 5000 },
      ...edits(35, 150, (n) => ({ at: 0, kind: 'stock', units: 7 + n })),
    ],
    every: CALM,
  },
  /** Buyers who come again at once, and shards whose answers are lost. */
  regulars: {
    ...ONE_OF_EACH,
    ...{ nodes: 2, shards: 2, stock: 200, buyers: 60, maxQuantity: 1, perBuyer: 4, abandon: 0, leave: 0, twice: 0 },
    ...{ greedy: 1, cancel: 0, ponder: 0, ttl: 4000, edits: [], slowness: 1, bus: NO_BUS_FAULTS, every: CALM },
    faults: { ...NO_FAULTS, unanswered: 0.15 },
  },
  /** R29: buyers who want exactly what is left, one unit on each of the nodes. */
  crumbs: {
    ...{ nodes: 4, stock: 6, buyers: 20, maxQuantity: 4, perBuyer: 4, cancel: 0.3, paymentDeadline: 700 },
    edits: edits(8, 600, (n) => ({ at: 0, kind: 'stock', units: 6 + (n % 4) * 3 })),
  },
  /** R30: a whole sale on one node and one shard, which nobody can help out. */
  alone: {
    ...ONE_OF_EACH,
    ...{ nodes: 1, shards: 1, stock: 30, buyers: 60, maxQuantity: 4, perBuyer: 5, edits: [] },
    every: { ...CALM, crash: 900, loss: 2500, restart: 1500, outage: 2000, kafka: 2500 },
  },
} as const satisfies Record<string, Partial<Scenario>>;

export type WeatherName = keyof typeof WEATHERS;
