// Reads the Lua scripts of dataplane/stores/cache-node/lua. A line `-- include <name>` puts another file at the
// script's start, in the order of the lines. Scripts are named by the SHA-1 of what is sent, so that two versions of
// this program can share a node.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface LuaScript {
  lua: string;
  sha: string;
}

const text = (name: string): string => readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');

/** Removes the comments, which are for readers of the files, so that what is sent is short. */
const withoutComments = (lua: string): string => lua.replace(/^--.*\n/gm, '');

export function luaScript(name: string): LuaScript {
  const own = text(name);
  const included = [...own.matchAll(/^-- include (\w+)$/gm)].map(([, file]) => text(file ?? ''));
  const lua = withoutComments([...included, own].join('\n'));
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}
