// The data of a PostgreSQL server that has never run, made once for each version and kept in our cache: a copy takes a
// tenth of the time that initdb takes, and most tests start a server.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheFolder, findTools } from '../../operator/local/tools.ts';
import { INITDB } from '../../operator/topology/postgres-settings.ts';

const { postgresBin: bin, postgresUser: user } = findTools({ kafka: false });
export const POSTGRES_BIN = bin;
/** PostgreSQL refuses to run as root: then the server runs as the system user `postgres`. */
export const POSTGRES_USER = user ?? {};

const own = (path: string): void => (user ? chownSync(path, user.uid, user.gid) : undefined);

/** Shares the blocks where the file system can; PostgreSQL refuses a folder of another owner or mode. */
const copyTree = (from: string, to: string): void =>
  void execFileSync('cp', ['--archive', '--reflink=auto', from, to], { stdio: ['ignore', 'ignore', 'pipe'] });

/** Makes `data` in the folder, which becomes the server's. Answers the superuser's password. */
export function makeFirstData(folder: string): string {
  const kept = keptData();
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  own(folder);
  copyTree(join(kept, 'data'), join(folder, 'data'));
  return readFileSync(join(kept, 'password'), 'utf8');
}

function keptData(): string {
  const version = execFileSync(join(bin, 'postgres'), ['--version'], { encoding: 'utf8' }).trim();
  const kept = join(cacheFolder(), `first-data-${version.replaceAll(/[^\w.]+/g, '-')}-${user?.uid ?? 'own'}`);
  if (existsSync(kept)) return kept;
  // The system user may not enter the cache, so it is made elsewhere and copied.
  const made = mkdtempSync(join(tmpdir(), 'flashsale-initdb-'));
  const password = join(made, 'password');
  writeFileSync(password, randomBytes(12).toString('hex'), { mode: 0o600 });
  for (const path of [made, password]) own(path);
  mkdirSync(cacheFolder(), { recursive: true });
  const unfinished = mkdtempSync(`${kept}.new-`);
  try {
    const places = ['-D', join(made, 'data'), '--pwfile', password];
    execFileSync(join(bin, 'initdb'), [...places, ...INITDB, '--no-sync'], {
      ...POSTGRES_USER,
      cwd: made,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    for (const name of ['password', 'data']) copyTree(join(made, name), join(unfinished, name));
    renameSync(unfinished, kept);
  } catch (error) {
    // Another file of tests may have made it at the same time.
    if (!existsSync(kept)) throw error;
  } finally {
    for (const path of [made, unfinished]) rmSync(path, { recursive: true, force: true });
  }
  return kept;
}
