// What buyers were answered and how long it took, over the last seconds and in all.

import { byId, figures, make, write } from './dom.js';
import { latency, number, rate, UNKNOWN } from './format.js';
import { outcomeRows } from './outcomes.js';
import { counted, quantile } from './quantiles.js';

/** @import { Operation, SaleSnapshot, Traffic } from '../source.ts' */

/** Rates and latencies are of this long. */
const WINDOW = 15_000;
const QUANTILES = [0.5, 0.95, 0.99];

export function buyers() {
  /** @type {{ at: number, traffic: Traffic }[]} */
  let looks = [];
  /** @param {SaleSnapshot} sale */
  return ({ at, traffic }) => {
    if (!traffic) {
      write(byId('read'), 'The storefronts’ figures are not known here.');
      return;
    }
    const { read, of } = traffic.storefronts;
    write(
      byId('read'),
      read === of ? `by ${of === 1 ? 'one storefront' : `${of} storefronts`}` : `by ${read} of ${of} storefronts`,
    );
    looks = [...looks.filter((look) => at - look.at <= WINDOW), { at, traffic }];
    const first = looks[0];
    const before = first && first.at < at ? first : undefined;
    const seconds = before ? (at - before.at) / 1000 : 0;
    showOutcomes(byId('purchases'), 'Purchases', traffic.purchases, before?.traffic.purchases, seconds);
    showOutcomes(byId('checkouts'), 'Checkouts', traffic.checkouts, before?.traffic.checkouts, seconds);
    showLatencies(traffic, before?.traffic);
  };
}

/**
 * @param {HTMLElement} place @param {string} title
 * @param {Operation} now @param {Operation | undefined} before @param {number} seconds
 */
function showOutcomes(place, title, now, before, seconds) {
  const rows = outcomeRows(now.outcomes, before?.outcomes, seconds);
  const key = JSON.stringify(rows);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  const most = Math.max(1, ...rows.map(({ count }) => count));
  const body = rows.map((row) => {
    const bar = make('i', { class: `outcome ${row.tone}` });
    bar.style.width = `${(100 * row.count) / most}%`;
    const name = make(
      'span',
      { class: 'outcome-name' },
      row.words,
      ...(row.tone === 'trouble' ? [make('span', { class: 'tag' }, 'trouble')] : []),
    );
    return [
      make('div', {}, name, make('div', { class: 'bar thin', 'aria-hidden': 'true' }, bar)),
      number(row.count),
      rate(row.perSecond),
    ];
  });
  const all = rows.reduce((sum, { count }) => sum + count, 0);
  place.replaceChildren(
    make('h3', {}, title, make('span', { class: 'muted' }, ` ${number(all)} answered`)),
    figures(`${title} by answer`, ['Answer', 'In all', 'Per s'], body),
  );
}

/** @param {Traffic} now @param {Traffic | undefined} before */
function showLatencies(now, before) {
  /** @param {'purchases' | 'checkouts'} operation */
  const recent = (operation) => before && counted(now[operation].seconds, before[operation].seconds);
  const busy = recent('purchases') ?? recent('checkouts');
  write(
    byId('latency-when'),
    busy
      ? `of the last ${WINDOW / 1000} seconds, in the storefronts`
      : 'since the storefronts started; nobody asked lately',
  );
  /** @param {string} name @param {'purchases' | 'checkouts'} operation */
  const row = (name, operation) => {
    const buckets = busy ? (recent(operation) ?? []) : now[operation].seconds;
    return [name, ...QUANTILES.map((q) => inWords(quantile(buckets, q)))];
  };
  const rows = [row('Purchase', 'purchases'), row('Checkout', 'checkouts')];
  const place = byId('latency');
  const key = JSON.stringify(rows);
  if (place.dataset.key === key) return;
  place.dataset.key = key;
  place.replaceChildren(figures('Latencies', ['Request', 'Half within', '95 % within', '99 % within'], rows));
}

/** @param {ReturnType<typeof quantile>} found */
const inWords = (found) => (found ? `${found.beyond ? 'over ' : ''}${latency(found.seconds)}` : UNKNOWN);
