// Starts the supervisor of a data folder as a process that outlives its starter, and finds one that runs already.

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import { type Control, control, NotRunning } from './control.ts';
import { type DataFolder, makeDataFolder } from './data-folder.ts';
import { PRIVATE_FILE } from './files.ts';
import { stopOrphans } from './fleet.ts';
import { holderOf } from './lock.ts';
import { end } from './process.ts';

const MAIN = join(import.meta.dirname, 'main.ts');
const START_TIMEOUT: Millis = 60_000;

/** The running supervisor's control, or that of a new one. */
export async function reachSupervisor(folder: DataFolder): Promise<Control> {
  const daemon = holderOf(folder.lock) ? undefined : startDaemon(folder);
  const reached = control(folder.control);
  const deadline = Date.now() + START_TIMEOUT;
  for (;;) {
    try {
      await reached.status();
      return reached;
    } catch (error) {
      if (!(error instanceof NotRunning)) throw error;
      // Another one may have been faster; then ours has ended, and the other one answers soon.
      const ended = daemon?.exitCode !== null && daemon !== undefined && !holderOf(folder.lock);
      if (ended || Date.now() > deadline)
        throw new UserError(`the supervisor did not start: ${lastLine(logOf(folder))}`);
    }
    await sleep(50);
  }
}

const logOf = (folder: DataFolder): string => join(folder.logs, 'supervisor.log');

function startDaemon(folder: DataFolder): ChildProcess {
  makeDataFolder(folder);
  const output = openSync(logOf(folder), 'a', PRIVATE_FILE);
  // In a session of its own: it stays when the terminal goes.
  const child = spawn(process.execPath, [MAIN, '--data', folder.path], {
    detached: true,
    cwd: folder.path,
    stdio: ['ignore', output, output],
  });
  child.unref();
  closeSync(output);
  return child;
}

const lastLine = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').at(-1) ?? '';
  } catch {
    return `see ${file}`;
  }
};

/**
 * Ends the supervisor and every process of the sale, in order, whatever state they are in. Answers whether anything
 * ran.
 */
export async function stopSale(folder: DataFolder): Promise<boolean> {
  const holder = holderOf(folder.lock);
  if (holder) {
    try {
      await control(folder.control).stop();
    } catch {
      // It does not listen (any more): asked by signal, it does the same; and if it cannot, its processes are left.
    }
    await end(holder, { signal: 'SIGTERM', grace: 60_000 });
  }
  const orphans = await stopOrphans(folder);
  return holder !== undefined || orphans.length > 0;
}
