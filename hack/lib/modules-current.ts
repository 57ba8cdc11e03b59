// Exits 0 when node_modules holds exactly what package-lock.json names, 1 otherwise. Compares npm's two records of
// it and nothing else: never reads the packages themselves, never changes anything.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Entry {
  version?: string;
  integrity?: string;
  /** The package is not installed on a machine that it is not for. */
  optional?: boolean;
  devOptional?: boolean;
}
type Packages = Record<string, Entry>;

const root = join(import.meta.dirname, '..', '..');
const packagesOf = (file: string): Packages => {
  const { packages } = JSON.parse(readFileSync(join(root, file), 'utf8')) as { packages: Packages };
  return Object.fromEntries(Object.entries(packages).filter(([path]) => path !== ''));
};

const wanted = packagesOf('package-lock.json');
const installed = packagesOf('node_modules/.package-lock.json');
const same = (a: Entry | undefined, b: Entry | undefined) => a?.version === b?.version && a?.integrity === b?.integrity;

const current =
  Object.entries(wanted).every(([path, entry]) =>
    path in installed ? same(entry, installed[path]) : entry.optional === true || entry.devOptional === true,
  ) && Object.keys(installed).every((path) => path in wanted);
process.exitCode = current ? 0 : 1;
