// The page itself, in a real browser, with a sale made up here: what it shows of a sale in any state, how it looks in
// light and dark and on a phone, and what it does when its server goes away.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ConsoleOptions, type RunningConsole, startConsole } from '../../../operator/console/server.ts';
import type { SaleSnapshot, SaleSource } from '../../../operator/console/source.ts';
import { openBrowser, overflowing, PHONE, tabThrough, textOf, type Visit, visit, wcagFaults } from './browser.ts';

const FULL: SaleSnapshot = {
  namespace: 'shop',
  name: 'phone-launch',
  sku: 'PHONE-17-256-BLK',
  phase: 'Selling',
  at: 0,
  stock: 1_000_000,
  window: {},
  supplied: 1_000_000,
  sold: 345_678,
  available: 654_322,
  virtual: 650_000,
  tokensLive: 4322,
  inTransfer: 120,
  shards: Array.from({ length: 6 }, (_, n) => ({
    id: `s${n}` as const,
    ready: n !== 2,
    available: 109_000 + n,
    pinned: 700,
    sold: 57_613,
    inFlight: 20,
  })),
  pool: { ready: true, available: 10, inFlight: 0, owed: 5 },
  nodes: Array.from({ length: 3 }, (_, n) => ({
    id: `c${n}` as const,
    ready: true,
    epoch: 1,
    virtual: 216_000,
    tokensLive: 1440,
    paused: n === 1,
  })),
  dispersion: { coefficientOfVariation: 0.2, min: 109_000, max: 109_005, mean: 109_002.5 },
  flows: [
    { from: 'pool', to: 's0', units: 166_667 },
    { from: 's0', to: 's5', units: 1200 },
  ],
  storefronts: { ready: 2, wanted: 3 },
  waitingFor: 'storefront 2 (ended with exit code 1)',
  conditions: [
    { type: 'Ready', status: 'True', reason: 'Serving', message: 'Storefronts answer.', lastTransitionTime: '' },
    { type: 'Degraded', status: 'True', reason: 'PartDown', message: 'Shard s2 is away.', lastTransitionTime: '' },
    { type: 'Balanced', status: 'Unknown', reason: 'Unknown', message: '', lastTransitionTime: '' },
  ],
  traffic: {
    storefronts: { read: 2, of: 3 },
    purchases: {
      outcomes: { fresh: 350_000, again: 4000, 'sold-out': 0, 'rate-limited': 120, unavailable: 3 },
      seconds: [{ upTo: 0.01, count: 300_000 }, { upTo: 0.1, count: 354_000 }, { count: 354_123 }],
    },
    checkouts: { outcomes: { sold: 345_678 }, seconds: [{ upTo: 0.1, count: 345_678 }, { count: 345_678 }] },
  },
};
const BARE: SaleSnapshot = { namespace: 'shop', name: 'tickets', sku: 'T-1', at: 0, stock: 500, window: {} };

/** A made-up sale that sells: everything moves a little from one snapshot to the next. */
function madeUp(): SaleSource & { sales: SaleSnapshot[] } {
  let n = 0;
  const now = (sale: SaleSnapshot): SaleSnapshot => ({
    ...sale,
    at: Date.now(),
    ...(sale.sold === undefined ? {} : { sold: sale.sold + 10 * n }),
    ...(sale.flows ? { flows: sale.flows.map((flow) => ({ ...flow, units: flow.units + n })) } : {}),
  });
  const source = {
    sales: [FULL, BARE],
    list: () => source.sales.map(now),
    snapshot: (key: string) => {
      n++;
      const sale = source.sales.find(({ namespace, name }) => key === `${namespace}/${name}`);
      return sale && now(sale);
    },
    audit: async () => ({
      conserved: false,
      supplied: 10,
      sold: 4,
      cancelled: 0,
      available: 5,
      pool: 0,
      inFlight: 0,
      virtual: 5,
      liveTokens: 0,
      liveUnits: 0,
      returned: 0,
      owed: 0,
      oversold: 0,
      stranded: 0,
      missing: 1,
      duplicateOrders: 0,
      findings: ['1 units missing of 10 supplied'],
      places: [{ place: 'shard s0', units: 5, note: '4 sold' }],
    }),
  };
  return source;
}

let browser: Browser;
let served: RunningConsole | undefined;
const visits: Visit[] = [];

beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser?.close());
afterEach(async () => {
  for (const each of visits.splice(0)) await each.close();
  await served?.stop();
  served = undefined;
});

async function serve(options: Partial<ConsoleOptions> = {}): Promise<string> {
  served = await startConsole({
    source: madeUp(),
    listen: { host: '127.0.0.1', port: 0 },
    auth: { kind: 'none' },
    log: pino({ level: 'silent' }),
    period: 200,
    ...options,
  });
  return served.url;
}

async function open(url: string, options: Parameters<typeof visit>[2] = {}): Promise<Visit> {
  const opened = await visit(browser, url, options);
  visits.push(opened);
  return opened;
}

async function openSale(name: string, options: Parameters<typeof visit>[2] = {}): Promise<Visit> {
  const opened = await open(`${await serve()}/sales/shop/${name}`, options);
  await expect.poll(() => textOf(opened.page, '#live')).toBe('Live');
  return opened;
}

/** With everything unfolded and an audit that found something. */
async function openWhole(options: Parameters<typeof visit>[2] = {}): Promise<Visit> {
  const opened = await openSale('phone-launch', options);
  for (const summary of await opened.page.locator('summary').all()) await summary.click();
  await opened.page.click('#audit-run');
  await expect.poll(() => opened.page.locator('.verdict').count()).toBe(1);
  return opened;
}

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test('the page of a sale meets WCAG AA, with everything on it that it can show', async () => {
    const { page, complaints } = await openWhole({ colorScheme });
    expect(await wcagFaults(page)).toEqual([]);
    await served?.stop();
    await expect.poll(() => page.locator('#banner').isVisible()).toBe(true);
    expect(await wcagFaults(page)).toEqual([]);
    expect(complaints.filter((complaint) => !complaint.includes('ERR_'))).toEqual([]);
  });

  test('so does the list of sales', async () => {
    const { page } = await open(await serve(), { colorScheme });
    await expect.poll(() => page.locator('#sales li').count()).toBe(2);
    expect(await wcagFaults(page)).toEqual([]);
  });

  test('the whole page is painted in it, the curves too', async () => {
    const { page } = await openSale('phone-launch', { colorScheme });
    const paper: number = await page.evaluate(
      `getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b) / 3`,
    );
    expect(paper > 128).toBe(colorScheme === 'light');
    // The letters beside the curves are light on a dark paper, and dark on a light one.
    const ink = () =>
      page.evaluate(`(() => {
        const canvas = document.querySelector('#stock-chart canvas');
        const { data } = canvas.getContext('2d').getImageData(0, 0, 40, canvas.height);
        let [sum, pixels] = [0, 0];
        for (let i = 0; i < data.length; i += 4)
          if (data[i + 3] > 200) {
            sum += (data[i] + data[i + 1] + data[i + 2]) / 3;
            pixels++;
          }
        return sum / pixels > 128 ? 'light' : 'dark';
      })()`);
    await expect.poll(ink).not.toBe(colorScheme);
  });
});

test('the theme can be chosen, and is the same after a reload', async () => {
  const { page } = await openSale('phone-launch', { colorScheme: 'light' });
  const paper = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await paper();
  await page.focus('#theme');
  await page.keyboard.press('Enter');
  expect([await textOf(page, '#theme'), await paper()]).toEqual(['Theme: light', light]);
  await page.keyboard.press('Enter');
  expect(await textOf(page, '#theme')).toBe('Theme: dark');
  const dark = await paper();
  expect(dark).not.toEqual(light);
  await page.reload();
  expect([await textOf(page, '#theme'), await paper()]).toEqual(['Theme: dark', dark]);
});

test.each(['phone-launch', 'tickets'])(
  'on a phone of 360 pixels nothing of %s reaches out of the window',
  async (name) => {
    const { page } = await (name === 'phone-launch'
      ? openWhole({ viewport: PHONE })
      : openSale(name, { viewport: PHONE }));
    expect(await overflowing(page)).toEqual([]);
    await page.goto(new URL('/', page.url()).href);
    await expect.poll(() => page.locator('#sales li').count()).toBe(2);
    expect(await overflowing(page)).toEqual([]);
  },
);

test('every control is reached by keyboard, in the order of the page, and shows that it is', async () => {
  const { page } = await openWhole();
  await tabThrough(page);
  await page.goto(new URL('/', page.url()).href);
  await expect.poll(() => page.locator('#sales li').count()).toBe(2);
  await tabThrough(page);
});

test('what is not known is a dash, never a zero', async () => {
  const { page } = await openSale('tickets');
  for (const figure of ['#sold', '#virtual', '#reserved', '#available', '#in-transfer', '#storefronts', '#per-second'])
    expect([figure, await textOf(page, figure)]).toEqual([figure, '–']);
  expect(await textOf(page, '#phase')).toBe('Unknown');
  expect(await page.locator('#shards tbody tr').count()).toBe(0);
  expect(await textOf(page, '#read')).toContain('not known');
});

test('transfers are drawn as they happen; with reduced motion nothing moves', async () => {
  const { page } = await openSale('phone-launch');
  await expect.poll(() => page.locator('#arcs .arc').count()).toBeGreaterThan(0);
  expect(await page.evaluate('document.getAnimations().length')).toBeGreaterThan(0);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await expect.poll(() => page.locator('#arcs .arc').count()).toBeGreaterThan(0);
  expect(await page.evaluate('document.getAnimations().length')).toBe(0);
});

test('an audit that finds something says each thing, and where', async () => {
  const { page } = await openWhole();
  expect(await textOf(page, '.verdict')).toBe('One thing is not as it should be.');
  expect(await page.locator('.findings li').allTextContents()).toEqual(['1 units missing of 10 supplied']);
});

test('a server that goes away is told, with how old the figures are; when it is back, so is the page', async () => {
  const { page } = await openSale('phone-launch');
  const { port } = new URL(page.url());
  // The page tries again by itself, too; not before the button was pressed.
  await page.route('**/stream', (route) => route.abort());
  await served?.stop();
  await expect.poll(() => textOf(page, '#live')).toBe('Connection lost');
  expect(await textOf(page, '#banner p')).toMatch(/^The connection is lost\..* What you see is from \d\d:\d\d:\d\d\.$/);
  expect(await textOf(page, '#sold')).not.toBe('–');
  await serve({ listen: { host: '127.0.0.1', port: Number(port) } });
  await page.unroute('**/stream');
  await page.click('#again');
  await expect.poll(() => textOf(page, '#live')).toBe('Live');
  await expect.poll(() => page.locator('#banner').isVisible()).toBe(false);
  await served?.stop();
  await expect.poll(() => textOf(page, '#live')).toBe('Connection lost');
  await serve({ listen: { host: '127.0.0.1', port: Number(port) } });
  await expect.poll(() => textOf(page, '#live')).toBe('Live');
});

test('with more pages open than the server streams to, the others ask now and then', async () => {
  const url = `${await serve({ mostListeners: 1 })}/sales/shop/phone-launch`;
  const [one, two] = [await open(url), await open(url)];
  for (const { page } of [one, two]) await expect.poll(() => textOf(page, '#live')).toBe('Live');
  const before = await textOf(two.page, '#sold');
  await expect.poll(() => textOf(two.page, '#sold')).not.toBe(before);
});

test('a sale that does not exist is said so, and one that ends', async () => {
  const source = madeUp();
  const url = await serve({ source });
  const missing = await open(`${url}/sales/shop/nothing`);
  await expect.poll(() => textOf(missing.page, '#banner p')).toContain('There is no sale shop/nothing');
  const { page } = await open(`${url}/sales/shop/tickets`);
  await expect.poll(() => textOf(page, '#live')).toBe('Live');
  source.sales = [FULL];
  await expect.poll(() => textOf(page, '#live')).toBe('No such sale');
});

test('names from the source are text, whatever is written in them', async () => {
  const source = madeUp();
  const bold = '<img src=x onerror="document.body.dataset.hit=1"><b>bold</b>';
  source.sales = [
    { ...BARE, sku: bold, waitingFor: bold, conditions: FULL.conditions?.map((c) => ({ ...c, message: bold })) ?? [] },
  ];
  const url = await serve({ source });
  const { page } = await open(`${url}/sales/shop/tickets`);
  await expect.poll(() => textOf(page, '#sku')).toBe(bold);
  await page.goto(url);
  await expect.poll(() => page.locator('#sales li').count()).toBe(1);
  expect(await page.evaluate('[document.body.dataset.hit ?? null, document.querySelectorAll("b").length]')).toEqual([
    null,
    0,
  ]);
});

test('behind a password the browser asks once, and everything comes: page, assets and stream', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-console-'));
  try {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, 'hunter2\n');
    const url = `${await serve({ auth: { kind: 'basic', user: 'sre', passwordFile } })}/sales/shop/phone-launch`;
    const stranger = await browser.newPage();
    await expect(stranger.goto(url)).rejects.toThrow('ERR_INVALID_AUTH_CREDENTIALS');
    await stranger.close();
    const { page, complaints } = await open(url, { httpCredentials: { username: 'sre', password: 'hunter2' } });
    await expect.poll(() => textOf(page, '#live')).toBe('Live');
    expect(complaints).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the page asks for nothing that would change something', async () => {
  const { page } = await openSale('phone-launch');
  const status = await page.evaluate(`
    Promise.all(['POST', 'PUT', 'PATCH', 'DELETE'].map(async (method) => (await fetch('/api/sales/shop/phone-launch', { method })).status))
  `);
  expect(status).toEqual([405, 405, 405, 405]);
});

test('under a path of a proxy the page finds everything it needs', async () => {
  const url = await serve();
  const { createServer, request } = await import('node:http');
  const proxy = createServer((incoming, outgoing) => {
    const path = incoming.url?.replace('/some/where', '') ?? '/';
    incoming.pipe(
      request(url + path, { headers: incoming.headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      }),
    );
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { port: number };
  try {
    const { page, complaints } = await open(`http://127.0.0.1:${port}/some/where/`);
    await page.click('#sales a');
    await expect.poll(() => textOf(page, '#live')).toBe('Live');
    expect(page.url()).toBe(`http://127.0.0.1:${port}/some/where/sales/shop/phone-launch`);
    expect(complaints).toEqual([]);
  } finally {
    proxy.closeAllConnections();
    proxy.close();
  }
});
