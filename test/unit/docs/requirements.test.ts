// Holds docs/requirements.md to the repository: its rows name files that exist, and tests name rows that exist.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NOT_BUILT, PARTS } from '../../../hack/lib/generate/requirements.ts';
import { idsIn, proofs, requirementsPage } from '../../../hack/lib/generate/requirements-page.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const rows = PARTS.flatMap((part) => part.rows);
const proven = proofs();

describe('the requirements', () => {
  test('are R1 to R34, in order and without gaps', () => {
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 34 }, (_, i) => `R${i + 1}`));
  });

  test('name files and folders that exist', () => {
    expect(
      rows.flatMap(({ id, where }) =>
        where.filter((path) => !existsSync(join(root, path))).map((path) => `${id}: ${path}`),
      ),
    ).toEqual([]);
    expect(rows.filter(({ where }) => where.length === 0)).toEqual([]);
  });

  test('have a test each, but for those that are not built, which have none', () => {
    expect(rows.map(({ id }) => id).filter((id) => !proven.has(id))).toEqual(Object.keys(NOT_BUILT));
  });

  test('know every id that a test’s name begins with', () => {
    const known = new Set(rows.map(({ id }) => id));
    expect([...proven].filter(([id]) => !known.has(id))).toEqual([]);
  });

  test('fill a page whose every table row is one line', () => {
    expect(requirementsPage().match(/^\| R\d+ \| /gm)).toHaveLength(2 * rows.length);
  });
});

// The ids stand apart from the quotes here, so that this file proves no row.
const source = (text: string) => text.replaceAll('<', "'").replaceAll('>', "'");

test.each([
  ['a name', 'test(<R12: sums>, work);', ['R12']],
  ['several ids', 'describe(<R27, R34: clicks>, work);', ['R27', 'R34']],
  ['a row of a table', '[<R26: a row below zero>, sale],', ['R26']],
  ['a comment', '// see R12: it sums', []],
  ['an id inside a name', 'test(<sums as R12 says>, work);', []],
])('a test proves a row by %s', (_, text, ids) => {
  expect(idsIn(source(text))).toEqual(ids);
});
