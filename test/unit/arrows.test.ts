// Holds the arrows between the rooms of the repository, and shows that the checker sees what it is there to see.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cycles, fileEdges, folderEdges, impurities, wrongArrows, wrongPaths } from '../harness/arrows.ts';
import { type Module, moduleOf } from '../harness/imports.ts';

const root = join(import.meta.dirname, '..', '..');
const modulesOf = (sources: Record<string, string>): Module[] =>
  Object.entries(sources).map(([file, source]) => moduleOf(file, source));

describe('this repository', () => {
  const files = globSync('{operator,dataplane,charts,hack,test}/**/*.ts', { cwd: root });
  const modules = files.map((file) => moduleOf(file, readFileSync(join(root, file), 'utf8')));

  test('imports go along the arrows only', () => expect(wrongArrows(modules)).toEqual([]));
  test('files of another room are read by its own functions', () => expect(wrongPaths(modules)).toEqual([]));
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

  test('sees every way to name a file by its path', () => {
    const source = `
      const a = new URL('./sql/a.sql', import.meta.url);
      const FOLDER = join(import.meta.dirname, '..', 'stores');
      const LUA = new URL('../stores/lua/', import.meta.url);
      const b = readFileSync(join(FOLDER, 'b.sql'));
      const c = readFileSync(new URL('c.lua', LUA));
      const d = (name: string) => path.resolve(import.meta.dirname, \`../\${name}/d.sql\`);
      const e = join(root, 'dataplane/shard-agent/main.ts');
      const f = fileURLToPath(new URL('../../crds/f.yaml', import.meta.url));
      const g = new URL('https://operator/stores');
      // in a comment: 'dataplane/x.sql'
      const h = 'operator and dataplane/';`;
    expect(moduleOf('operator/sale/x.ts', source).paths).toEqual([
      'operator/sale/sql/a.sql',
      'operator/stores',
      'operator/stores/lua',
      'operator/stores/b.sql',
      'operator/stores/lua/c.lua',
      'operator/*/d.sql',
      'dataplane/shard-agent/main.ts',
      'crds/f.yaml',
    ]);
  });

  test.each([
    ['the operator reads SQL of the stores', 'operator/sale/x.ts', 'dataplane/stores/shard/sql/roles.sql'],
    ['a role reads Lua of the stores', 'dataplane/cache-agent/x.ts', 'dataplane/stores/cache-node/lua/due.lua'],
    ['a role starts another one', 'dataplane/cache-agent/x.ts', 'dataplane/storefront/main.ts'],
    ['the operator starts what is no entry point', 'operator/local/x.ts', 'dataplane/storefront/storefront.ts'],
  ])('finds that %s by its path', (_, from, to) => {
    const here = moduleOf(from, `const x = new URL('${'../'.repeat(2)}${to}', import.meta.url);`);
    const root = moduleOf(from, `const x = join(root, '${to}');`);
    for (const module of [here, root]) expect(wrongPaths([module])).toEqual([`${from} reaches ${to} by its path`]);
  });

  test('lets the operator start the roles, and a room read its own files', () => {
    const ways = ['dataplane/storefront/main.ts', 'operator/console/page/sale.html'].map((to) =>
      moduleOf('operator/local/x.ts', `const x = join(root, '${to}');`),
    );
    expect(wrongPaths(ways)).toEqual([]);
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
