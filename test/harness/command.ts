// Runs our programs as a person does: `flashsale` with sales in a folder of the test's own, the kubectl plugin with a
// kubeconfig of the test's own.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface Outcome {
  code: number | null;
  stdout: string;
  /** Without colours, for it is no terminal; one line each, empty ones left out. */
  stderr: string[];
}

const program = (folder: string) => join(import.meta.dirname, '..', '..', 'operator', folder, 'main.ts');

/** `state`: where sales live when nobody says otherwise. */
export function flashsale(state: string, args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const { child, outcome } = startFlashsale(state, args, env);
  child.stdin?.end();
  return outcome;
}

export const startFlashsale = (state: string, args: string[], env: Record<string, string> = {}) =>
  start('cli', args, { XDG_STATE_HOME: state, ...env });

/** `input` comes to `-f -`. */
export function kubectlFlashsale(kubeconfig: string, args: string[], input = ''): Promise<Outcome> {
  const { child, outcome } = start('plugin', args, { KUBECONFIG: kubeconfig });
  child.stdin?.end(input);
  return outcome;
}

function start(folder: string, args: string[], env: Record<string, string>) {
  const child = spawn(process.execPath, [program(folder), ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const outcome = new Promise<Outcome>((resolve) =>
    child.once('close', (code) =>
      resolve({
        code,
        stdout: stdout(),
        stderr: stderr()
          .split('\n')
          .filter((line) => line.trim() !== ''),
      }),
    ),
  );
  return { child, outcome, stderr };
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}
