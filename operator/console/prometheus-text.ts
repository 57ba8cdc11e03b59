// Reads what a role shows at /metrics: the Prometheus text format, as much of it as our own roles write. Pure. A line
// that it cannot read is left out: somebody else's metric must not cost us ours.

export interface MetricLine {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*(?:,|$)\s*/y;
const ESCAPED: Record<string, string> = { n: '\n' };

export function parseMetrics(text: string): MetricLine[] {
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, name, inBraces = '', number] = LINE.exec(line.trim()) ?? [];
    const labels = labelsIn(inBraces);
    const value = numberIn(number);
    return name === undefined || labels === undefined || value === undefined ? [] : [{ name, labels, value }];
  });
}

function labelsIn(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  let read = 0;
  for (let match = LABEL.exec(text); match; match = LABEL.exec(text)) {
    const [, name = '', value = ''] = match;
    labels[name] = value.replace(/\\(.)/g, (_, character: string) => ESCAPED[character] ?? character);
    read = LABEL.lastIndex;
  }
  return read === text.length ? labels : undefined;
}

/** The format's infinities are written as `+Inf` and `-Inf`; what is not a number says nothing. */
function numberIn(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text.replace(/^([+-])Inf$/, '$1Infinity'));
  return Number.isNaN(value) ? undefined : value;
}
