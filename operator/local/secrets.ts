// The sale's secrets as files: made once, kept for the life of the data folder, for their owner alone. Never in a
// log, a configuration file or a command line.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SUPERUSER_SECRET } from '../topology/postgres-settings.ts';
import type { SecretName } from '../topology/topology.ts';
import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeDurably } from './files.ts';

/** base64 for the key (32 bytes, as the protocol wants it), URL-safe for what stands in connection strings. */
const fresh = (encoding: SecretName['encoding']): string => randomBytes(32).toString(encoding);

/** Makes what is missing, and writes the ones the resource itself brings (`given`: by name). */
export function writeSecrets(folder: DataFolder, names: SecretName[], given: ReadonlyMap<string, string>): void {
  const make = (file: string, encoding: SecretName['encoding']) => {
    if (readIfThere(file) === undefined) writeDurably(file, fresh(encoding));
  };
  for (const { name, encoding } of names) make(join(folder.secrets, name), encoding);
  make(join(folder.admin, SUPERUSER_SECRET), 'base64url');
  for (const [name, value] of given) writeDurably(join(folder.secrets, name), value);
}

export function secretOf(folder: DataFolder, name: string): string {
  const value = readIfThere(join(folder.secrets, name));
  if (value === undefined) throw new Error(`there is no secret ${name} in ${folder.secrets}`);
  return value;
}

export function superuserPassword(folder: DataFolder): string {
  const value = readIfThere(join(folder.admin, SUPERUSER_SECRET));
  if (value === undefined) throw new Error(`there is no secret ${SUPERUSER_SECRET} in ${folder.admin}`);
  return value;
}
