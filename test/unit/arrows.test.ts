// Holds the arrows between the rooms of the repository, and shows that the checker sees what it is there to see.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cycles, fileEdges, folderEdges, impurities, wrongArrows } from '../harness/arrows.ts';
import { type Module, moduleOf } from '../harness/imports.ts';

const root = join(import.meta.dirname, '..', '..');
const modulesOf = (sources: Record<string, string>): Module[] =>
  Object.entries(sources).map(([file, source]) => moduleOf(file, source));

describe('this repository', () => {
  const files = globSync('{operator,dataplane,charts,hack,test}/**/*.ts', { cwd: root });
  const modules = files.map((file) => moduleOf(file, readFileSync(join(root, file), 'utf8')));

  test('imports go along the arrows only', () => expect(wrongArrows(modules)).toEqual([]));
  test('nothing pure reaches a client library, a disk, a socket or a process', () =>
    expect(impurities(modules)).toEqual([]));
  test('no file imports itself by way of others', () => expect(cycles(fileEdges(modules))).toEqual([]));
  test('no folder imports itself by way of others', () => expect(cycles(folderEdges(modules))).toEqual([]));
});

describe('the checker', () => {
  test('sees every way to import, and which of them are types only', () => {
    const source = `
      import a, { b } from './a.ts';
      import type { C } from '../c.ts';
      import 'node:fs';
      export * from 'pg';
      export type { D } from './d.ts';
      const e = await import('./e.ts');
      type F = import('./f.ts').F;
      // import './comment.ts';
      const g = "import './string.ts'";`;
    expect(moduleOf('operator/cli/main.ts', source).imports).toEqual([
      { target: 'operator/cli/a.ts', typeOnly: false },
      { target: 'operator/c.ts', typeOnly: true },
      { target: 'node:fs', typeOnly: false },
      { target: 'pg', typeOnly: false },
      { target: 'operator/cli/d.ts', typeOnly: true },
      { target: 'operator/cli/e.ts', typeOnly: false },
      { target: 'operator/cli/f.ts', typeOnly: true },
    ]);
  });

  test('refuses a file it cannot read', () => {
    expect(() => moduleOf('operator/x.ts', 'import {')).toThrow('operator/x.ts');
  });

  test.each([
    ['the data plane imports the operator', 'dataplane/runtime/x.ts', 'operator/cli/x.ts'],
    ['one role imports another', 'dataplane/storefront/x.ts', 'dataplane/cache-agent/x.ts'],
    ['the protocol imports something of ours', 'dataplane/protocol/x.ts', 'dataplane/runtime/x.ts'],
    ['the operator imports a role', 'operator/cli/x.ts', 'dataplane/shard-agent/main.ts'],
    ['a program imports its tests', 'operator/cli/x.ts', 'test/support/x.ts'],
  ])('finds that %s', (_, from, to) => {
    const modules = modulesOf({ [from]: `import type { X } from '${'../'.repeat(2)}${to}';`, [to]: '' });
    expect(wrongArrows(modules)).toEqual([`${from} imports ${to}`]);
  });

  test('finds a file that lies in no room', () => {
    expect(wrongArrows(modulesOf({ 'dataplane/new/x.ts': '' }))).toHaveLength(1);
  });

  test('finds a client library behind a pure file, however far away, but not behind a type', () => {
    const modules = modulesOf({
      'operator/balancer/decide.ts': `import { a } from './a.ts'; import type { Pool } from 'pg';`,
      'operator/balancer/loop.ts': `import { Kafka } from 'kafkajs';`,
      'operator/balancer/a.ts': `import { b } from '../audit/b.ts';`,
      'operator/audit/b.ts': `import { readFile } from 'node:fs/promises';`,
    });
    expect(impurities(modules)).toEqual([
      'operator/balancer/decide.ts → operator/balancer/a.ts → operator/audit/b.ts → node:fs/promises',
      'operator/balancer/a.ts → operator/audit/b.ts → node:fs/promises',
    ]);
  });

  test('finds cycles between files and between folders', () => {
    const modules = modulesOf({
      'operator/a/one.ts': `import '../b/two.ts';`,
      'operator/b/two.ts': `import type { T } from './three.ts';`,
      'operator/b/three.ts': `import { one } from '../a/four.ts';`,
      'operator/a/four.ts': `import './one.ts';`,
    });
    expect(cycles(fileEdges(modules))).toEqual([
      'operator/a/one.ts → operator/b/two.ts → operator/b/three.ts → operator/a/four.ts → operator/a/one.ts',
    ]);
    expect(cycles(folderEdges(modules))).toEqual(['operator/a → operator/b → operator/a']);
  });
});
