// Files that are whole or not there, for their owner alone: written beside the place and renamed into it.

import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { codeOf } from './errors.ts';

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

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
