// Which modules a TypeScript file imports, and which files it names by their paths. Pure: takes text, returns plain data; resolves nothing on disk.

import { posix } from 'node:path';
import { parseSync, Visitor } from 'oxc-parser';
import { namedPaths } from './named-paths.ts';

export interface Import {
  /** A file of ours as a path from the repository's root, or a package or `node:` name as written. */
  target: string;
  /** `import type`: gone when the program runs. */
  typeOnly: boolean;
}

export interface Module {
  /** Path from the repository's root. */
  file: string;
  imports: Import[];
  /** What it reaches by a path instead, as paths from the root; `*` stands for a part that is known at run time only. */
  paths: string[];
}

/** Throws when `source` does not parse: a file that cannot be read must not pass for one without imports. */
export function moduleOf(file: string, source: string): Module {
  const { program, errors } = parseSync(file, source);
  const broken = errors.find((error) => error.severity === 'Error');
  if (broken !== undefined) throw new SyntaxError(`${file}: ${broken.message}`);
  const imports: Import[] = [];
  const add = (specifier: unknown, typeOnly: boolean) => {
    // A name put together at run time cannot be judged here.
    if (typeof specifier === 'string') imports.push({ target: targetOf(file, specifier), typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value, node.importKind === 'type'),
    ExportNamedDeclaration: (node) => add(node.source?.value, node.exportKind === 'type'),
    ExportAllDeclaration: (node) => add(node.source.value, node.exportKind === 'type'),
    ImportExpression: (node) => add(node.source.type === 'Literal' ? node.source.value : undefined, false),
    TSImportType: (node) => add(node.source.value, true),
  }).visit(program);
  return { file, imports, paths: namedPaths(file, program) };
}

function targetOf(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier;
}
