// The dashboards against a real Prometheus that watched a real sale: every query of every panel has an answer, what they
// say is what happened, and each dashboard can be looked at as a picture. No alert is raised while all is well, and the
// right one when a part dies.
//
// FLASHSALE_PICTURES names a folder to keep the pictures in.

import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DASHBOARDS } from '../../../charts/sources/dashboards/all.ts';
import { type Answer, ask, type Stretch } from '../../../charts/sources/dashboards/ask.ts';
import { allPanels } from '../../../charts/sources/dashboards/description.ts';
import { heightOf, picture } from '../../../charts/sources/dashboards/picture.ts';
import { crowd } from '../../harness/crowd.ts';
import { startPrometheus, type TestPrometheus } from '../../harness/prometheus.ts';
import { startSale, stopSharedKafka, type TestSale } from '../../harness/sale.ts';
import { until } from '../../harness/until.ts';
import { type Exporter, scrapesOf, serveKubelet, serveOperator, specOf } from './as-in-a-cluster.ts';
import { ruleFiles, rules } from './promtool.ts';
import { screenshot } from './screenshot.ts';

const STOCK = 2000;
/** Seconds from one reading to the next; half of what a busy machine may take to answer one. */
const EVERY = 2;
const seconds = () => Date.now() / 1000;

let sale: TestSale;
let prometheus: TestPrometheus;
let exporters: Exporter[];
let stretch: Stretch;
const answers = new Map<string, Answer[]>();

beforeAll(async () => {
  const spec = {
    ...{ sku: 'TEST-1', stock: STOCK, cache: { nodes: 3 }, shards: { count: 3 } },
    auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
    ...{ storefront: { replicas: 2 }, token: { ttl: '5s' }, orders: { paymentDeadline: '10m' } },
  };
  sale = await startSale(spec, { kafka: 'shared' });
  const report = await sale.report();
  const yaml = `{apiVersion: flashsale.dev/v1alpha1, kind: FlashSale, metadata: {name: x}, spec: ${JSON.stringify(spec)}}`;
  exporters = [await serveOperator(specOf(yaml), () => sale.report()), await serveKubelet(report)];
  prometheus = await startPrometheus({
    scrapes: [...scrapesOf(report), ...exporters.map(({ scrape }) => scrape)],
    rules: ruleFiles,
    every: EVERY,
  });
  await until('Prometheus to have seen all of the stock', async () => {
    const [virtual] = await prometheus.query('sum(flashsale_cache_virtual_units)');
    const [real] = await prometheus.query('sum(flashsale_shard_available_units)');
    return virtual?.value === STOCK && real?.value === STOCK;
  });
  const from = seconds();
  await sleep(2 * EVERY * 1000);
  await tooMuchAtOnce(sale.storefrontUrls());
  await crowd(sale, { buyers: 1500, within: 15_000, abandon: 0.15, cancel: 0.05, prefix: 'first-' });
  await crowd(sale, { buyers: 2500, within: 15_000, abandon: 0.1, seed: 2, prefix: 'second-' });
  await until('everything to be sold', async () => (await sale.report()).status.phase === 'SoldOut');
  await sleep(3000);
  stretch = { from, to: seconds(), step: 1, rateInterval: 4 * EVERY };
  const which = { namespace: report.namespace, sale: report.name };
  for (const dashboard of DASHBOARDS) answers.set(dashboard.name, await ask(prometheus.url, dashboard, which, stretch));
}, 240_000);

/** Some who are refused for another reason than being late. */
async function tooMuchAtOnce(urls: string[]): Promise<void> {
  for (const url of urls)
    for (let n = 0; n < 20; n++)
      await fetch(`${url}/purchase`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-buyer-id': `greedy-${n}` },
        body: JSON.stringify({ quantity: 50 }),
      });
}

afterAll(async () => {
  await Promise.all([prometheus?.stop(), ...(exporters ?? []).map((exporter) => exporter.stop())]);
  await sale?.stop();
  await stopSharedKafka();
});

/** The values of a panel's query over time, added up over its lines. */
function valuesOf(dashboard: string, title: string, legend = ''): number[] {
  const panels = answers.get(dashboard)?.filter(({ panel }) => panel.title === title) ?? [];
  const found = panels.flatMap(({ lines }) => lines).find(({ query }) => query.legend === legend)?.lines;
  if (found === undefined) throw new Error(`there is no "${legend}" in ${title}`);
  const sums = new Map<number, number>();
  for (const { points } of found) for (const [at, value] of points) sums.set(at, (sums.get(at) ?? 0) + value);
  return [...sums.entries()].sort(([a], [b]) => a - b).map(([, value]) => value);
}

describe.each(DASHBOARDS.map((dashboard) => [dashboard.title, dashboard] as const))('%s', (_, dashboard) => {
  it.each(allPanels(dashboard).map((panel) => [panel.title, panel] as const))('answers: %s', (_title, panel) => {
    const answer = answers.get(dashboard.name)?.find((one) => one.panel === panel);
    const silent = answer?.lines.filter(
      ({ lines }) => !lines.some(({ points }) => points.some(([, value]) => Number.isFinite(value))),
    );
    expect(silent?.map(({ query }) => `${query.legend}: ${query.expr}`)).toEqual([]);
  });

  it('can be looked at as a picture', () => {
    const kept = process.env.FLASHSALE_PICTURES;
    const folder = kept ?? mkdtempSync(join(tmpdir(), 'flashsale-pictures-'));
    try {
      mkdirSync(folder, { recursive: true });
      const file = join(folder, `${dashboard.name}.png`);
      screenshot(picture(dashboard, answers.get(dashboard.name) ?? []), file, {
        width: 1600,
        height: heightOf(dashboard),
      });
      expect(statSync(file).size).toBeGreaterThan(50_000);
    } finally {
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what the dashboards say is what happened', () => {
  it('everything was sold, and nothing is left to buy', () => {
    expect(valuesOf('sale', 'Sold').at(-1)).toBe(STOCK);
    expect(Math.max(...valuesOf('sale', 'Left to buy'))).toBe(STOCK);
    expect(valuesOf('sale', 'Left to buy').at(-1)).toBe(0);
    expect(valuesOf('fleet', 'All sales', 'Stock').at(-1)).toBe(STOCK);
    expect(valuesOf('fleet', 'All sales', 'Left to buy').at(-1)).toBe(0);
  });

  it('R26: every unit is accounted for, but for moments in which stock was under way', () => {
    const missing = valuesOf('sale', 'Units unaccounted for', 'unaccounted for');
    expect(missing.at(-1)).toBe(0);
    expect(missing.filter((units) => units === 0).length).toBeGreaterThan(missing.length / 2);
  });

  it('both ledgers end at nothing', () => {
    expect(valuesOf('sale', 'The two ledgers', 'by the cache nodes').at(-1)).toBe(0);
    expect(valuesOf('sale', 'The two ledgers', 'by the shards').at(-1)).toBe(0);
  });

  it('buyers who came too late, and those who asked for too much, are shown as what they were told', () => {
    expect(Math.max(...valuesOf('sale', 'Told sold out', 'sold out'))).toBeGreaterThan(0);
    const refused = answers.get('sale')?.find(({ panel }) => panel.title === 'Purchases, refused for other reasons');
    expect(refused?.lines.flatMap(({ lines }) => lines.map(({ name }) => name))).toContain('quantity-limit');
  });
});

describe('alerts', () => {
  /** `firing`: for as long as the alert asks for; otherwise its condition holds now. */
  const raised = async (state: 'firing' | 'pending|firing') => [
    ...new Set((await prometheus.query(`ALERTS{alertstate=~"${state}"}`)).map(({ metric }) => metric.alertname ?? '')),
  ];
  /** The operator tells of a window only when a sale has one. Nothing failed here yet. */
  const ELSEWHERE = [
    ...['flashsale_sale_opens_timestamp_seconds', 'flashsale_sale_closes_timestamp_seconds'],
    'flashsale_cache_loop_failures_total',
  ];

  it('name only metrics that there are', async () => {
    const known = new Set([...(await prometheus.metrics()), ...ELSEWHERE]);
    const named = rules.flatMap(({ expr }) => expr.match(/\b(?:flashsale|kubelet|nodejs|process)[_a-z0-9:]+\b/g) ?? []);
    expect([...new Set(named)].filter((name) => !known.has(name) && !name.startsWith('flashsale:'))).toEqual([]);
  });

  it('are not raised by a sale in which all is well', async () => {
    expect(await raised('firing')).toEqual([]);
  });

  it('are raised when the storefronts die, and when a cache node does', { timeout: 120_000 }, async () => {
    await Promise.all(
      ['storefront-0', 'storefront-1', 'redis-c0'].map((name) => sale.processes.stop(name, { hard: true })),
    );
    const expected = ['FlashSaleNoStorefront', 'FlashSaleCacheNodeOff', 'FlashSaleNotReady'];
    await until('the alerts', async () => {
      const names = await raised('pending|firing');
      return expected.every((name) => names.includes(name));
    });
  });
});
