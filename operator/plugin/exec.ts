// Runs a program in a container of the cluster and waits for its end.

import { once } from 'node:events';
import { PassThrough, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Exec, type KubeConfig, type V1Status } from '@kubernetes/client-node';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { messageOf, UserError } from '../../dataplane/runtime/user-error.ts';

export interface Place {
  namespace: string;
  pod: string;
  container: string;
}

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Throws `UserError` when it cannot be started there, or does not end within `timeout`. With `out`, standard output goes
 * there as it comes, and the result has none.
 */
export async function execIn(
  config: KubeConfig,
  at: Place,
  command: string[],
  timeout: Millis,
  out?: Writable,
): Promise<Ended> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const ended = Promise.withResolvers<V1Status>();
  const socket = await new Exec(config)
    .exec(at.namespace, at.pod, at.container, command, stdout, stderr, null, false, ended.resolve)
    .catch((error: unknown) => {
      throw new UserError(refused(at, error));
    });
  socket.on('error', ended.reject);
  socket.on('close', () => ended.reject(new UserError(`the connection to pod ${at.namespace}/${at.pod} was cut`)));
  const late = setTimeout(
    () => ended.reject(new UserError(`${command.join(' ')} did not end within ${timeout / 1000} s in pod ${at.pod}`)),
    timeout,
  );
  const output = Promise.all([out ? passedOn(stdout, out) : text(stdout), text(stderr)]);
  try {
    const status = await ended.promise;
    const [printed, said] = await output;
    return { code: codeOf(status), stdout: printed, stderr: said };
  } finally {
    clearTimeout(late);
    stdout.end();
    stderr.end();
    socket.terminate();
  }
}

/** Waits for the end without ending `out`, which may be this program's own output. */
async function passedOn(stdout: PassThrough, out: Writable): Promise<string> {
  for await (const piece of stdout) if (!out.write(piece)) await once(out, 'drain');
  return '';
}

/** 0 when it succeeded; what cannot be started at all ends with 127, as in a shell. */
function codeOf(status: V1Status): number {
  if (status.status === 'Success') return 0;
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  return code === undefined ? 127 : Number(code);
}

/** A WebSocket fails with an event that has the message. */
function refused({ namespace, pod }: Place, error: unknown): string {
  const { message: said = messageOf(error) } = error as { message?: string };
  return /\b403\b/.test(said)
    ? `you may not run programs in pods of namespace ${namespace} (create pods/exec), which this command needs; ask whoever runs the operator`
    : `pod ${namespace}/${pod} cannot be reached: ${said}`;
}
