// One supervisor per data folder. The lock names its holder, so that one left by a killed supervisor is told from a
// live one's.

import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { codeOf } from '../../dataplane/runtime/user-error.ts';
import { PRIVATE_FILE, readIfThere } from './files.ts';
import { alive, type Identity, identify } from './identity.ts';

/** The supervisor that holds the folder, if one lives. */
export function holderOf(lock: string): Identity | undefined {
  try {
    const holder = JSON.parse(readIfThere(lock) ?? 'null') as Identity | null;
    return holder && alive(holder) ? holder : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the lock. Returns a function that gives it back, or undefined when another process holds it. */
export function takeLock(lock: string): (() => void) | undefined {
  const self = identify(process.pid);
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, JSON.stringify(self), { mode: PRIVATE_FILE });
  try {
    // A link is made whole or not at all, and never over an existing one.
    for (let attempts = 0; attempts < 10; attempts++) {
      try {
        linkSync(mine, lock);
        return () => rmSync(lock, { force: true });
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      if (holderOf(lock)) return undefined;
      removeStale(lock, `${mine}.stale`);
    }
    return undefined;
  } finally {
    rmSync(mine, { force: true });
  }
}

/** Moved aside before it is removed: if another starter was faster and the lock is its own now, it goes back. */
function removeStale(lock: string, aside: string): void {
  try {
    renameSync(lock, aside);
    if (holderOf(aside)) linkSync(aside, lock);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}
