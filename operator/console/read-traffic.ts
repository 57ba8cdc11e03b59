// Asks the storefronts of a sale what they answered buyers. A storefront that does not answer in time keeps what it
// said last, so that a sum never falls because somebody was busy; one that never answered is counted as not read.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { type MetricLine, parseMetrics } from './prometheus-text.ts';
import type { Traffic } from './source.ts';
import { trafficOf } from './traffic.ts';

/** A storefront that gives no answer within this time is left out; snapshots are a second apart. */
const TIMEOUT: Millis = 700;
/** A storefront shows some ten thousand characters; whatever shows more is none. */
const LONGEST = 4_000_000;

export interface TrafficReader {
  /** Asks every storefront. `urls` are the addresses of their metrics. It never rejects; undefined: there is none to ask. */
  read(urls: readonly string[]): Promise<Traffic | undefined>;
}

export function trafficReader(): TrafficReader {
  let known = new Map<string, MetricLine[]>();
  return {
    async read(urls) {
      const asked = await Promise.all(urls.map(async (url) => [url, (await ask(url)) ?? known.get(url)] as const));
      known = new Map(asked.flatMap(([url, lines]) => (lines ? [[url, lines] as const] : [])));
      return urls.length === 0 ? undefined : trafficOf(asked.map(([, lines]) => lines));
    },
  };
}

async function ask(url: string): Promise<MetricLine[] | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT), redirect: 'error' });
    const text = await answer.text();
    return answer.ok && text.length <= LONGEST ? ours(parseMetrics(text)) : undefined;
  } catch {
    return undefined;
  }
}

/** The rest is about the process, and only costs memory here. */
const ours = (lines: MetricLine[]): MetricLine[] =>
  lines.filter(({ name }) => name.startsWith('flashsale_storefront_'));
