// A dashboard's answers → one page with every panel drawn, to look at where no Grafana is. Pure: plain HTML and SVG, without
// a script.

import type { Answer, Line } from './ask.ts';
import type { Dashboard, Limit, Panel, Unit } from './description.ts';

const COLOURS = [
  '#3274d9',
  '#e0752d',
  '#56a64b',
  '#a352cc',
  '#e02f44',
  '#1f9e89',
  '#b58900',
  '#8b6b4e',
  '#5f6b7a',
  '#d05fa2',
];
const LIMITS: Record<Limit['is'], string> = { good: '#2e8b3d', warn: '#c46f00', bad: '#c4162a' };

/** As much as the page is high, and a little more. */
export const heightOf = ({ rows }: Dashboard): number =>
  rows.reduce((sum, { panels }) => {
    const shelves = panels.reduce((columns, { width }) => columns + width, 0) / 24;
    return sum + 40 + Math.ceil(shelves) * (panels[0]?.kind === 'number' ? 125 : 265);
  }, 90);

export function picture(dashboard: Dashboard, answers: Answer[]): string {
  const times = answers.flatMap(({ lines }) =>
    lines.flatMap((query) => query.lines.flatMap(({ points }) => points.map(([at]) => at))),
  );
  /** The axis of time, one for all panels, as a dashboard has. */
  const span: Span = times.reduce(({ from, to }, at) => ({ from: Math.min(from, at), to: Math.max(to, at) }), {
    from: Number.POSITIVE_INFINITY,
    to: Number.NEGATIVE_INFINITY,
  });
  const byPanel = new Map(answers.map((answer) => [answer.panel, answer]));
  const rows = dashboard.rows.map(({ title, panels }) => {
    const boxes = panels.flatMap((panel) => byPanel.get(panel) ?? []).map((answer) => box(answer, span));
    return `<h2>${text(title)}</h2><div class="row">${boxes.join('\n')}</div>`;
  });
  return `<!doctype html><meta charset="utf-8"><title>${text(dashboard.title)}</title><style>${STYLE}</style>
<h1>${text(dashboard.title)}</h1><p>${text(dashboard.about)}</p>
${rows.join('\n')}`;
}

const STYLE = `
body { font: 13px/1.35 'DejaVu Sans', sans-serif; margin: 16px; width: 1560px; background: #f4f5f7; color: #1c1e23 }
h1 { font-size: 20px; margin: 0 } h2 { font-size: 15px; margin: 14px 0 6px } p { margin: 2px 0 }
.row { display: grid; grid-template-columns: repeat(24, 1fr); gap: 8px }
.panel { background: #fff; border: 1px solid #d8dbe0; border-radius: 3px; padding: 6px 8px; min-width: 0; overflow: hidden }
.panel b { font-size: 13px } .about { color: #6b7280; font-size: 10.5px }
.number { font-size: 30px; line-height: 44px } .none { color: #c4162a }
.legend { font-size: 11px } .legend i { display: inline-block; width: 9px; height: 9px; margin: 0 4px 0 10px }
table { border-collapse: collapse; width: 100% } td, th { border-top: 1px solid #e3e5e8; padding: 3px 8px; text-align: right }
td:first-child, th:first-child { text-align: left } svg { display: block } svg text { font-size: 10px; fill: #6b7280 }`;

interface Span {
  from: number;
  to: number;
}

function box(answer: Answer, span: Span): string {
  const { panel } = answer;
  const all = answer.lines.flatMap(({ lines }) => lines);
  const inside =
    panel.kind === 'table'
      ? table(answer)
      : all.length === 0
        ? '<div class="number none">no data</div>'
        : drawn(panel, all, span);
  return `<div class="panel" style="grid-column: span ${panel.width}"><b>${text(panel.title)}</b>
<div class="about">${text(panel.about)}</div>${inside}</div>`;
}

const drawn = (panel: Panel, lines: Line[], span: Span): string =>
  panel.kind === 'number' ? big(panel, lines) : chart(panel, lines, span);

function big({ unit, words, limits = [] }: Panel, lines: Line[]): string {
  const value = newest(lines[0]?.points ?? []);
  const limit = limits.filter(({ from }) => value >= from).at(-1)?.is ?? 'good';
  const colour = limits.length > 0 ? ` style="color: ${LIMITS[limit]}"` : '';
  return `<div class="number"${colour}>${text(words?.[value] ?? inWords(value, unit))}</div>`;
}

function table({ panel, lines }: Answer): string {
  const sales = [...new Set(lines.flatMap((column) => column.lines.map(saleOf)))].sort();
  const head = lines.map(({ query }) => `<th>${text(query.legend)}</th>`).join('');
  const rows = sales.map((sale) => {
    const cells = lines.map((column) => {
      const line = column.lines.find((one) => saleOf(one) === sale);
      return `<td>${line ? inWords(newest(line.points), panel.unit) : ''}</td>`;
    });
    return `<tr><td>${text(sale)}</td>${cells.join('')}</tr>`;
  });
  return sales.length === 0
    ? '<div class="number none">no data</div>'
    : `<table><tr><th>Sale</th>${head}</tr>${rows.join('')}</table>`;
}

const saleOf = ({ labels }: Line): string => `${labels.sale_namespace}/${labels.sale}`;

const HEIGHT = 170;
const LEFT = 72;

function chart(panel: Panel, given: Line[], { from, to }: Span): string {
  const width = Math.round((panel.width / 24) * 1560) - 30;
  const lines = panel.kind === 'areas' ? stacked(given) : given;
  const points = lines.flatMap((line) => line.points);
  const values = points.map(([, value]) => value).filter(Number.isFinite);
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low);
  // Nothing but zeros still wants an axis.
  const top = low + (high > low ? roundUp(high - low) : 1);
  const x = (at: number) => LEFT + ((at - from) / Math.max(1, to - from)) * (width - LEFT - 8);
  const y = (value: number) => HEIGHT - 18 - ((value - low) / (top - low)) * (HEIGHT - 28);
  const grid = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const value = low + share * (top - low);
    return `<line x1="${LEFT}" x2="${width - 8}" y1="${y(value)}" y2="${y(value)}" stroke="#e6e8eb"/><text x="${LEFT - 5}" y="${y(value) + 3}" text-anchor="end">${text(inWords(value, panel.unit))}</text>`;
  });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const at = from + share * (to - from);
    return `<text x="${x(at)}" y="${HEIGHT - 4}" text-anchor="middle">${Math.round(at - from)} s</text>`;
  });
  const paths = lines.map(({ points: own }, i) => pathOf(panel, own, lines[i - 1]?.points, i, { x, y }));
  const legend = given.map(({ name, points: own }, i) => {
    const most = Math.max(...own.map(([, value]) => value).filter(Number.isFinite));
    const numbers = `now ${inWords(newest(own), panel.unit)}, most ${inWords(most, panel.unit)}`;
    return `<i style="background: ${COLOURS[i % COLOURS.length]}"></i>${text(name)} <span class="about">${text(numbers)}</span>`;
  });
  return `<svg width="${width}" height="${HEIGHT}">${grid.join('')}${ticks.join('')}${paths.join('')}</svg><div class="legend">${legend.join(' ')}</div>`;
}

interface Scales {
  x: (at: number) => number;
  y: (value: number) => number;
}

function pathOf(
  panel: Panel,
  points: Line['points'],
  below: Line['points'] | undefined,
  i: number,
  { x, y }: Scales,
): string {
  const colour = COLOURS[i % COLOURS.length];
  const along = (list: Line['points']) => list.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
  const known = points.filter(([, value]) => Number.isFinite(value));
  if (panel.kind !== 'areas')
    return `<polyline points="${along(known).join(' ')}" fill="none" stroke="${colour}" stroke-width="1.4"/>`;
  const floor = below ?? points.map(([at]): [number, number] => [at, 0]);
  return `<polygon points="${[...along(known), ...along([...floor].reverse())].join(' ')}" fill="${colour}" fill-opacity="0.55" stroke="${colour}"/>`;
}

/** Each line on top of those before it; where one says nothing it adds nothing. */
function stacked(lines: Line[]): Line[] {
  const times = [...new Set(lines.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const sums = new Map(times.map((at) => [at, 0]));
  return lines.map((line) => {
    const own = new Map(line.points);
    for (const at of times) sums.set(at, (sums.get(at) ?? 0) + (own.get(at) || 0));
    return { ...line, points: times.map((at): [number, number] => [at, sums.get(at) ?? 0]) };
  });
}

const newest = (points: Line['points']): number =>
  points.filter(([, value]) => Number.isFinite(value)).at(-1)?.[1] ?? Number.NaN;

/** Rounds up to 1, 2, 2.5 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.999) ?? 10) * power;
}

function inWords(value: number, unit: Unit): string {
  if (!Number.isFinite(value)) return 'none';
  const short = (number: number) => Number(number.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 6 });
  switch (unit) {
    case 'units':
      return Math.round(value).toLocaleString('en');
    case 'count':
      return short(value);
    case 'per second':
      return `${short(value)}/s`;
    case 'seconds':
      return Math.abs(value) < 1 ? `${short(value * 1000)} ms` : `${short(value)} s`;
    case 'share':
      return `${short(value * 100)} %`;
    case 'bytes':
      return `${short(value / 2 ** 20)} MiB`;
    case 'cores':
      return `${short(value)} cores`;
  }
}

const text = (raw: string): string =>
  raw.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign] ?? sign);
