// What hack/test says to somebody who asks it for what it does not have. It sets nothing up before that.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECTS } from '../../../hack/lib/test-plan.ts';

const hackTest = (...args: string[]) => {
  const program = join(import.meta.dirname, '..', '..', '..', 'hack', 'test');
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const usage = `usage: hack/test [quick|${PROJECTS.join('|')}]`;

test.each([
  [['frobnicate'], "flashsale: no test project is called 'frobnicate'"],
  [['unit', 'chaos'], 'flashsale: one test project at a time'],
])('%j is refused in one line that says what to write', (args, words) => {
  expect(hackTest(...args)).toEqual({ status: 2, stdout: '', stderr: `${words}; ${usage}\n` });
});

test('--help names every project', () => {
  const { status, stdout } = hackTest('--help');
  expect(status).toBe(0);
  expect(stdout.startsWith(`${usage}\n`)).toBe(true);
  for (const project of PROJECTS) expect(stdout).toMatch(new RegExp(`^  ${project} `, 'm'));
});
