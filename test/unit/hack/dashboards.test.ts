// Dashboards as descriptions and as what Grafana imports: whole rows, panels that explain themselves, nothing on top of
// something else. Whether the queries say something is tried on a real Prometheus (test/integration/observability).

import { describe, expect, it, test } from 'vitest';
import { DASHBOARDS } from '../../../charts/sources/dashboards/all.ts';
import type { Answer } from '../../../charts/sources/dashboards/ask.ts';
import {
  allPanels,
  areas,
  type Dashboard,
  lines,
  number,
  series,
} from '../../../charts/sources/dashboards/description.ts';
import { grafanaJson } from '../../../charts/sources/dashboards/grafana.ts';
import { picture } from '../../../charts/sources/dashboards/picture.ts';

interface Imported {
  uid: string;
  panels: { id: number; type: string; title: string; gridPos: { x: number; y: number; w: number; h: number } }[];
  templating: { list: { name: string }[] };
}
const imported = (dashboard: Dashboard) => JSON.parse(grafanaJson(dashboard)) as Imported;

describe.each(DASHBOARDS.map((dashboard) => [dashboard.name, dashboard] as const))('%s', (_, dashboard) => {
  it('says of every panel what it answers', () => {
    expect(allPanels(dashboard).filter(({ about }) => !/^\S.*\.$/.test(about))).toEqual([]);
  });

  it('fills its rows', () => {
    for (const { title, panels } of dashboard.rows) {
      let column = 0;
      for (const { width } of panels) {
        expect(column + width, title).toBeLessThanOrEqual(24);
        column = (column + width) % 24;
      }
      expect(column, title).toBe(0);
    }
  });

  it('has no panel on another one, and no number twice', () => {
    const { panels } = imported(dashboard);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_unused, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('lets a person choose the sale, where it shows one', () => {
    const names = imported(dashboard).templating.list.map(({ name }) => name);
    expect(names).toEqual(dashboard.ofOneSale ? ['datasource', 'namespace', 'sale'] : ['datasource']);
    expect(grafanaJson(dashboard).includes('$namespace')).toBe(dashboard.ofOneSale);
  });
});

test('dashboards are told apart by what never changes', () => {
  expect(DASHBOARDS.map((dashboard) => imported(dashboard).uid)).toEqual([
    'flashsale-sale',
    'flashsale-balancer',
    'flashsale-fleet',
  ]);
});

describe('a picture', () => {
  const sold = number('Sold', 'How much.', 'units', 'sold', { limits: [{ from: 10, is: 'bad' }] });
  const stock = areas('Stock', 'Where.', 'units', [series('{{id}}', 'stock')], { width: 20 });
  const waiting = lines('Waiting', 'How long.', 'seconds', 'waiting', { width: 24 });
  const dashboard: Dashboard = {
    ...{ uid: 'x', name: 'x', title: 'A <b>', about: 'All.', ofOneSale: false },
    rows: [{ title: 'One', panels: [sold, stock, waiting] }],
  };
  const line = (name: string, ...values: number[]) => ({
    ...{ name, labels: {} },
    points: values.map((value, at): [number, number] => [at, value]),
  });
  const answer = (panel: Answer['panel'], ...found: ReturnType<typeof line>[]): Answer => ({
    panel,
    lines: panel.queries.map((query) => ({ query, lines: found })),
  });
  const page = picture(dashboard, [
    answer(sold, line('', 1, Number.NaN, 12_345)),
    answer(stock, line('s0', 5, 5), line('s1', 5, 0)),
    answer(waiting),
  ]);

  it('shows the newest number, in the colour of its limit', () => expect(page).toMatch(/color: #c4162a">12,345</));
  it('says so where there is no data', () => expect(page).toContain('no data'));
  it('names every line with its newest and its largest value', () => {
    expect(page).toContain('s1 <span class="about">now 0, most 5</span>');
  });
  it('takes names for text', () => expect(page).toContain('A &lt;b&gt;'));
});
