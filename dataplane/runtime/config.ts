// Reads a sale's configuration and secrets, and tells when the configuration was edited. The file is replaced as a
// whole (rename, or a ConfigMap's symlink), so it is polled by content: there is no watcher that could miss a symlink's
// swap.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { SaleConfig } from '../protocol/config.ts';
import type { Millis } from '../protocol/units.ts';
import type { Logger } from './log.ts';

export const readConfig = (file: string): SaleConfig => JSON.parse(readFileSync(file, 'utf8')) as SaleConfig;

/** Returns one of the sale's secrets, by its name in dataplane/protocol/config.ts. Throws when there is none. */
export type Secret = (name: string) => string;

export const secretsIn =
  (folder: string): Secret =>
  (name) =>
    readSecret(folder, name);

/** Reads one secret. Throws with the file's name (never its content) when it is missing or empty. */
function readSecret(folder: string, name: string): string {
  const value = readFileSync(join(folder, name), 'utf8').trim();
  if (value === '') throw new Error(`secret ${name} is empty`);
  return value;
}

/**
 * Calls `changed` with every content that differs from the last one, which is `config` at first. While the file cannot
 * be read or taken up, the last content stays, and the file is tried again. Returns a function that stops the watching.
 */
export function watchConfig(
  { config, configFile: file, log }: { config: SaleConfig; configFile: string; log: Logger },
  changed: (config: SaleConfig) => void,
  every: Millis = 500,
): () => void {
  let last = config;
  let seen: string | undefined;
  let failing: string | undefined;
  const timer = setInterval(() => {
    try {
      const text = readFileSync(file, 'utf8');
      if (text === seen) return;
      const edited = JSON.parse(text) as SaleConfig;
      if (!isDeepStrictEqual(edited, last)) changed(edited);
      [last, seen, failing] = [edited, text, undefined];
    } catch (error) {
      const why = String(error);
      if (why !== failing) log.warn({ err: error }, 'the configuration cannot be taken up; going on with the last one');
      failing = why;
    }
  }, every);
  timer.unref();
  return () => clearInterval(timer);
}
