// What hack/test and hack/release say to somebody who asks them for what they do not have. They set nothing up before that.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECTS } from '../../../hack/lib/test-plan.ts';

const call = (name: string, ...args: string[]) => {
  const program = join(import.meta.dirname, '..', '..', '..', 'hack', name);
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return { status, stdout, stderr };
};
const hackTest = (...args: string[]) => call('test', ...args);
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

test.each([
  [['--fast'], 'flashsale: there is no option --fast'],
  [['a', 'b'], 'flashsale: one folder at a time'],
])('hack/release %j is refused in one line that says what to write', (args, words) => {
  expect(call('release', ...args)).toEqual({
    status: 2,
    stdout: '',
    stderr: `${words}; usage: hack/release [FOLDER]\n`,
  });
});

test('hack/release --help names what a release consists of, the bill of materials too', () => {
  const { status, stdout } = call('release', '--help');
  expect(status).toBe(0);
  for (const part of ['tgz', 'tar', 'cdx.json', 'SHA256SUMS']) expect(stdout).toMatch(new RegExp(`${part} {2,}`));
});
