// The page of one sale: takes what the line brings and shows it. The path says which sale: …/sales/<namespace>/<name>.

import { auditPanel } from './audit.js';
import { buyers } from './buyers.js';
import { rateChart, stockChart } from './charts.js';
import { connect } from './connection.js';
import { Curve, thinned } from './curve.js';
import { byId, figures, make, set, unfolding, write } from './dom.js';
import { clock, number, percent, rate } from './format.js';
import { moves } from './moves.js';
import { phaseInWords, sinceInWords } from './phases.js';
import { nodeRows, shardRows } from './places.js';

/** @import { Line } from './connection.js' */
/** @import { SaleSnapshot } from '../source.ts' */

const [namespace = '', name = ''] = location.pathname.split('/').slice(-2);
const api = new URL(`../api/sales/${namespace}/${name}`, import.meta.url).href;
const curve = new Curve();
const charts = { rate: rateChart(byId('rate-chart')), stock: stockChart(byId('stock-chart')) };
const showShards = shardRows(byId('shards'));
const showNodes = nodeRows(byId('nodes'));
const showMoves = moves();
const showBuyers = buyers();
auditPanel(`${api}/audit`);

write(byId('whole-name'), `${namespace}/${name}`);
write(byId('name'), name);
document.title = `${name} · flashsale`;

/** For who does not see the page: changes of state, and nothing that only counts. @param {string} text */
const announce = (text) => write(byId('announcer'), text);

/** @type {SaleSnapshot | undefined} */
let last;

/** @param {SaleSnapshot} sale */
function show(sale) {
  const { at, sold, available, virtual } = sale;
  if (sold !== undefined && available !== undefined && virtual !== undefined)
    curve.add({ at, sold, available, virtual });
  showHead(sale);
  showCurves();
  showShards(sale);
  showNodes(sale);
  showMoves(sale);
  showBuyers(sale);
  const spread = sale.dispersion;
  write(
    byId('dispersion'),
    spread?.max
      ? `${evenness(spread.coefficientOfVariation)}: ${number(spread.min)} to ${number(spread.max)} each`
      : '',
  );
  write(byId('host-time'), `Last heard at ${clock(at)}.`);
  if (last && last.phase !== sale.phase) announce(`The sale is now: ${phaseInWords(sale.phase).word}`);
  last = sale;
}

/** @param {SaleSnapshot} sale */
function showHead(sale) {
  const { sold, stock, supplied = stock, tokensLive, virtual, storefronts } = sale;
  const { word, tone } = phaseInWords(sale.phase);
  const all = Math.max(supplied, sold ?? 0);
  write(byId('sku'), sale.sku);
  write(byId('phase'), word);
  set(byId('phase'), 'class', `pill ${tone}`);
  write(byId('since'), sinceInWords(sale, curve.soldOutIn()));
  write(byId('sold'), number(sold));
  write(byId('stock'), supplied === stock ? number(stock) : `${number(supplied)} (${number(stock)} wanted)`);
  write(byId('percent'), percent(sold, all));
  const progress = byId('progress');
  set(progress, 'aria-valuemax', String(all));
  set(progress, 'aria-valuenow', String(sold ?? 0));
  set(progress, 'aria-valuetext', `${number(sold)} of ${number(all)} units`);
  const parts = /** @type {HTMLCollectionOf<HTMLElement>} */ (progress.children);
  for (const [i, units = 0] of [sold, tokensLive, virtual].entries()) {
    const part = parts[i];
    if (part) part.style.width = `${(100 * units) / Math.max(1, all)}%`;
  }
  write(byId('per-second'), rate(curve.perSecond()));
  write(byId('virtual'), number(virtual));
  write(byId('reserved'), number(tokensLive));
  write(byId('available'), number(sale.available));
  write(byId('in-transfer'), number(sale.inTransfer));
  write(byId('storefronts'), storefronts ? `${storefronts.ready} of ${storefronts.wanted}` : number(undefined));
  const waiting = byId('waiting');
  waiting.hidden = sale.waitingFor === undefined;
  write(waiting, `Not yet as the resource says: waiting for ${sale.waitingFor ?? ''}`);
  showConditions(sale.conditions ?? []);
}

/** @param {NonNullable<SaleSnapshot['conditions']>} conditions */
function showConditions(conditions) {
  const list = byId('conditions');
  list.hidden = conditions.length === 0;
  const key = JSON.stringify(conditions);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...conditions.map(({ type, status, reason, message }) => {
      const good = status === (type === 'Degraded' || type === 'Progressing' ? 'False' : 'True');
      const tone = status === 'Unknown' ? 'off' : good ? 'good' : 'warn';
      return make(
        'li',
        {},
        make('span', { class: `pill small ${tone}` }, `${type}: ${status}`),
        make('span', {}, message || reason),
      );
    }),
  );
}

/** @param {number} variation */
const evenness = (variation) => (variation < 0.1 ? 'even' : variation < 0.5 ? 'a little uneven' : 'uneven');

/** @type {{ rate: string[][], stock: string[][] }} */
let tables = { rate: [], stock: [] };
const drawRateTable = unfolding(byId('rate-table'), () =>
  figures('Units sold per second', ['At', 'Per second'], tables.rate),
);
const drawStockTable = unfolding(byId('stock-table'), () =>
  figures('Stock over time', ['At', 'Sold', 'Reserved', 'Left to buy'], tables.stock),
);
let drawnKey = '';

function showCurves() {
  const { at, perSecond, sold, reserved, virtual } = curve.columns();
  const key = JSON.stringify([at.length, at[0], at.at(-1), sold.at(-1), reserved.at(-1), virtual.at(-1)]);
  if (key === drawnKey) return;
  drawnKey = key;
  charts.rate.draw(at, [perSecond]);
  charts.stock.draw(at, [virtual, reserved, sold]);
  const peak = perSecond.length > 0 ? Math.max(...perSecond) : undefined;
  write(byId('peak'), peak ? `peak ${rate(peak)}` : '');
  const time = (/** @type {number | undefined} */ seconds) => clock((seconds ?? 0) * 1000);
  const span = at.length > 0 ? `from ${time(at[0])} to ${time(at.at(-1))}` : '';
  set(byId('rate-chart'), 'aria-label', `Curve of units sold per second ${span}: at most ${rate(peak)}`);
  const now = `now ${number(sold.at(-1))} sold, ${number(reserved.at(-1))} reserved, ${number(virtual.at(-1))} left to buy`;
  set(byId('stock-chart'), 'aria-label', `Curves of the stock ${span}: ${now}`);
  const rows = thinned([...at.keys()], 15);
  tables = {
    rate: rows.map((i) => [time(at[i]), rate(perSecond[i])]),
    stock: rows.map((i) => [time(at[i]), number(sold[i]), number(reserved[i]), number(virtual[i])]),
  };
  drawRateTable();
  drawStockTable();
}

/** @type {Record<Line, { word: string, banner: string }>} */
const LINES = {
  live: { word: 'Live', banner: '' },
  lost: { word: 'Connection lost', banner: 'The connection is lost. Trying again …' },
  gone: { word: 'No such sale', banner: `There is no sale ${namespace}/${name} here (any more).` },
  trouble: { word: 'No news', banner: 'The console cannot read this sale right now. Trying again …' },
  refused: { word: 'Not signed in', banner: 'The console asks who you are: load the page again to sign in.' },
};

/** @param {Line} line @param {string} [why] */
function showLine(line, why) {
  const { word } = LINES[line];
  const banner = line === 'trouble' && why ? `${why} Trying again …` : LINES[line].banner;
  const old = last ? ` What you see is from ${clock(last.at)}.` : '';
  byId('banner').hidden = line === 'live';
  const [text] = byId('banner').children;
  if (text) write(text, line === 'live' ? '' : banner + old);
  const live = byId('live');
  set(live, 'data-line', line);
  if (live.lastElementChild) write(live.lastElementChild, word);
  document.body.classList.toggle('stale', line !== 'live');
  announce(line === 'live' ? 'Connected' : banner);
}

const again = connect(api, {
  begin({ samples, audit }) {
    curve.replace(samples);
    byId('audit').hidden = !audit;
  },
  snapshot: show,
  line: showLine,
});
byId('again').addEventListener('click', again);
