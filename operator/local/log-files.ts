// Keeps the log files of a data folder bounded. The processes write to their files themselves, so a file that has
// grown is copied aside and emptied in place: they append, and go on at its new end.

import { copyFileSync, readdirSync, renameSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { Millis } from '../../dataplane/protocol/units.ts';

const LARGEST = 16 * 1024 * 1024;
/** Older ones beside the current file: `x.log.1` is newer than `x.log.2`. */
const KEPT = 2;
const EVERY: Millis = 5_000;

/** Returns a stop function. */
export function boundLogs(folder: string, largest: number = LARGEST, every: Millis = EVERY): () => void {
  const timer = setInterval(() => {
    try {
      rotateAll(folder, largest);
    } catch {
      // A full disk, or somebody tidies up: no reason to end a supervisor. The next time may go better.
    }
  }, every);
  timer.unref();
  return () => clearInterval(timer);
}

export function rotateAll(folder: string, largest: number = LARGEST): void {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    if (name.endsWith('.log') && statSync(file).size > largest) rotate(file);
  }
}

function rotate(file: string): void {
  for (let n = KEPT - 1; n >= 1; n--) {
    if (statSync(`${file}.${n}`, { throwIfNoEntry: false })) renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  }
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
}
