// A real browser for the console, and what every page of it must hold to: nothing asked of anybody else, nothing
// blocked, and nothing that somebody cannot see, read or reach.

import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

export const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 900 };

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.FLASHSALE_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
      ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ],
  });

export interface Visit {
  page: Page;
  /** Every address the page asked for, as often as it asked. */
  asked: string[];
  /** What the browser complained about: errors, blocked requests. */
  complaints: string[];
  close(): Promise<void>;
}

export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  const page = await context.newPage();
  const [asked, complaints]: [string[], string[]] = [[], []];
  page.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(url);
  return { page, asked, complaints, close: () => context.close() };
}

export const textOf = async (page: Page, selector: string): Promise<string> =>
  (await page.textContent(selector))?.trim() ?? '';

/** A figure of the page; NaN while it is not known. */
export const figureOf = async (page: Page, selector: string): Promise<number> =>
  Number((await textOf(page, selector)).replaceAll(',', '') || Number.NaN);

/** What a machine can tell about WCAG 2.2 AA, contrast among it; one line for each thing that is wrong. */
export async function wcagFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const { violations } = (await page.evaluate(
    `axe.run(document, { runOnly: ${JSON.stringify(tags)}, resultTypes: ['violations'] })`,
  )) as axe.AxeResults;
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target} (${node.failureSummary})`));
}

/** Elements that reach out of the window, except in boxes that scroll. */
export const overflowing = (page: Page): Promise<string[]> =>
  page.evaluate(`
    [...document.querySelectorAll('body *')]
      .filter((element) => {
        const { left, right, width } = element.getBoundingClientRect();
        const scrolls = element.closest('.unfolded, .rows, .sr, .skip');
        return width > 0 && !scrolls && (right > innerWidth + 0.5 || left < -0.5);
      })
      .map((element) => element.outerHTML.slice(0, 120))
      .concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [])
  `);

/** What can be operated, in the order of the page, as the page shows it now. */
const CONTROLS = `
  [...document.querySelectorAll('a[href], button, summary, [tabindex="0"]')]
    .filter((element) => element.checkVisibility() && !element.closest('[hidden]'))
    .map((element) => element.id || element.getAttribute('aria-label') || element.textContent.trim())
`;

/** Presses Tab until every control had the focus, and sees that each shows it. */
export async function tabThrough(page: Page): Promise<void> {
  const controls: string[] = await page.evaluate(CONTROLS);
  // From the top of the page, wherever somebody clicked before.
  await page.evaluate('document.body.tabIndex = -1; document.body.focus(); document.body.removeAttribute("tabindex")');
  const reached: { name: string; shown: boolean }[] = [];
  for (let i = 0; i < controls.length; i++) {
    await page.keyboard.press('Tab');
    reached.push(
      await page.evaluate(`(() => {
        const element = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return {
          name: element.id || element.getAttribute('aria-label') || element.textContent.trim(),
          shown: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2,
        };
      })()`),
    );
  }
  expect(reached).toEqual(controls.map((name) => ({ name, shown: true })));
}
