// Where the stock lies: a row for each shard and each cache node, with a bar that drains. The rows are a table, so the
// figures are there without the bars.

import { make, set, write } from './dom.js';
import { number } from './format.js';

/** @import { SaleSnapshot } from '../source.ts' */
/** @typedef {{ class: string, units: number }} Part of a bar */
/** @typedef {{ id: string, ready: boolean | undefined, note: string, parts: Part[], cells: (number | undefined)[] }} Row */

/** @param {HTMLElement} place @param {string} caption @param {string[]} columns first the name, then the figures */
function rowsIn(place, caption, columns) {
  const body = make('tbody');
  const [name = '', ...figures] = columns;
  const head = [name, ...figures].map((text) => make('th', { scope: 'col' }, text));
  head.splice(1, 0, make('td', { 'aria-hidden': 'true', class: 'bar-cell' }));
  place.append(
    make('table', {}, make('caption', { class: 'sr' }, caption), make('thead', {}, make('tr', {}, ...head)), body),
  );
  /** The fullest that one ever was: bars drain, they do not grow by themselves. */
  let full = 1;
  /** @type {Map<string, ReturnType<typeof newRow>>} */
  let rows = new Map();

  /** @param {readonly Row[]} wanted @param {number} share what each would hold at the start */
  return (wanted, share) => {
    full = Math.max(full, share, ...wanted.map(({ parts }) => parts.reduce((sum, { units }) => sum + units, 0)));
    const next = new Map(wanted.map((row) => [row.id, rows.get(row.id) ?? newRow(row, figures.length)]));
    if (next.size !== rows.size || [...next.keys()].some((id) => !rows.has(id)))
      body.replaceChildren(...[...next.values()].map(({ row }) => row));
    rows = next;
    for (const row of wanted) next.get(row.id)?.show(row, full);
  };
}

/** @param {Row} first @param {number} figures */
function newRow({ id, parts }, figures) {
  const mark = make('i', { class: 'mark' });
  const note = make('span', { class: 'note' });
  const bars = parts.map((part) => make('i', { class: part.class }));
  const cells = Array.from({ length: figures }, () => make('td'));
  const row = make(
    'tr',
    {},
    make('th', { scope: 'row' }, mark, id, note),
    make('td', { class: 'bar-cell', 'aria-hidden': 'true' }, make('div', { class: 'bar' }, ...bars)),
    ...cells,
  );
  return {
    row,
    /** @param {Row} now @param {number} full */
    show(now, full) {
      set(mark, 'class', `mark ${now.ready === undefined ? 'unknown' : now.ready ? 'ready' : 'down'}`);
      write(note, now.ready === false ? 'does not answer' : now.note);
      for (const [i, cell] of cells.entries()) write(cell, number(now.cells[i]));
      for (const [i, bar] of bars.entries()) bar.style.width = `${(100 * (now.parts[i]?.units ?? 0)) / full}%`;
    },
  };
}

/** @param {HTMLElement} place */
export function shardRows(place) {
  const show = rowsIn(place, 'Real stock by shard', ['Shard', 'Left', 'Promised', 'Sold']);
  /** @param {SaleSnapshot} sale */
  return ({ shards = [], pool, supplied, stock }) => {
    const rows = shards.map(({ id, ready, available, pinned, sold, inFlight = 0 }) => {
      const promised = Math.min(available ?? 0, pinned ?? 0);
      return {
        id,
        ready,
        note: '',
        parts: bar(['reserved', promised], ['free', (available ?? 0) - promised], ['coming', inFlight]),
        cells: [available, pinned, sold],
      };
    });
    if (pool)
      rows.push({
        id: /** @type {any} */ ('pool'),
        ready: pool.ready,
        note: pool.owed > 0 ? `${number(pool.owed)} to be withdrawn` : '',
        parts: bar(['reserved', 0], ['free', pool.available], ['coming', pool.inFlight]),
        cells: [pool.available, undefined, undefined],
      });
    show(rows, (supplied ?? stock) / Math.max(1, shards.length));
  };
}

/** @param {HTMLElement} place */
export function nodeRows(place) {
  const show = rowsIn(place, 'Virtual stock by cache node', ['Node', 'Left to buy', 'Reserved']);
  /** @param {SaleSnapshot} sale */
  return ({ nodes = [], supplied, stock }) =>
    show(
      nodes.map(({ id, ready, virtual, tokensLive, paused }) => ({
        id,
        ready,
        note: paused ? 'paused' : '',
        parts: bar(['reserved', tokensLive ?? 0], ['virtual', virtual ?? 0]),
        cells: [virtual, tokensLive],
      })),
      (supplied ?? stock) / Math.max(1, nodes.length),
    );
}

/** @param {[string, number][]} parts @returns {Part[]} */
const bar = (...parts) => parts.map(([name, units]) => ({ class: name, units }));
