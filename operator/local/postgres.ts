// The sale's one PostgreSQL server on this machine: how it is started (pure; its settings are every driver's), and the
// making of its data folder, which is idempotent.

import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Address } from '../../dataplane/protocol/config.ts';
import { INITDB, serverArguments } from '../topology/postgres-settings.ts';
import { PRIVATE_FILE, PRIVATE_FOLDER } from './files.ts';
import type { Tools } from './tools.ts';

/**
 * The server gets its folder as an open file descriptor and reaches it by this name: when it runs as another user
 * (root's servers do), the folders above stay closed to that user.
 */
const HANDED_OVER = '/proc/self/fd/3';

/** The memory for pages, for all databases of a sale together. */
const SHARED_BUFFERS = '256MB';

export interface PostgresServer extends Address {
  /** Everything the server keeps is in `data` below it. */
  folder: string;
  /** The most connections of all roles together. */
  connections: number;
}

const seenBy = (server: PostgresServer, user: Tools['postgresUser']): string => (user ? HANDED_OVER : server.folder);

export function postgresArguments(server: PostgresServer, user: Tools['postgresUser']): string[] {
  const { host: listen, port, connections } = server;
  return serverArguments({
    data: join(seenBy(server, user), 'data'),
    listen,
    port,
    connections,
    sharedBuffers: SHARED_BUFFERS,
  });
}

/** Makes the data folder, unless there is one. Cut off half-way, it begins anew. */
export async function initialize(
  server: PostgresServer,
  tools: Tools,
  password: string,
  signal: AbortSignal,
): Promise<void> {
  const { folder } = server;
  const user = tools.postgresUser;
  const own = (path: string) => (user ? chownSync(path, user.uid, user.gid) : undefined);
  mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
  chmodSync(folder, PRIVATE_FOLDER);
  own(folder);
  if (existsSync(join(folder, 'data'))) return;
  const unfinished = join(folder, 'data.unfinished');
  const passwordFile = join(folder, 'password');
  rmSync(unfinished, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: PRIVATE_FILE });
  own(passwordFile);
  const inside = seenBy(server, user);
  try {
    await run(
      join(tools.postgresBin, 'initdb'),
      [...['-D', join(inside, 'data.unfinished'), '--pwfile', join(inside, 'password')], ...INITDB],
      folder,
      user,
      signal,
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(unfinished, join(folder, 'data'));
}

/** Resolves on success, rejects with the last line it said. `folder` is handed over as file descriptor 3. */
function run(
  command: string,
  args: string[],
  folder: string,
  user: Tools['postgresUser'],
  signal: AbortSignal,
): Promise<void> {
  const handle = openSync(folder, 'r');
  return new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', signal, stdio: ['ignore', 'ignore', 'pipe', handle], ...user });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(said.trim().split('\n').at(-1) || `${command} ended with ${code}`)),
    );
  }).finally(() => closeSync(handle));
}
