// Drives a planned crowd against storefronts: starts each buyer at its time, whatever became of the others.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { visit } from './buyer.ts';
import { type Buyer, type LoadOptions, planBuyers, random } from './plan.ts';
import { openShop } from './shop.ts';
import { Tally } from './tally.ts';

/** How a crowd reaches the shop, whoever is in it. */
export interface DriveOptions extends Pick<LoadOptions, 'comeBack' | 'seed'> {
  urls: string[];
  header: string;
  connections: number;
  /** How long after the last arrival buyers may still wait for stock to come back. */
  maxWait: Millis;
  timeout: Millis;
  /** Called a few times a second, and once at the end. */
  progress?: (tally: Tally) => void;
  signal?: AbortSignal;
}

export type RunOptions = LoadOptions & DriveOptions;

export const runLoad = (options: RunOptions): Promise<Tally> => driveBuyers(planBuyers(options), options);

/** Sends the buyers, who are in the order of their arrival. */
export async function driveBuyers(buyers: readonly Buyer[], options: DriveOptions): Promise<Tally> {
  const shop = openShop(options.urls, options);
  const tally = new Tally();
  const end = (buyers.at(-1)?.arrival ?? 0) + options.maxWait;
  const stopped = () => options.signal?.aborted === true;
  const visits: Promise<void>[] = [];
  const context = {
    shop,
    tally,
    comeBack: options.comeBack,
    until: () => (stopped() ? 0 : end),
    pause: async (ms: Millis) => {
      await sleep(ms, undefined, options.signal ? { signal: options.signal } : {}).catch(() => undefined);
    },
    random: random(options.seed + 1),
  };
  const ticker = options.progress ? setInterval(() => options.progress?.(tally), 200) : undefined;
  try {
    for (let i = 0; i < buyers.length && !stopped(); ) {
      const now = tally.now();
      for (; i < buyers.length; i++) {
        const buyer = buyers[i];
        if (!buyer || buyer.arrival > now) break;
        visits.push(visit(buyer, context));
      }
      await sleep(1);
    }
    await Promise.all(visits);
  } finally {
    clearInterval(ticker);
    options.progress?.(tally);
    await shop.close();
  }
  return tally;
}
