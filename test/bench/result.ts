// What a benchmark yields, and how several are shown. Machines are noisy: ours and the baseline take turns in one run,
// and what is quoted is the median of the ratios of neighbouring turns.

export interface Result {
  name: string;
  unit: string;
  ours: number;
  /** Absent: there is nothing to compare with. */
  baseline: number | null;
  /** ours / baseline. */
  ratio: number | null;
  /** What we ask of ourselves, in words: "ratio ≥ 0.8"; empty: reported only. */
  goal: string;
  met: boolean | null;
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

const round = (value: number): number => (value >= 100 ? Math.round(value) : Math.round(value * 100) / 100);

/** A figure on its own. `atMost`: the goal. */
export const figure = (name: string, unit: string, ours: number, atMost?: number): Result => ({
  name,
  unit,
  ours: round(ours),
  baseline: null,
  ratio: null,
  goal: atMost === undefined ? '' : `≤ ${atMost}`,
  met: atMost === undefined ? null : ours <= atMost,
});

/** Takes turns: ours, baseline, ours, baseline, … */
export async function compare(
  name: string,
  unit: string,
  turns: number,
  ours: () => Promise<number>,
  baseline: () => Promise<number>,
  atLeast?: number,
): Promise<Result> {
  const pairs: { ours: number; baseline: number }[] = [];
  for (let turn = 0; turn < turns; turn++) pairs.push({ ours: await ours(), baseline: await baseline() });
  const ratio = median(pairs.map((p) => p.ours / p.baseline));
  return {
    name,
    unit,
    ours: round(median(pairs.map((p) => p.ours))),
    baseline: round(median(pairs.map((p) => p.baseline))),
    ratio: round(ratio),
    goal: atLeast === undefined ? '' : `ratio ≥ ${atLeast}`,
    met: atLeast === undefined ? null : ratio >= atLeast,
  };
}

export function table(results: Result[]): string {
  const rows = [
    ['benchmark', 'unit', 'ours', 'baseline', 'ratio', 'goal', ''],
    ...results.map((r) => [
      r.name,
      r.unit,
      String(r.ours),
      String(r.baseline ?? ''),
      String(r.ratio ?? ''),
      r.goal,
      r.met === null ? '' : r.met ? 'met' : 'MISSED',
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i >= 2 && i <= 4 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
