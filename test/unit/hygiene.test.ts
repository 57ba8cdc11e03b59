// Small promises about the repository as a whole that no other tool keeps: links lead somewhere, nothing names one
// person's machine, every file introduces itself, and every test file tests.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { PROJECTS } from '../../hack/lib/test-plan.ts';
import { loadFlashSale } from '../../operator/api/load.ts';

const root = join(import.meta.dirname, '..', '..');
const notOurs = new Set(['node_modules', '.git', '.flashsale', 'coverage']);

function filesUnder(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !notOurs.has(entry.name))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesUnder(path);
      return entry.isFile() ? [relative(root, path)] : [];
    });
}

const files = filesUnder(root);
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const withExtension = (...extensions: string[]) => files.filter((file) => extensions.includes(extname(file)));
/** `file:line: text` of every line that matches. */
const linesWith = (names: string[], pattern: RegExp) =>
  names.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );

/** The text as a reader sees it: code shows links and headings, but has none. */
const prose = (markdown: string) =>
  markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]]/g, ''));
/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
const anchorsOf = (markdown: string) =>
  [...prose(markdown).matchAll(/^#+\s+(.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );

function brokenLinks(file: string): string[] {
  const links = [...prose(read(file)).matchAll(/\]\(([^()\s]+)(?:\s+"[^"]*")?\)/g)].map(([, link = '']) => link);
  return links
    .filter((link) => !/^[a-z]+:/i.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), decodeURI(path));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && extname(target) === '.md' && !anchorsOf(read(target)).includes(anchor);
    })
    .map((link) => `${file} → ${link}`);
}

test('every link between Markdown files leads somewhere', () => {
  expect(withExtension('.md').flatMap(brokenLinks)).toEqual([]);
});

test('no file names a path of one machine or the host of a package registry', () => {
  const text = files.filter((file) => !['.png', '.gif', '.jpg', '.ico'].includes(extname(file)));
  // Character classes keep these patterns from finding themselves.
  expect(linesWith(text, /(?<![\w.$})/-])\/(?:[w]ork|[r]oot)\b(?!-)/)).toEqual([]);
  expect(
    linesWith(
      text,
      /registry\.(?:npm|yarn|k8s)|repo1?\.maven|pypi\.(?:org|io)|pythonhosted\.org|proxy\.golang|deb\.debian/,
    ),
  ).toEqual([]);
});

test('nothing is left for later', () => {
  expect(
    linesWith(withExtension('.ts', '.lua', '.sql', '.sh', '.yaml', '.md'), /\b(?:TO[D]O|FIX[M]E|XX[X])\b/),
  ).toEqual([]);
});

test('every source file says first what it is for', () => {
  const sources = withExtension('.ts', '.lua', '.sql', '.sh').filter((file) =>
    /^(operator|dataplane|charts\/sources|hack)\//.test(file),
  );
  const silent = sources.filter((file) => !/^(?:#!.*\n)?\s*(?:\/\/|\/\*|--|#)/.test(read(file)));
  expect(silent).toEqual([]);
});

test('every test file lies in a project that runs it, and has a test with a name', () => {
  const named = /\b(?:test|it)\b(?:\.\w+(?:\((?:[^()]|\([^()]*\))*\))?|<[^(]*>)*\(\s*['"`]\S/;
  const tests = files.filter((file) => file.startsWith('test/') && file.endsWith('.test.ts'));
  expect(tests.length).toBeGreaterThan(0);
  expect(tests.filter((file) => !PROJECTS.includes(file.split('/')[1] ?? ''))).toEqual([]);
  expect(tests.filter((file) => !named.test(read(file)))).toEqual([]);
});

test('the lock file names every package of every platform: `npm ci` refuses one that does not', () => {
  type Entry = { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> };
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Entry> };
  const found = (from: string, name: string): boolean => {
    if (`${from}${from && '/'}node_modules/${name}` in packages) return true;
    return from !== '' && found(from.slice(0, Math.max(0, from.lastIndexOf('/node_modules/'))), name);
  };
  const missing = Object.entries(packages).flatMap(([path, entry]) =>
    Object.keys({ ...entry.dependencies, ...entry.optionalDependencies })
      .filter((name) => !found(path, name))
      .map((name) => `${path || 'package.json'} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

test('the sale that the first page shows is a valid one', () => {
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(read('README.md')) ?? [];
  expect(loadFlashSale(yaml, { source: 'README.md' })).toMatchObject({ ok: true });
});
