// The console of a real sale on this machine, in a real browser.

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startCrowd } from '../../harness/crowd.ts';
import { startSale, type TestSale } from '../../harness/sale.ts';
import { figureOf, openBrowser, textOf, type Visit, visit } from './browser.ts';

const STOCK = 600;

let sale: TestSale;
let browser: Browser;
let url: string;
const visits: Visit[] = [];

beforeAll(async () => {
  [sale, browser] = await Promise.all([
    startSale({ stock: STOCK, shards: { count: 3 }, qualification: { perBuyer: 1 } }, { console: true }),
    openBrowser(),
  ]);
  url = (await sale.report()).addresses.console ?? '';
});
afterEach(async () => {
  for (const each of visits.splice(0)) await each.close();
});
afterAll(async () => {
  await browser?.close();
  await sale?.stop();
});

async function open(): Promise<Visit> {
  const opened = await visit(browser, url);
  visits.push(opened);
  await expect.poll(() => textOf(opened.page, '#live')).toBe('Live');
  return opened;
}

const column = async ({ page }: Visit, rows: string, cell: number): Promise<number[]> =>
  (await page.locator(`${rows} tbody td:nth-of-type(${cell + 1})`).allTextContents()).map((text) =>
    Number(text.replaceAll(',', '')),
  );
const sum = (figures: number[]): number => figures.reduce((all, figure) => all + (figure || 0), 0);

test('R14: before anybody came, the whole stock is seen where it lies', async () => {
  const opened = await open();
  await expect.poll(() => figureOf(opened.page, '#sold')).toBe(0);
  expect(await textOf(opened.page, '#phase')).toBe('Selling');
  expect(await figureOf(opened.page, '#stock')).toBe(STOCK);
  await expect.poll(async () => sum(await column(opened, '#shards', 1))).toBe(STOCK);
  await expect.poll(async () => sum(await column(opened, '#nodes', 1))).toBe(STOCK);
  expect(await opened.page.locator('#shards tbody tr').count()).toBe(4);
});

test('the number sold rises while it sells, the stock drains, and it ends as sold out, all without a reload', async () => {
  const opened = await open();
  const { page } = opened;
  await page.evaluate('document.body.dataset.loaded = "once"');
  const crowd = startCrowd(sale, { buyers: 900, within: 6000, think: 300, abandon: 0.02 });
  const seen = new Set<number>();
  await expect
    .poll(async () => {
      seen.add(await figureOf(page, '#sold'));
      return textOf(page, '#phase');
    })
    .toBe('Sold out');
  await crowd.done;

  expect([...seen]).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.size).toBeGreaterThan(3);
  expect(await figureOf(page, '#sold')).toBe(STOCK);
  expect(await textOf(page, '#percent')).toBe('100 %');
  expect(await page.getAttribute('#progress', 'aria-valuenow')).toBe(String(STOCK));
  expect(await textOf(page, '#announcer')).toBe('The sale is now: Sold out');
  await expect.poll(async () => sum(await column(opened, '#shards', 1))).toBe(0);
  await expect.poll(async () => sum(await column(opened, '#shards', 3))).toBe(STOCK);
  expect(await textOf(page, '#since')).toMatch(/^in \d+ s/);
  expect(await page.getAttribute('#rate-chart', 'aria-label')).toMatch(/at most \d+/);

  // What buyers were told, as the storefront counted it, which is asked now and then.
  await expect.poll(async () => sum(await column(opened, '#checkouts', 0))).toBeGreaterThanOrEqual(STOCK);
  const answers = await page.locator('#purchases tbody th').allTextContents();
  expect(answers).toEqual(expect.arrayContaining(['Token handed out', 'Sold out']));
  expect(await textOf(page, '#latency tbody tr:first-child td')).toMatch(/\d m?s$/);

  expect(await page.evaluate('document.body.dataset.loaded')).toBe('once');
  expect(opened.complaints).toEqual([]);
});

test('who comes later sees the curve of what was before', async () => {
  const { page } = await open();
  await page.click('#stock-table summary');
  const cells = page.locator('#stock-table tbody td:nth-of-type(1)');
  // The table is made when it is opened, a moment after the click.
  await expect.poll(() => cells.count()).toBeGreaterThan(3);
  const sold = await cells.allTextContents();
  expect(Number(sold[0]?.replaceAll(',', ''))).toBeLessThan(STOCK / 2);
  expect(sold.at(-1)).toBe(String(STOCK));
});

test('R19: a restock is seen as transfers from the pool to every shard, as they happen', async () => {
  const { page } = await open();
  await expect.poll(() => textOf(page, '#recent')).toContain('Nothing has moved');
  await sale.apply({ stock: STOCK + 90 });
  await expect.poll(() => textOf(page, '#phase')).toBe('Selling');
  await expect.poll(async () => (await page.locator('#recent .way').allTextContents()).join()).toMatch(/pool → s[012]/);
  await expect.poll(() => figureOf(page, '#virtual')).toBe(90);
  await page.click('#matrix summary');
  // Made a moment after the click; and the nodes have their units before the pool has told of the last it sent.
  const allocated = async () => (await page.locator('#matrix tbody tr:first-child td').allTextContents()).map(Number);
  await expect.poll(async () => sum(await allocated())).toBe(STOCK + 90);
});

test('the audit counts every unit at the press of a button', async () => {
  const { page } = await open();
  await page.focus('#audit-run');
  await page.keyboard.press('Enter');
  await expect.poll(() => textOf(page, '.verdict')).toBe(`Every one of the ${STOCK + 90} units is where it should be.`);
  expect(await textOf(page, '.equation')).toContain(`${STOCK} sold`);
  expect(await page.evaluate('document.activeElement.id')).toBe('audit-run');
});

test('a storefront that stops is told, and what buyers were answered does not shrink', async () => {
  const opened = await open();
  const { page } = opened;
  const before = sum(await column(opened, '#purchases', 0));
  await sale.processes.stop('storefront-0');
  await expect.poll(() => textOf(page, '#waiting')).toContain('storefront 0');
  await expect.poll(() => textOf(page, '#storefronts')).toBe('0 of 1');
  expect(sum(await column(opened, '#purchases', 0))).toBeGreaterThanOrEqual(before);
  await sale.processes.start('storefront-0');
  await expect.poll(() => textOf(page, '#storefronts')).toBe('1 of 1');
});

test('nothing is asked of anybody but the console', async () => {
  const opened = await open();
  await expect.poll(() => opened.asked.some((address) => address.endsWith('/stream'))).toBe(true);
  expect(opened.asked.filter((address) => new URL(address).origin !== new URL(url).origin)).toEqual([]);
  expect(opened.complaints).toEqual([]);
});

test('the first page lists the sale, and leads to it', async () => {
  const { page } = await open();
  await page.goto(new URL('/', url).href);
  await expect.poll(() => page.locator('#sales h2').allTextContents()).toEqual([sale.config.name]);
  await page.click('#sales a');
  await expect.poll(() => textOf(page, '#live')).toBe('Live');
  expect(page.url()).toBe(url);
});
