import { globSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECTS, planOf } from '../../../hack/lib/test-plan.ts';

const TESTS = join(import.meta.dirname, '..', '..');

test('asked for nothing, it runs the checks and every folder of tests, the cluster last', () => {
  const { checks, runs } = planOf();
  expect(checks).toBe(true);
  const folders = readdirSync(TESTS).filter((name) => globSync(`${name}/**/*.test.ts`, { cwd: TESTS }).length > 0);
  expect(runs.map(({ project }) => project).sort()).toEqual(folders.sort());
  expect(runs.flatMap(({ files }) => files)).toEqual([]);
  expect(runs.at(-1)?.project).toBe('cluster');
});

test.each(PROJECTS)('asked for %s, it runs that alone, and the checks only beside the unit tests', (project) => {
  expect(planOf(project)).toEqual({ checks: project === 'unit', runs: [{ project, files: [], env: {} }] });
});

test('asked for quick, it runs the checks and files that exist', () => {
  const { checks, runs } = planOf('quick');
  expect(checks).toBe(true);
  expect(runs.map(({ project }) => project)).toEqual(['unit', 'simulation', 'integration']);
  const all = globSync('**/*.test.ts', { cwd: TESTS });
  for (const part of runs.flatMap(({ files }) => files))
    expect(
      all.filter((file) => file.includes(part)),
      part,
    ).not.toEqual([]);
});
