import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { stopTree } from '../../../hack/lib/process-tree.ts';

/** Ended, if perhaps not yet collected by init. */
function gone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return true;
  }
}

test.runIf(process.platform === 'linux')(
  'stops a process, and grandchildren that went into a session of their own and ignore SIGTERM',
  async () => {
    const script = `setsid bash -c 'trap "" TERM; echo $$; while :; do sleep 1; done' & wait`;
    const parent = spawn('bash', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const grandchild = Number(line.toString());
    onTestFinished(() => {
      if (!gone(grandchild)) process.kill(grandchild, 'SIGKILL');
    });
    expect(gone(grandchild)).toBe(false);

    await stopTree(parent.pid ?? 0, 200);
    await expect.poll(() => gone(grandchild)).toBe(true);
    expect(parent.signalCode ?? parent.exitCode).not.toBeNull();
  },
);
