// A dashboard's description → the JSON that Grafana imports, by Grafana's own builders. Pure.

import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  SortOrder,
  StackingConfigBuilder,
  StackingMode,
  TableFooterOptionsBuilder,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  type Panel as GrafanaPanel,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as NumberBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Dashboard, Limit, Panel, Query, Unit } from './description.ts';

const SOURCE = { type: 'prometheus', uid: '$datasource' };
/** The time between two scrapes, as the chart asks for it: `$__rate_interval` becomes four times that. */
const INTERVAL = '5s';
const COLOURS: Record<Limit['is'], string> = { good: 'green', warn: 'orange', bad: 'red' };
const UNITS: Record<Unit, { unit: string; decimals?: number }> = {
  units: { unit: 'locale', decimals: 0 },
  count: { unit: 'none' },
  'per second': { unit: 'suffix:/s' },
  seconds: { unit: 's' },
  share: { unit: 'percentunit' },
  bytes: { unit: 'bytes' },
  cores: { unit: 'suffix: cores' },
};
const HEIGHT = { number: 4, lines: 8, areas: 8, table: 10 } as const;

/** Writes the file, with a line's end. */
export function grafanaJson(dashboard: Dashboard): string {
  const { uid, title, about, ofOneSale, rows } = dashboard;
  const made = new DashboardBuilder(title)
    .uid(uid)
    .description(about)
    .tags(['flashsale'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-30m', to: 'now' })
    .refresh('5s')
    .link(
      new DashboardLinkBuilder('Flash sales')
        .type(DashboardLinkType.Dashboards)
        .tags(['flashsale'])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  if (ofOneSale)
    made
      .withVariable(choice('namespace', 'label_values(flashsale_sale_stock, sale_namespace)'))
      .withVariable(choice('sale', 'label_values(flashsale_sale_stock{sale_namespace="$namespace"}, sale)'));
  let id = 0;
  for (const row of rows) {
    made.withRow(new RowBuilder(row.title).id(++id));
    for (const panel of row.panels) made.withPanel({ build: () => grafanaPanel(panel, ++id) });
  }
  return `${JSON.stringify(made.build(), null, 2)}\n`;
}

const choice = (name: string, query: string) =>
  new QueryVariableBuilder(name)
    .label(name)
    .datasource(SOURCE)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);

function grafanaPanel(panel: Panel, id: number): GrafanaPanel {
  const { kind, title, about, width, queries, words, limits, unit } = panel;
  const builder =
    kind === 'number' ? numberPanel() : kind === 'table' ? tablePanel(queries) : timePanel(kind, panel.signed);
  builder
    .id(id)
    .title(title)
    .description(about)
    .datasource(SOURCE)
    .height(HEIGHT[kind])
    .span(width)
    .unit(UNITS[unit].unit)
    .targets(queries.map((query, i) => target(query, kind, refId(i))));
  const { decimals } = UNITS[unit];
  if (decimals !== undefined) builder.decimals(decimals);
  if (words)
    builder.mappings([
      {
        type: MappingType.ValueToText,
        options: Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }])),
      },
    ]);
  if (kind === 'number') builder.thresholds(thresholds(limits));
  return builder.build();
}

const refId = (i: number): string => String.fromCharCode('A'.charCodeAt(0) + i);

function target({ expr, legend }: Query, kind: Panel['kind'], ref: string): DataqueryBuilder {
  const query = new DataqueryBuilder().refId(ref).expr(expr).interval(INTERVAL).datasource(SOURCE);
  if (kind === 'table') return query.instant().format(PromQueryFormat.Table);
  return query.range().legendFormat(legend === '' ? '__auto' : legend);
}

function thresholds(limits: Limit[] = []): ThresholdsConfigBuilder {
  const first = limits[0]?.from === 0 ? [] : [{ value: null, color: 'green' }];
  const steps = limits.map(({ from, is }, i) => ({ value: i === 0 && from === 0 ? null : from, color: COLOURS[is] }));
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...first, ...steps]);
}

const numberPanel = () =>
  new NumberBuilder()
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    .colorMode(BigValueColorMode.Value)
    .graphMode(BigValueGraphMode.Area);

const timePanel = (kind: 'lines' | 'areas', signed = false) => {
  const builder = new TimeseriesBuilder()
    .lineWidth(1)
    .fillOpacity(kind === 'areas' ? 40 : 5)
    .showPoints(VisibilityMode.Never)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassicByName))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending));
  if (!signed) builder.min(0);
  return kind === 'areas' ? builder.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : builder;
};

/** A table with one row for each sale and one column for each query. The sale's name leads to its dashboard. */
const tablePanel = (queries: Query[]) =>
  new TableBuilder()
    .footer(new TableFooterOptionsBuilder().show(false))
    .transformations([
      { id: 'merge', options: {} },
      {
        id: 'organize',
        options: {
          excludeByName: { Time: true },
          indexByName: { sale_namespace: 0, sale: 1 },
          renameByName: {
            sale_namespace: 'Namespace',
            sale: 'Sale',
            ...Object.fromEntries(queries.map(({ legend }, i) => [`Value #${refId(i)}`, legend])),
          },
        },
      },
    ])
    .overrideByName('Sale', [
      {
        id: 'links',
        value: [
          {
            title: 'Open this sale',
            // biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's own notation.
            url: '/d/flashsale-sale?var-namespace=${__data.fields.Namespace}&var-sale=${__data.fields.Sale}',
          },
        ],
      },
    ])
    .overrideByName('Ready', [
      {
        id: 'mappings',
        value: [
          {
            type: 'value',
            options: { 0: { text: 'no', color: 'red', index: 0 }, 1: { text: 'yes', color: 'green', index: 1 } },
          },
        ],
      },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ]);
