// Holds docs/glossary.md to the code: each term once and in order, each name in use, and no retired word left anywhere.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const page = read('docs/glossary.md');

const rows = [...page.matchAll(/^\| \*\*(.+)\*\* \| (.+) \| (.*?) ?\|$/gm)].map(
  ([, term = '', means = '', names = '']) => ({
    term,
    means,
    names: [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  }),
);

const folders = '{crds,operator,dataplane,charts,test,hack,docs}';
const code = globSync('{operator,dataplane}/**/*.{ts,lua,sql}', { cwd: root }).map(read).join('\n');

/**
 * Words that had a private meaning here, and the term that took their place. Each pattern is written so that it does not
 * find itself.
 */
const RETIRED: [pattern: RegExp, now: string][] = [
  [/\bclass [C]rowd\b|\bnew [C]rowd\(/, 'admission limiter'],
  [/\b[K]it\b/, 'ReconcileContext'],
  [/\b[M]emo\b/, 'SaleState'],
  [/\bno-[s]tamp\b|\b[S]tampMode\b/, 'node identity'],
  [/\bclosed[_-]up[_-]to\b|\b[c]losedUpTo\b/, 'low watermark'],
  [/\b[i]ssue numbers?\b|\b[I]ssueNumber\b/, 'sequence number'],
  [/\b[h]omeNode\b/, 'owner node'],
  [/\b[L]ane\b/, 'checkout batcher'],
  [/\b[Kk]eeper\b/, 'pool reconciler'],
  [/\b[g]reetings?\b/, 'term handshake'],
  [/\b[s]tamped\b/, 'node identity'],
  [/\b[P]ATIENCE\b/, 'timeout, grace period, or what it is'],
  [/\b[Ff]irst[ -]level\b/, 'cache tier'],
  [/\b[h]ome node\b|\bat [h]ome on\b|\b[h]omeNumber\b/, 'owner node'],
  [/\bTROUBLE[S]\b/, 'degraded reason'],
  [/\b[p]ass over\b/, 'reconcile'],
  [/\b[k]eepsItsWord\b/, 'isDeletionPolicyPending'],
  [/\bp[a]tience\b/i, 'timeout, or the longest wait'],
  [/\bd[e]alt out\b|\bd[e]als? out\b|\bd[e]alable\b|\bd[e]alt\b/, 'allocate'],
  [/\b[j]udge\(|\bFUNCTION [j]udge\b|\bj[u]dgeSoldOut\b/, 'classify'],
  [/\b[a] pass failed\b/, 'reconcile'],
];

/** Decisions and the changelog tell of the past in its own words. */
const texts = [
  ...globSync(`${folders}/**/*.{ts,lua,sql,sh,md,yaml}`, { cwd: root }),
  'README.md',
  'CONTRIBUTING.md',
].filter((file) => !file.startsWith('docs/decisions/'));

describe('the glossary', () => {
  test('has rows, and says each thing in one line that ends like a sentence', () => {
    expect(rows.length).toBe(page.match(/^\| \*\*/gm)?.length);
    expect(rows.filter(({ means }) => !/^\S.*[.…]$/.test(means))).toEqual([]);
  });

  test('has each term once, in alphabetical order', () => {
    const terms = rows.map(({ term }) => term.toLowerCase());
    expect(terms).toEqual([...new Set(terms)].sort());
  });

  test('gives names that the code has', () => {
    const words = (name: string) => new RegExp(`(?<![\\w.])${RegExp.escape(name)}(?!\\w)`);
    const missing = rows.flatMap(({ term, names }) =>
      names.filter((name) => !words(name).test(code)).map((name) => `${term}: ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

test.each(RETIRED)('nothing says %s any more: the word is now %s', (pattern) => {
  const left = texts.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${file}:${i + 1}: ${line.trim()}`] : [])),
  );
  expect(left).toEqual([]);
});
