// Ends a process and everything it started, grandchildren in sessions of their own included. Reads /proc, so only
// Linux has descendants here; elsewhere the process itself is ended. Never signals a process it did not find below
// the one it was given.

import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface Proc {
  pid: number;
  parent: number;
  /** Start time in clock ticks since boot; with the pid it names one process for ever. */
  started: string;
}

function procOf(pid: number): Proc | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, and may hold anything: count from behind its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z') return undefined;
    return { pid, parent: Number(fields[1]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

function processes(): Proc[] {
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return [];
  }
  return names.flatMap((name) => (/^\d+$/.test(name) ? (procOf(Number(name)) ?? []) : []));
}

function below(root: number): Proc[] {
  const all = processes();
  const found = all.filter((p) => p.pid === root);
  for (const parent of found) found.push(...all.filter((p) => p.parent === parent.pid));
  return found;
}

const alive = (p: Proc) => procOf(p.pid)?.started === p.started;

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended in the meantime, which is what was wanted.
  }
}

/** Asks the processes to end with SIGTERM; what is still there after `graceMs` gets SIGKILL. Resolves when all of it is gone. */
export async function stopTree(root: number, graceMs: number): Promise<void> {
  const tree = below(root);
  for (const p of tree) signal(p.pid, 'SIGTERM');
  if (tree.length === 0) signal(root, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (tree.some(alive) && Date.now() < deadline) await sleep(50);
  for (const p of tree.filter(alive)) signal(p.pid, 'SIGKILL');
}

/** Ends all that this process has started, and leaves this process itself. */
export const stopChildren = (graceMs: number): Promise<unknown> =>
  Promise.all(
    processes()
      .filter((p) => p.parent === process.pid)
      .map(({ pid }) => stopTree(pid, graceMs)),
  );
