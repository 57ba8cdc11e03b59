// Runs promtool over the chart's rule files: whether they are valid, and whether made-up series fire an alert.

import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';

const CHART = join(import.meta.dirname, '..', '..', '..', 'charts', 'flashsale-operator');
export const ruleFiles = globSync('alerts/*.yaml', { cwd: CHART }).map((file) => join(CHART, file));

export interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  for?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export const rules: Rule[] = ruleFiles.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules),
);

export function promtool(...args: string[]): { code: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync(process.env.FLASHSALE_PROMTOOL ?? 'promtool', args, {
    encoding: 'utf8',
  });
  if (error) throw error;
  return { code: status, output: stdout + stderr };
}

/** Labels and summary of an alert that is to fire. */
export interface Firing {
  labels: Record<string, string>;
  summary: string;
}

/** Values one every ten seconds, in promtool's notation. */
export type Series = Record<string, string>;

/** Undefined: exactly these fire `at` minutes after the start. Otherwise what promtool found instead. */
export function wrongFirings(alert: string, series: Series, at: number, expected: Firing[]): string | undefined {
  const tests = {
    rule_files: ruleFiles,
    evaluation_interval: '10s',
    tests: [
      {
        interval: '10s',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: [
          {
            eval_time: `${Math.round(at * 60)}s`,
            alertname: alert,
            exp_alerts: expected.map(({ labels, summary }) => ({
              exp_labels: labels,
              exp_annotations: { ...annotationsOf(alert, labels), summary },
            })),
          },
        ],
      },
    ],
  };
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-promtool-'));
  try {
    const file = join(folder, 'test.yaml');
    writeFileSync(file, stringify(tests));
    const { code, output } = promtool('test', 'rules', file);
    return code === 0 ? undefined : output;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Those that say the same of everything. An alert with several rules says the same in all of them. */
function annotationsOf(alert: string, labels: Record<string, string>): Record<string, string> {
  const same = rules.filter((rule) => rule.alert === alert);
  const rule =
    same.find((one) => Object.entries(one.labels ?? {}).every(([name, value]) => labels[name] === value)) ?? same[0];
  if (rule === undefined) throw new Error(`there is no alert ${alert}`);
  return rule.annotations ?? {};
}
