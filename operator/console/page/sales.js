// The first page: every sale there is, how far it is, and a way to its own page. Asks every two seconds while somebody
// looks.

import { byId, make, set, write } from './dom.js';
import { number, percent, rate } from './format.js';
import { phaseInWords } from './phases.js';

/** @import { SaleSummary } from '../source.ts' */

const PERIOD = 2000;
const base = new URL('..', import.meta.url);

/** @type {Map<string, ReturnType<typeof newCard>>} */
let cards = new Map();

/** @param {SaleSummary} sale */
const keyOf = ({ namespace, name }) => `${namespace}/${name}`;

/** @param {SaleSummary} sale */
function newCard({ namespace, name, sku }) {
  const phase = make('span', { class: 'pill' });
  const bar = make('i', { class: 'sold' });
  const sold = make('strong');
  const stock = make('span', { class: 'muted' });
  const pace = make('span', { class: 'muted' });
  const card = make(
    'li',
    { class: 'card' },
    make(
      'div',
      { class: 'title' },
      make(
        'div',
        {},
        make('h2', {}, make('a', { href: new URL(`sales/${namespace}/${name}`, base).href }, name)),
        make('p', { class: 'muted' }, `${namespace} · ${sku}`),
      ),
      phase,
    ),
    make('p', { class: 'counts' }, sold, stock, pace),
    make('div', { class: 'bar', 'aria-hidden': 'true' }, bar),
  );
  /** @type {{ at: number, sold: number } | undefined} */
  let before;
  return {
    card,
    /** @param {SaleSummary} sale @param {number} at */
    show(sale, at) {
      const { word, tone } = phaseInWords(sale.phase);
      write(phase, word);
      set(phase, 'class', `pill ${tone}`);
      write(sold, number(sale.sold));
      write(stock, `of ${number(sale.stock)} sold`);
      const perSecond =
        before && sale.sold !== undefined && at > before.at
          ? (1000 * (sale.sold - before.sold)) / (at - before.at)
          : undefined;
      const parts = [percent(sale.sold, sale.stock), ...(perSecond ? [`${rate(perSecond)} per second`] : [])];
      write(pace, parts.join(' · '));
      bar.style.width = `${(100 * (sale.sold ?? 0)) / Math.max(1, sale.stock)}%`;
      if (sale.sold !== undefined) before = { at, sold: sale.sold };
    },
  };
}

/** What the server says of why it does not answer. */
class Told extends Error {}

async function look() {
  const answer = await fetch(new URL('api/sales', base), { cache: 'no-store' });
  const body = await answer.json();
  if (!answer.ok) throw new Told(body.detail);
  /** @type {{ at: number, sales: SaleSummary[] }} */
  const { at, sales } = body;
  const next = new Map(sales.map((sale) => [keyOf(sale), cards.get(keyOf(sale)) ?? newCard(sale)]));
  if (next.size !== cards.size || [...next.keys()].some((key) => !cards.has(key)))
    byId('sales').replaceChildren(...[...next.values()].map(({ card }) => card));
  cards = next;
  for (const sale of sales) cards.get(keyOf(sale))?.show(sale, at);
  byId('empty').hidden = sales.length > 0;
}

/** @param {string} text */
function banner(text) {
  byId('banner').hidden = text === '';
  const [paragraph] = byId('banner').children;
  if (paragraph) write(paragraph, text);
  write(byId('announcer'), text);
}

async function turn() {
  if (!document.hidden)
    try {
      await look();
      banner('');
    } catch (error) {
      banner(`${error instanceof Told ? error.message : 'The console does not answer.'} Trying again …`);
    }
  setTimeout(turn, PERIOD);
}
void turn();
