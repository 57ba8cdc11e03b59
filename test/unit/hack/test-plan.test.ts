import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECTS, planOf } from '../../../hack/lib/test-plan.ts';

const TESTS = join(import.meta.dirname, '..', '..');

test('asked for nothing, it runs the checks and every folder of tests, the cluster last', () => {
  const { checks, runs } = planOf();
  expect(checks).toBe(true);
  const folders = readdirSync(TESTS).filter((name) => globSync(`${name}/**/*.test.ts`, { cwd: TESTS }).length > 0);
  const whole = runs.filter(({ files, on }) => files.length === 0 && on === undefined);
  expect(whole.map(({ project }) => project).sort()).toEqual(folders.sort());
  expect(runs.at(-1)?.project).toBe('cluster');
});

test.each(PROJECTS)('asked for %s, it runs that alone, and the checks only beside the unit tests', (project) => {
  const { checks, runs } = planOf(project);
  expect(checks).toBe(project === 'unit');
  expect(runs[0]).toEqual({ project, files: [], env: {} });
  expect(new Set(runs.map((run) => run.project))).toEqual(new Set([project]));
});

test('what depends on PostgreSQL runs on the newest one too, in every run of the integration tests', () => {
  for (const asked of [undefined, 'integration'])
    expect(planOf(asked).runs.filter(({ on }) => on === 'PostgreSQL 18')).toHaveLength(1);
});

test('asked for quick, it runs the checks, and the beginning of what takes longer', () => {
  const { checks, runs } = planOf('quick');
  expect(checks).toBe(true);
  expect(runs.map(({ project }) => project)).toEqual(['unit', 'simulation', 'integration']);
});

test.each([undefined, 'quick'])('asked for %s, it names files that exist', (asked) => {
  const { runs } = planOf(asked);
  const all = globSync('**/*.test.ts', { cwd: TESTS });
  for (const part of runs.flatMap(({ files }) => files))
    expect(
      all.filter((file) => file.includes(part)),
      part,
    ).not.toEqual([]);
});
