// docs/security.md promises something to everybody who could be hurt, and names the test that shows each promise. A test
// that was renamed or deleted would leave a promise that nobody keeps, so the names are compared with the tests.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const page = join(import.meta.dirname, '..', '..', '..', 'docs', 'security.md');
const lines = readFileSync(page, 'utf8').split('\n');

/** A row of a table of promises: what is promised, and the links to tests with their names. */
const rows = lines.filter((line) => /^\| (?!---|promise \|)/.test(line));
/** `[file](../test/….test.ts) “name of the test”`, as often as a row has it. */
const PROOF = /\]\((\.\.\/test\/[^)]+)\) “([^”]+)”/g;

test('every promise to users names a test', () => {
  expect(rows.length).toBeGreaterThan(10);
  expect(rows.filter((row) => row.matchAll(PROOF).next().done)).toEqual([]);
});

test('every test that a promise names exists under that name', () => {
  const lost = rows
    .flatMap((row) => [...row.matchAll(PROOF)])
    .filter(([, file = '', name = '']) => !readFileSync(join(dirname(page), file), 'utf8').includes(name))
    .map(([proof]) => proof);
  expect(lost).toEqual([]);
});
