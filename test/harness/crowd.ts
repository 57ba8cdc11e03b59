// A crowd for a test's sale: the load generator's own buyers, planned from a seed, with what a test may want to choose
// about them. Small and quick by default; it ends when everybody has an order or a final no.

import { ownerNode } from '../../dataplane/protocol/owner-node.ts';
import type { Millis, NodeId, Units } from '../../dataplane/protocol/units.ts';
import { type LoadOptions, planBuyers } from '../../operator/load/plan.ts';
import { driveBuyers } from '../../operator/load/run.ts';
import type { Tally } from '../../operator/load/tally.ts';
import type { TestSale } from './sale.ts';
import { until } from './until.ts';

export interface CrowdOptions extends Partial<LoadOptions> {
  /** Everybody arrives within about this time; `rate` goes before. */
  within?: Millis;
  /** How buyer n is called; absent: `<prefix>n`. */
  named?: (n: number) => string;
  /**
   * Only the first so many buyers let their token lapse, so that the others wait for lapsed tokens once, and not again for
   * those that lapse among them. Default: any buyer may.
   */
  lapsing?: number;
  /** How long after the last arrival a buyer may still wait for stock to come back. */
  maxWait?: Millis;
}

export interface Crowd {
  /** So far; a few times a second. */
  tally(): Tally | undefined;
  /** Resolves when this many units were sold to it. */
  bought(units: Units): Promise<void>;
  /** Resolves when the last buyer has left. */
  done: Promise<Tally>;
}

const DEADLINE: Millis = 120_000;

const DEFAULTS: Omit<LoadOptions, 'rate'> = {
  buyers: 200,
  maxQuantity: 1,
  duplicates: 0.1,
  abandon: 0.1,
  cancel: 0,
  forged: 0.01,
  foreign: 0.01,
  comeBack: false,
  think: 150,
  seed: 1,
  prefix: 'buyer-',
};

/** What a crowd must know of a sale. */
type Shop = Pick<TestSale, 'config' | 'storefrontUrls'>;

/** Arrives now. */
export function startCrowd(sale: Shop, options: CrowdOptions = {}): Crowd {
  const { within = 4000, named, lapsing = Number.POSITIVE_INFINITY, maxWait = 60_000, ...chosen } = options;
  const planned = { ...DEFAULTS, ...chosen };
  const plan: LoadOptions = { ...planned, rate: chosen.rate ?? Math.max(1, planned.buyers / (within / 1000)) };
  const buyers = planBuyers(plan).map((buyer, n) => ({
    ...buyer,
    name: named?.(n) ?? buyer.name,
    abandon: buyer.abandon && n < lapsing,
  }));
  const { auth } = sale.config;
  if (auth.kind !== 'header') throw new Error('a crowd names its buyers by a trusted header');
  let tally: Tally | undefined;
  const done = driveBuyers(buyers, {
    urls: sale.storefrontUrls(),
    header: auth.header,
    connections: 64,
    maxWait,
    timeout: 10_000,
    comeBack: plan.comeBack,
    seed: plan.seed,
    progress: (now) => {
      tally = now;
    },
  });
  return {
    tally: () => tally,
    bought: async (units) => {
      await until(`${units} units being sold`, () => (tally?.sold ?? 0) >= units, DEADLINE);
    },
    done,
  };
}

/** The same, from arrival to the last one's leaving. */
export const crowd = (sale: Shop, options: CrowdOptions = {}): Promise<Tally> => startCrowd(sale, options).done;

/** Names of buyers whom this node owns among `count` nodes. */
export function namesAt(owner: NodeId, count: number, prefix: string): () => string {
  let next = 0;
  return () => {
    while (ownerNode(`${prefix}${next}`, count) !== owner) next++;
    return `${prefix}${next++}`;
  };
}
