// The data folder of one sale: what lies where. Only paths, and making the folders; all of it for its owner alone.

import { accessSync, chmodSync, constants, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf, UserError } from '../../dataplane/runtime/user-error.ts';
import { PRIVATE_FOLDER } from './files.ts';

export interface DataFolder {
  path: string;
  /** What the supervisor must remember: resource, generation, ports. */
  state: string;
  /** The configuration that every role reads. */
  config: string;
  secrets: string;
  /** Passwords that no role may have. */
  admin: string;
  lists: string;
  logs: string;
  run: string;
  /** A Unix socket: status, apply, stop. */
  control: string;
  lock: string;
  /** What the server keeps. */
  redis(node: string): string;
  postgres: string;
  kafka: string;
}

/** A Unix socket's path has room for 107 bytes on Linux, 103 elsewhere. */
const LONGEST_SOCKET = 103;

export function dataFolder(path: string): DataFolder {
  const folder = resolve(path);
  const at = (...parts: string[]) => join(folder, ...parts);
  return {
    path: folder,
    state: at('state.json'),
    config: at('config.json'),
    secrets: at('secrets'),
    admin: at('admin'),
    lists: at('lists'),
    logs: at('logs'),
    run: at('run'),
    control: at('control.sock'),
    lock: at('run', 'supervisor.lock'),
    redis: (node) => at(`redis-${node}`),
    postgres: at('postgres'),
    kafka: at('kafka'),
  };
}

/** The folder in which sales live when nobody names another. */
export const salesFolder = (): string =>
  join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'flashsale');

export const defaultFolder = (namespace: string, name: string): string => join(salesFolder(), `${namespace}.${name}`);

/** What may lie in a data folder. A folder with anything else in it is somebody's, and is neither taken nor removed. */
const OURS =
  /^(state\.json|config\.json|secrets|admin|lists|logs|run|control\.sock|redis-c\d+|postgres|kafka)(\.next)?$/;

const foreignIn = ({ path }: DataFolder): string | undefined =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(path).find((name) => !OURS.test(name))
    : undefined;

/** Removes the folder. Throws `UserError`, and removes nothing, when somebody else's things lie in it. */
export function wipe(folder: DataFolder): void {
  const foreign = foreignIn(folder);
  if (foreign !== undefined)
    throw new UserError(`${folder.path} was not removed: ${foreign} lies in it, which is not ours`);
  rmSync(folder.path, { recursive: true, force: true });
}

/** Makes what is missing. Throws `UserError` when the folder cannot be ours. */
export function makeDataFolder(folder: DataFolder): void {
  if (Buffer.byteLength(folder.control) > LONGEST_SOCKET)
    throw new UserError(
      `the data folder's path is too long for a Unix socket; choose a shorter one than ${folder.path} with --data`,
    );
  const foreign = foreignIn(folder);
  if (foreign !== undefined)
    throw new UserError(
      `${folder.path} is no data folder of a sale: ${foreign} lies in it; choose an empty folder with --data`,
    );
  try {
    for (const path of [folder.path, folder.secrets, folder.admin, folder.lists, folder.logs, folder.run]) {
      mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
      chmodSync(path, PRIVATE_FOLDER);
    }
    accessSync(folder.path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new UserError(
      `cannot use the data folder ${folder.path}: ${messageOf(error)}; choose another one with --data`,
    );
  }
}
