// Transfers between shards, drawn as they happen: an arc for a few seconds, above the line to the right and below it to
// the left, and a list of the latest in words. What moved before stays as a faint line. With reduced motion arcs appear
// and go, and nothing runs along them.

import { byId, figures, make, makeSvg, set, unfolding, write } from './dom.js';
import { inOrder, movedBetween, total } from './flows.js';
import { number, span, UNKNOWN } from './format.js';

/** @import { Flow, SaleSnapshot } from '../source.ts' */

const SHOWN = 4000;
const LATEST = 6;
const HEIGHT = 190;
const MIDDLE = HEIGHT / 2;

export function moves() {
  const svg = /** @type {SVGSVGElement} */ (/** @type {unknown} */ (byId('arcs')));
  const list = byId('recent');
  const soFar = makeSvg('g', { class: 'so-far' });
  const arcs = makeSvg('g');
  const peersGroup = makeSvg('g');
  svg.append(arrowhead(), soFar, arcs, peersGroup);

  /** @type {readonly Flow[] | undefined} */
  let flows;
  /** @type {(Flow & { at: number })[]} */
  let latest = [];
  let drawnFor = '';

  const drawMatrix = unfolding(byId('matrix'), () => matrix(flows ?? []));

  /** @param {string[]} peers */
  const layOut = (peers) => {
    const width = svg.clientWidth || 320;
    const key = `${width} ${peers.join(' ')}`;
    if (key === drawnFor) return;
    drawnFor = key;
    set(svg, 'viewBox', `0 0 ${width} ${HEIGHT}`);
    const step = width / Math.max(1, peers.length);
    const wide = Math.min(52, step - 4);
    peersGroup.replaceChildren(
      ...peers.map((peer, i) => {
        const x = (i + 0.5) * step;
        const pill = { x: x - wide / 2, y: MIDDLE - 14, width: wide, height: 28, rx: 14 };
        return makeSvg(
          'g',
          { class: 'peer', 'data-x': x, 'data-peer': peer },
          makeSvg('rect', wide > 26 ? pill : { ...pill, x: x - 4, y: MIDDLE - 4, width: 8, height: 8, rx: 4 }),
          ...(wide > 26 ? [makeSvg('text', { x, y: MIDDLE + 4 }, peer)] : []),
        );
      }),
    );
  };

  /** @param {string} peer */
  const at = (peer) => Number(peersGroup.querySelector(`[data-peer="${peer}"]`)?.getAttribute('data-x') ?? 0);

  /** The way of a transfer, above or below the line. @param {Flow} flow */
  const wayOf = ({ from, to, units }) => {
    const [x1, x2] = [at(from), at(to)];
    const up = x2 > x1 ? -1 : 1;
    const edge = MIDDLE + up * 17;
    const peak = edge + up * Math.min(100, 36 + Math.abs(x2 - x1) * 0.22);
    const path = makeSvg('path', {
      d: `M${x1} ${edge} Q${(x1 + x2) / 2} ${peak} ${x2} ${edge}`,
      'stroke-width': Math.min(7, 1.5 + Math.log10(Math.max(1, units))),
      pathLength: 100,
    });
    return { path, x: (x1 + x2) / 2, y: (edge + peak) / 2 + (up < 0 ? -7 : 15) };
  };

  /** @param {Flow} flow */
  const draw = (flow) => {
    const { path, x, y } = wayOf(flow);
    set(path, 'marker-end', 'url(#arrowhead)');
    const pair = `${flow.from} ${flow.to}`;
    const arc = makeSvg('g', { class: 'arc', 'data-pair': pair }, path, makeSvg('text', { x, y }, number(flow.units)));
    arcs.querySelector(`[data-pair="${pair}"]`)?.remove();
    arcs.append(arc);
    setTimeout(() => arc.remove(), SHOWN);
  };

  /** What ever moved stays to be seen, faintly. @param {readonly Flow[]} all */
  const drawSoFar = (all) => {
    const key = `${drawnFor} ${all.map(({ from, to, units }) => `${from} ${to} ${Math.ceil(Math.log2(units))}`)}`;
    if (soFar.dataset.key === key) return;
    soFar.dataset.key = key;
    soFar.replaceChildren(...all.map((flow) => wayOf(flow).path));
  };

  /** @param {SaleSnapshot} sale */
  return ({ at: now, flows: next, shards = [], pool }) => {
    const peers = inOrder([
      ...(pool ? ['pool'] : []),
      ...shards.map(({ id }) => id),
      ...(next ?? []).flatMap(({ from, to }) => [from, to]),
    ]);
    layOut(peers);
    drawSoFar(next ?? []);
    const fresh = flows && next ? movedBetween(flows, next) : [];
    flows = next;
    for (const flow of fresh) draw(flow);
    latest = [...fresh.map((flow) => ({ ...flow, at: now })), ...latest].slice(0, LATEST);
    showLatest(list, latest, now);
    write(byId('moved'), next ? `${number(total(next))} units moved so far` : `moved so far: ${UNKNOWN}`);
    drawMatrix();
  };
}

/** @param {HTMLElement} list @param {(Flow & { at: number })[]} latest @param {number} now */
function showLatest(list, latest, now) {
  if (latest.length === 0) {
    if (list.childElementCount === 0)
      list.append(make('li', { class: 'muted' }, 'Nothing has moved since this page was opened.'));
    return;
  }
  const key = latest.map(({ from, to, units, at }) => `${from} ${to} ${units} ${at}`).join();
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(
      ...latest.map(({ from, to, units }) =>
        make(
          'li',
          {},
          make('span', { class: 'way' }, from, make('span', { 'aria-label': 'to' }, ' → '), to),
          make('span', { class: 'units' }, `${number(units)} ${units === 1 ? 'unit' : 'units'}`),
          make('span', { class: 'ago muted' }),
        ),
      ),
    );
  }
  for (const [i, item] of [...list.children].entries()) {
    const ago = item.querySelector('.ago');
    const moved = latest[i];
    if (ago && moved) write(ago, now - moved.at < 1500 ? 'now' : `${span(now - moved.at)} ago`);
  }
}

/** @param {readonly Flow[]} flows */
function matrix(flows) {
  if (flows.length === 0) return make('p', { class: 'muted' }, 'Nothing was moved yet, or it is not known.');
  const peers = inOrder(flows.flatMap(({ from, to }) => [from, to]));
  const units = new Map(flows.map((flow) => [`${flow.from} ${flow.to}`, flow.units]));
  return figures(
    'Units moved so far, from the shard of the row to that of the column',
    ['From \\ to', ...peers],
    peers.map((from) => [from, ...peers.map((to) => (from === to ? '' : number(units.get(`${from} ${to}`) ?? 0)))]),
  );
}

const arrowhead = () =>
  makeSvg(
    'defs',
    {},
    makeSvg(
      'marker',
      {
        id: 'arrowhead',
        viewBox: '0 0 10 10',
        refX: 7,
        refY: 5,
        markerWidth: 11,
        markerHeight: 11,
        markerUnits: 'userSpaceOnUse',
        orient: 'auto',
      },
      makeSvg('path', { d: 'M0 0 10 5 0 10z' }),
    ),
  );
