// Files that are whole or not there, for their owner alone: written beside the place and renamed into it.

import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf, messageOf, UserError } from '../../dataplane/runtime/user-error.ts';

export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;

export function writeWhole(path: string, content: string, mode: number = PRIVATE_FILE): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  const next = `${path}.next`;
  writeFileSync(next, content, { mode });
  // A file of that name left over from before keeps its own mode.
  chmodSync(next, mode);
  renameSync(next, path);
}

/** Writes what is to survive a crash of the machine: it is on the disk when this returns. */
export function writeDurably(path: string, content: string): void {
  writeWhole(path, content);
  for (const written of [path, dirname(path)]) {
    const handle = openSync(written, 'r');
    fsyncSync(handle);
    closeSync(handle);
  }
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** A file a person named; `-` is standard input. Throws `UserError`. */
export function readText(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    const why = { ENOENT: 'there is no such file', EISDIR: 'it is a folder', EACCES: 'you may not read it' }[
      codeOf(error) ?? ''
    ];
    throw new UserError(`cannot read ${path}: ${why ?? messageOf(error)}`);
  }
}
