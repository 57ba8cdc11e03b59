// Asks a Prometheus every query of a dashboard, as Grafana would for one sale and one stretch of time.

import type { Dashboard, Panel, Query } from './description.ts';

export interface Line {
  /** The name in the legend, with the labels filled in. */
  name: string;
  labels: Record<string, string>;
  /** Seconds since 1970, and the value then. */
  points: [at: number, value: number][];
}

export interface Answer {
  panel: Panel;
  /** Each query and its lines, in the order of the panel's queries. */
  lines: { query: Query; lines: Line[] }[];
}

export interface Stretch {
  /** Seconds since 1970. */
  from: number;
  to: number;
  /** Seconds from one point to the next; and what `rate` looks at. */
  step: number;
  rateInterval: number;
}

interface RangeAnswer {
  status: string;
  error?: string;
  data?: { result: { metric: Record<string, string>; values: [number, string][] }[] };
}

/** Throws when Prometheus does not understand a query. */
export async function ask(
  prometheus: string,
  dashboard: Dashboard,
  sale: { namespace: string; sale: string },
  stretch: Stretch,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const panel of dashboard.rows.flatMap(({ panels }) => panels)) {
    const lines = [];
    for (const query of panel.queries) {
      const found = await askRange(prometheus, filledIn(query.expr, sale, stretch), stretch);
      lines.push({ query, lines: found.map((line) => ({ ...line, name: nameOf(query.legend, line.labels) })) });
    }
    answers.push({ panel, lines });
  }
  return answers;
}

const filledIn = (
  expr: string,
  { namespace, sale }: { namespace: string; sale: string },
  { from, to, rateInterval }: Stretch,
) =>
  expr
    .replaceAll('$namespace', namespace)
    .replaceAll('$sale', sale)
    .replaceAll('$__rate_interval', `${rateInterval}s`)
    .replaceAll('$__range', `${Math.ceil(to - from)}s`);

async function askRange(prometheus: string, expr: string, { from, to, step }: Stretch): Promise<Omit<Line, 'name'>[]> {
  const parameters = new URLSearchParams({ query: expr, start: `${from}`, end: `${to}`, step: `${step}` });
  const response = await fetch(`${prometheus}/api/v1/query_range`, { method: 'POST', body: parameters });
  const answer = (await response.json()) as RangeAnswer;
  if (answer.status !== 'success' || !answer.data) throw new Error(`${answer.error ?? response.status}: ${expr}`);
  return answer.data.result.map(({ metric, values }) => ({
    labels: metric,
    points: values.map(([at, value]) => [at, Number(value)]),
  }));
}

const nameOf = (legend: string, labels: Record<string, string>): string =>
  legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
