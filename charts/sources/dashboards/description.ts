// What a dashboard is, as people review it: rows of panels that each answer a question. grafana.ts makes Grafana's JSON of
// it, picture.ts draws it, and a test asks a real Prometheus every query in it.

export interface Query {
  /** PromQL. `$namespace`, `$sale`, `$__rate_interval` and `$__range` are filled in by whoever asks. */
  expr: string;
  /** The name in the legend, where `{{label}}` stands for that label's value; in a table, the name of the column. */
  legend: string;
}

export type Unit = 'units' | 'per second' | 'seconds' | 'share' | 'bytes' | 'cores' | 'count';

/** From this value on it is a reason to look (`warn`), or to do something (`bad`). */
export interface Limit {
  from: number;
  is: 'good' | 'warn' | 'bad';
}

export interface Panel {
  title: string;
  /** What it answers and how to read it; shown when a person asks for it. */
  about: string;
  /** How the panel shows its queries. `number`: the newest value; `lines` and `areas` (one on top of the other) over time; `table`: a row per sale. */
  kind: 'number' | 'lines' | 'areas' | 'table';
  unit: Unit;
  queries: Query[];
  /** Columns of 24. */
  width: number;
  /** The thresholds, ascending; below the first one a value is good. */
  limits?: Limit[];
  /** Words instead of numbers. */
  words?: Record<number, string>;
  /** May go below 0. */
  signed?: boolean;
}

export interface Row {
  title: string;
  panels: Panel[];
}

export interface Dashboard {
  /** The id of the dashboard, which stays the same, because links and bookmarks name it. */
  uid: string;
  /** Name of its file. */
  name: string;
  title: string;
  about: string;
  /** Shows one sale, chosen by the variables namespace and sale. */
  ofOneSale: boolean;
  rows: Row[];
}

type Rest = Partial<Pick<Panel, 'limits' | 'words' | 'signed'>>;
type Queries = Query[] | string;

const queriesOf = (queries: Queries): Query[] =>
  typeof queries === 'string' ? [{ expr: queries, legend: '' }] : queries;

const panel =
  (kind: Panel['kind'], width: number) =>
  (title: string, about: string, unit: Unit, queries: Queries, rest: Rest & { width?: number } = {}): Panel => ({
    title,
    about,
    kind,
    unit,
    queries: queriesOf(queries),
    width,
    ...rest,
  });

export const number = panel('number', 4);
export const lines = panel('lines', 8);
export const areas = panel('areas', 12);
export const table = panel('table', 24);

/** A query and its legend. */
export const series = (legend: string, expr: string): Query => ({ legend, expr });

/** Percentiles of a histogram; `by`: further labels to keep apart. */
export const percentiles = (metric: string, filter: string, which: readonly number[] = [0.5, 0.9, 0.99]): Query[] =>
  which.map((share) =>
    series(
      `p${share * 100}`,
      `histogram_quantile(${share}, sum by (le) (rate(${metric}_bucket{${filter}}[$__rate_interval])))`,
    ),
  );

/** Labels of a sale's own pods, and of what the operator tells of it. */
export const OF_PODS = 'namespace="$namespace", sale="$sale"';
export const OF_SALE = 'sale_namespace="$namespace", sale="$sale"';

/**
 * How uneven the shards are, while each has at least ten units on average: a handful of units cannot lie evenly, and would
 * look as if something were wrong.
 */
export const DISPERSION = `max(flashsale_balancer_dispersion{${OF_SALE}, measure="coefficient_of_variation"}) and max(flashsale_balancer_dispersion{${OF_SALE}, measure="mean"}) >= 10`;

export const rate = (metric: string, filter: string): string => `rate(${metric}{${filter}}[$__rate_interval])`;

/** The rate of each outcome that occurred in the stretch of time that is shown: a counter has many that never do. */
export const occurring = (label: string, metric: string, filter: string): string =>
  `sum by (${label}) (${rate(metric, filter)}) and on (${label}) sum by (${label}) (increase(${metric}{${filter}}[$__range] @ end())) > 0`;

export const allPanels = ({ rows }: Dashboard): Panel[] => rows.flatMap(({ panels }) => panels);
