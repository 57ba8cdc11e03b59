// Which files and folders of ours a TypeScript program names by their paths: from its own place
// (`new URL('../x.sql', import.meta.url)`, `join(import.meta.dirname, '..')`, and constants made of such), or from the
// root (`'dataplane/shard-agent/main.ts'`). Pure; resolves nothing on disk.

import { posix } from 'node:path';
import { type Argument, type Expression, type Program, Visitor } from 'oxc-parser';

/** `from: 'file'` when it starts at the program's own place, and is a path from the root then. */
interface Part {
  from: 'file' | 'text';
  path: string;
}

const UNKNOWN: Part = { from: 'text', path: '*' };
/** A text that begins with one of our folders and goes on. */
const FROM_ROOT = /^(?:crds|operator|dataplane|charts|test|hack|docs)\/[\w./*-]+$/;

/** Each path once, from the root, in the order in which they stand in the file. */
export function namedPaths(file: string, program: Program): string[] {
  const constants = new Map<string, Part>();
  const found: string[] = [];

  function partOf(node: Expression | Argument): Part {
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'string' ? { from: 'text', path: node.value } : UNKNOWN;
      case 'TemplateLiteral':
        return { from: 'text', path: node.quasis.map(({ value }) => value.cooked ?? '').join('*') };
      case 'Identifier':
        return constants.get(node.name) ?? UNKNOWN;
      case 'MemberExpression':
        return memberOf(node.object, node.property.type === 'Identifier' ? node.property.name : '');
      case 'CallExpression':
        return callOf(node.callee, node.arguments.map(partOf));
      case 'NewExpression':
        return node.callee.type === 'Identifier' && node.callee.name === 'URL'
          ? urlOf(node.arguments.map(partOf))
          : UNKNOWN;
      default:
        return UNKNOWN;
    }
  }

  function memberOf(object: Expression, property: string): Part {
    if (object.type === 'MetaProperty' && property === 'dirname') return { from: 'file', path: posix.dirname(file) };
    if (object.type === 'MetaProperty') return { from: 'file', path: file };
    // `.pathname` and `.href` of a URL are where it is.
    return property === 'pathname' || property === 'href' ? partOf(object) : UNKNOWN;
  }

  function callOf(callee: Expression, parts: Part[]): Part {
    const name =
      callee.type === 'MemberExpression' && 'name' in callee.property ? callee.property.name : nameOf(callee);
    const [first = UNKNOWN] = parts;
    if (name === 'join' || name === 'resolve') return joined(parts);
    if (name === 'dirname') return { from: first.from, path: posix.dirname(first.path) };
    return name === 'fileURLToPath' || name === 'normalize' ? first : UNKNOWN;
  }

  function urlOf([path = UNKNOWN, base = UNKNOWN]: Part[]): Part {
    const folder = base.path.endsWith('/') ? base.path : posix.dirname(base.path);
    return base.from === 'file' && path.from === 'text' ? joined([{ ...base, path: folder }, path]) : path;
  }

  const note = (part: Part) => {
    const path = part.path.replace(/(?<=.)\/$/, '');
    if (part.from === 'file' || FROM_ROOT.test(path)) found.push(path);
  };

  new Visitor({
    VariableDeclarator: (node) => {
      if (node.id.type !== 'Identifier' || node.init === null) return;
      const part = partOf(node.init);
      if (part.from === 'file') constants.set(node.id.name, part);
    },
    Literal: (node) => note(partOf(node as Expression)),
    TemplateLiteral: (node) => note(partOf(node)),
    CallExpression: (node) => note(partOf(node)),
    NewExpression: (node) => note(partOf(node)),
  }).visit(program);
  return [...new Set(found)];
}

const nameOf = (callee: Expression): string => (callee.type === 'Identifier' ? callee.name : '');

function joined(parts: Part[]): Part {
  const [first = UNKNOWN] = parts;
  return { from: first.from, path: posix.join(...parts.map(({ path }) => path)) };
}
