// Comments and pages point at files and sections of this repository. Each of them exists, so that nobody follows a reference
// into nothing.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const glob = (pattern: string) => globSync(pattern, { cwd: root });

const folders = '{crds,operator,dataplane,charts,test,hack,docs}';
const names = new Set(glob(`${folders}/**/*`).map((file) => basename(file)));
const headings = new Set([...read('docs/protocol.md').matchAll(/^## (.+)$/gm)].map(([, heading = '']) => heading));
const decisions = new Set(glob('docs/decisions/*.md').map((file) => basename(file).slice(0, 4)));

/** What a line says to a reader: code has its own checkers, so only its comments count; a page counts as a whole. */
function saying(file: string, line: string): string {
  if (file.endsWith('.md')) return line;
  if (/\.(?:sql|lua)$/.test(file)) return /--(.*)$/.exec(line)?.[1] ?? '';
  if (/\.(?:ts|js)$/.test(file)) return /(?:^\s*(?:\/\*\*?|\*|\/\/)|\s\/\/\s)(.*)$/.exec(line)?.[1] ?? '';
  return /(?:^|\s)#(.*)$/.exec(line)?.[1] ?? '';
}

/** A path as far as it is one, without the full stop of its sentence. Patterns and placeholders name no one file. */
const PATH = /(?<![\w./~-])(?:crds|operator|dataplane|charts|test|hack|docs)\/[\w./*{},<>$…-]*[\w/*}>…]/g;
const isPattern = (path: string) => /[*{}<>$…]|\b(?:NAME|FILE|DIR|x)\b/.test(path);
/** A file by its name alone, such as decide.ts. One in another project's words has a slash before it. */
const NAME = /(?<![\w./@-])[a-z][\w-]*\.(?:ts|lua|sql)\b/g;

/** The references of one line that lead nowhere. */
function lost(text: string): string[] {
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([found, part = found]) => [found, part] as const);
  return [
    ...all(PATH).filter(([path]) => !isPattern(path) && !existsSync(join(root, path)) && !isDecision(path)),
    ...all(NAME).filter(([name]) => !names.has(name)),
    ...all(/protocol: "([^"]+)"/g).filter(([, heading]) => !headings.has(heading)),
    ...all(/\bdecision (\d{4})\b/g).filter(([, number]) => !decisions.has(number)),
    // A line's number is wrong after the next edit.
    ...all(/\b[\w-]+\.(?:ts|lua|sql|md):\d+/g),
    // There is no such page.
    ...all(/\((?:design|plan):[^)]*\)/g),
  ].map(([found]) => found);
}

const isDecision = (path: string) => decisions.has(/^docs\/decisions\/(\d{4})$/.exec(path)?.[1] ?? '');

test('every file and section that a comment or a page names exists', () => {
  const files = [
    ...glob(`${folders}/**/*.{ts,lua,sql,sh,md,yaml}`),
    ...glob('*.md'),
    ...glob('hack/*').filter((file) => !/\.\w+$/.test(file) && existsSync(join(root, file, '..')) && isScript(file)),
  ].filter((file) => file !== 'test/unit/docs/references.test.ts' && !/\.gen\.ts$|^docs\/decisions\/\d/.test(file));
  const found = files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, i) => lost(saying(file, line)).map((reference) => `${file}:${i + 1} names ${reference}`)),
  );
  expect(found).toEqual([]);
});

function isScript(file: string): boolean {
  try {
    return read(file).startsWith('#!');
  } catch {
    return false;
  }
}

describe('a reference leads nowhere', () => {
  test.each([
    ['a file that is gone', 'see dataplane/lua/gone.lua', ['dataplane/lua/gone.lua']],
    ['a file’s name that nobody has', 'as gone.ts says', ['gone.ts']],
    ['a line of a file', 'as decide.ts:26 says', ['decide.ts:26']],
    ['a page that there is not', 'long enough (design: balancer)', ['(design: balancer)']],
    ['a section that there is not', 'see (protocol: "Weather")', ['protocol: "Weather"']],
    ['a decision that there is not', 'for good (decision 9999)', ['decision 9999']],
    ['a decision’s number that there is not', 'for good (docs/decisions/9999)', ['docs/decisions/9999']],
  ])('%s', (_, text, references) => expect(lost(text)).toEqual(references));

  test.each([
    'a file at the end of a sentence: docs/protocol.md.',
    'a folder: dataplane/stores/shard/sql/',
    'a pattern: test/unit/*.test.ts, docs/{a,b}.md, test/golden/NAME/pool.yaml',
    'another project’s: internal/controller/policies.go',
    'decide.ts, (protocol: "Purchase"), decision 0001, docs/decisions/0008',
  ])('but not %s', (text) => expect(lost(text)).toEqual([]));
});
