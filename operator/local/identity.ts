// Which process a process id means. Ids are used again, so an id alone may be a stranger's by the time it is
// signalled; with the moment the process started it names one process for ever. Nothing here signals an id that is
// not proven to be the same process.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Identity {
  pid: number;
  /** Boot and start time as the system tells them; compared, never read. */
  started: string;
}

/** Returns undefined when there is no such process, or only its unreaped remains. */
export function identify(pid: number): Identity | undefined {
  const started = process.platform === 'linux' ? startedOnLinux(pid) : startedByPs(pid);
  return started === undefined ? undefined : { pid, started };
}

export const alive = (identity: Identity): boolean => identify(identity.pid)?.started === identity.started;

/** False when the process has ended; a stranger who has its id now is left alone. */
export function signal(identity: Identity, name: NodeJS.Signals): boolean {
  if (!alive(identity)) return false;
  try {
    return process.kill(identity.pid, name);
  } catch {
    // It ended between the two lines, which is what a signal mostly asks for.
    return false;
  }
}

function startedOnLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses, and may hold anything: count from behind its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    // Ticks since boot: the boot belongs to it.
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

function startedByPs(pid: number): string | undefined {
  try {
    const [state = '', ...started] = execFileSync('ps', ['-o', 'state=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
    })
      .trim()
      .split(/\s+/);
    return state === '' || state.startsWith('Z') ? undefined : started.join(' ');
  } catch {
    return undefined;
  }
}
