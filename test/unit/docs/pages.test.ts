// What the pages list is what there is: README every page, docs/architecture.md every room once.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('README leads to every page of docs', () => {
  const links = new Set([...read('README.md').matchAll(/\]\((docs\/[\w-]+\.md)\)/g)].map(([, link]) => link));
  expect(globSync('docs/*.md', { cwd: root }).filter((page) => !links.has(page))).toEqual([]);
});

test('docs/architecture.md lists every room once', () => {
  const [, rooms = ''] = /^## The rooms\n([\s\S]*?)^## /m.exec(read('docs/architecture.md')) ?? [];
  const listed = [...rooms.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`([^`]+)\/`/g)].map(([, folder]) => folder),
  );
  const there = [
    ...globSync(['crds', 'charts', 'test', 'hack'], { cwd: root }),
    ...globSync('{dataplane,operator}/*/', { cwd: root }).map((folder) => folder.replace(/\/$/, '')),
  ];
  expect(listed.sort()).toEqual(there.sort());
});

test('docs/architecture.md lists the folders of test', () => {
  const [line = ''] = /^\| `test\/` \|.*$/m.exec(read('docs/architecture.md')) ?? [];
  const missing = globSync('test/*/', { cwd: root })
    .map((folder) => folder.replace(/^test\/|\/$/g, ''))
    .filter((folder) => !new RegExp(`\\b${folder}\\b`).test(line));
  expect(missing).toEqual([]);
});
