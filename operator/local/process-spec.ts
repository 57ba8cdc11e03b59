// What one process of a sale is: plain data, made by processes.ts, carried out by process.ts.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { Probe } from './probe.ts';

/** Stopping goes stage by stage: nobody takes buyers any more, then nobody works, then nobody stores. */
export const STAGES = ['front', 'agents', 'servers'] as const;
export type Stage = (typeof STAGES)[number];

export interface Stop {
  signal: NodeJS.Signals;
  /** A process that has not ended after this time is sent SIGKILL. */
  grace: Millis;
}

export interface SpecFile {
  path: string;
  content: string;
  /** The file is written only when it is not there. */
  keep: boolean;
}

export interface ProcessSpec {
  /** Unique in the sale: `redis-c0`, `shard-agent-s1`, `storefront-0`, … */
  name: string;
  /** The name for people. */
  title: string;
  stage: Stage;
  command: string;
  args: string[];
  env: Record<string, string>;
  cwd: string;
  /** Another user to run the process as; only root can do that. */
  user?: { uid: number; gid: number };
  /** A folder the process gets open as file descriptor 3. */
  folder?: string;
  /** The files are written before each start. */
  files: SpecFile[];
  /** Is called before each start, after the files are written. It must be idempotent. */
  prepare?: (signal: AbortSignal) => Promise<void>;
  probe: Probe;
  stop: Stop;
  /** The address: a storefront's URL, a server's host and port, the URL of an agent's metrics. */
  address: string;
}

/** Two specs with one fingerprint are the same process: it need not be started again, and may be taken over. */
export function specFingerprint(spec: ProcessSpec): string {
  const { command, args, env, cwd, user, folder, files } = spec;
  const text = JSON.stringify([command, args, env, cwd, user, folder, files.filter((file) => !file.keep)]);
  return fingerprint(text);
}
