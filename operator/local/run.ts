// A supervisor with its socket, until it is stopped: by the socket, by a signal, or by whoever started it.

import { join } from 'node:path';
import { destination, pino } from 'pino';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { serveControl } from './control.ts';
import { type DataFolder, makeDataFolder } from './data-folder.ts';
import { PRIVATE_FILE } from './files.ts';
import type { SiteOptions } from './site.ts';
import { Supervisor } from './supervisor.ts';

export interface RunningSupervisor {
  supervisor: Supervisor;
  /** Idempotent; resolves when every process is gone. */
  stop: () => Promise<void>;
  /** The same, and what an earlier supervisor left runs on. */
  leave: () => Promise<void>;
  /** Resolves when it was stopped, by whomever. */
  stopped: Promise<void>;
}

export async function runSupervisor(path: string, options: SiteOptions): Promise<RunningSupervisor> {
  const supervisor = Supervisor.open(path, options);
  let stopping: Promise<void> | undefined;
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  const end = (how: () => Promise<void>) => {
    stopping ??= how().then(() => {
      for (const name of SIGNALS) process.removeListener(name, onSignal);
      server.close();
      // The answer to the one who asked goes out first.
      setImmediate(resolve);
    });
    return stopping;
  };
  const stop = () => end(() => supervisor.stop());
  const leave = () => end(() => supervisor.leave());
  const onSignal = () => void stop();
  for (const name of SIGNALS) process.on(name, onSignal);
  const server = await serveControl(supervisor.folder.control, supervisor, stop);
  return { supervisor, stop, leave, stopped };
}

/** The log file of a supervisor that shares a terminal with a person. */
export function fileLog(folder: DataFolder): Logger {
  makeDataFolder(folder);
  return pino(
    { base: { role: 'supervisor' } },
    destination({ dest: join(folder.logs, 'supervisor.log'), mode: PRIVATE_FILE }),
  );
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
