// Takes a sentence back in a file that ships: its text is patched when it is imported. To be called before anything
// imports the file.

import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Mutation } from './mutations.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Throws when a text does not occur exactly once: the file has changed, and the mutation is to follow it. */
export function patched(text: string, { file, patch }: Mutation): string {
  let changed = text;
  for (const [find, replace] of patch) {
    const parts = changed.split(find);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, not once: ${find}`);
    changed = parts.join(replace);
  }
  return changed;
}

export function patchOnImport(mutation: Mutation): void {
  const wanted = pathToFileURL(resolve(ROOT, mutation.file)).href;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      if (url !== wanted) return loaded;
      return { ...loaded, source: patched(String(loaded.source), mutation) };
    },
  });
}
