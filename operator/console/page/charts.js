// The two curves, painted by uPlot: one of a rate, one of amounts that lie on each other. Colours are asked for at every stroke, so that a change of theme only needs another
// one.

import { colour } from './dom.js';
import { clock, number, rate, UNKNOWN } from './format.js';
import uPlot from './uplot.js';

/** @typedef {{ label: string, colour: string }} LineOptions `colour`: a custom property; `…-soft` is its fill */

/**
 * @param {HTMLElement} place
 * @param {LineOptions[]} lines the topmost first; those below are filled up to it
 * @param {(value: number) => string} value in words, for the legend
 */
function chart(place, lines, value) {
  const axis = {
    stroke: () => colour('--ink-2'),
    grid: { stroke: () => colour('--line'), width: 1 },
    ticks: { show: false },
    font: '12px system-ui, sans-serif',
    gap: 6,
  };
  /** @type {readonly (readonly number[])[]} */
  let shown = [];
  const plot = new uPlot(
    {
      width: Math.max(200, place.clientWidth),
      height: HEIGHT,
      // Of the page's own colours, so that a change of theme reaches them, too.
      legend: { markers: { width: 0, fill: (_, n) => `var(${lines[n - 1]?.colour})` } },
      cursor: { sync: { key: 'sale' }, points: { size: 6 }, drag: { x: false, y: false }, y: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most * 1.05)] } },
      axes: [
        { ...axis, size: 28, space: 76, values: (_, ticks) => ticks.map(tick) },
        { ...axis, size: 46, space: 32, values: (_, ticks) => ticks.map((t) => short(t)) },
      ],
      series: [
        { label: 'At', value: (_, at) => (at === null ? UNKNOWN : clock(at * 1000)) },
        ...lines.map((line, n) => ({
          label: line.label,
          stroke: () => colour(line.colour),
          width: 2,
          points: { show: false },
          value: (
            /** @type {uPlot} */ _,
            /** @type {unknown} */ __,
            /** @type {number} */ ___,
            /** @type {number | null} */ i,
          ) => (i === null ? UNKNOWN : value(shown[n]?.[i] ?? 0)),
          ...(n === lines.length - 1 ? { fill: () => colour(`${line.colour}-soft`) } : {}),
        })),
      ],
      bands: lines.slice(1).map((_, n) => ({
        series: /** @type {[number, number]} */ ([n + 1, n + 2]),
        fill: () => colour(`${lines[n]?.colour}-soft`),
      })),
      hooks: { setCursor: [(u) => restLegend(u)] },
    },
    [[], ...lines.map(() => [])],
    place,
  );
  new ResizeObserver(() => {
    if (place.clientWidth > 0 && place.clientWidth !== plot.width)
      plot.setSize({ width: place.clientWidth, height: HEIGHT });
  }).observe(place);
  addEventListener('theme', () => plot.redraw(false));
  return {
    /** @param {readonly number[]} at seconds since 1970 @param {readonly (readonly number[])[]} columns one a line */
    draw(at, columns) {
      shown = columns;
      const stacked = columns.map((_, n) =>
        at.map((_, i) => columns.slice(n).reduce((sum, column) => sum + (column[i] ?? 0), 0)),
      );
      plot.setData([[...at], ...stacked]);
      restLegend(plot);
    },
  };
}

/** While nobody points at a moment, the legend is about the last one. @param {uPlot} plot */
function restLegend(plot) {
  if (plot.cursor.idx == null && plot.data[0].length > 0) plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}

const HEIGHT = 200;

/** @param {HTMLElement} place */
export const rateChart = (place) => chart(place, [{ label: 'Sold per second', colour: '--sold' }], rate);

/** One on the other: what is sold, what is reserved, what is left; together, what was supplied. @param {HTMLElement} place */
export const stockChart = (place) =>
  chart(
    place,
    [
      { label: 'Left to buy', colour: '--virtual' },
      { label: 'Reserved', colour: '--reserved' },
      { label: 'Sold', colour: '--sold' },
    ],
    number,
  );

/** @param {number} seconds */
const tick = (seconds) => clock(seconds * 1000).slice(0, seconds % 60 === 0 ? 5 : 8);

/** `950`, `12K`, `1.5M`. */
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 }).format;
