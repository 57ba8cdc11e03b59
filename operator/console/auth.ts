// Who may look. A console shows what a business sells and how its machines stand, so it is open to everybody only where
// nobody else can reach it. Secrets are files, read again at every request: one that is exchanged counts at once.

import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';

export type ConsoleAuth =
  | { kind: 'none' }
  /** The browser asks for user and password. */
  | { kind: 'basic'; user: string; passwordFile: string }
  /** The bearer token, for a proxy or script in front that sends `Authorization: Bearer …` itself. */
  | { kind: 'bearer'; tokenFile: string };

export interface Guard {
  /** Whether a request with this Authorization header may be answered. */
  admits(authorization: string | undefined): boolean;
  /** What is asked for, for WWW-Authenticate, and in words. */
  challenge: string;
  asks: string;
}

/** Returns the check of a request; undefined: everybody is admitted. Throws when the secret cannot be read, so that a console never starts open by mistake. */
export function guardOf(auth: ConsoleAuth): Guard | undefined {
  if (auth.kind === 'none') return undefined;
  const file = auth.kind === 'basic' ? auth.passwordFile : auth.tokenFile;
  readSecretFile(file);
  const credentials = (secret: string) =>
    auth.kind === 'basic' ? Buffer.from(`${auth.user}:${secret}`).toString('base64') : secret;
  return {
    admits(authorization = '') {
      const [, scheme = '', given = ''] = /^(\S+) +(\S+)$/.exec(authorization) ?? [];
      if (scheme.toLowerCase() !== auth.kind) return false;
      try {
        return equal(given, credentials(readSecretFile(file)));
      } catch {
        // The file is being exchanged, or gone: nobody is let in by that.
        return false;
      }
    },
    challenge: `${auth.kind === 'basic' ? 'Basic' : 'Bearer'} realm="flashsale console", charset="UTF-8"`,
    asks: auth.kind === 'basic' ? 'a user and a password' : 'a bearer token',
  };
}

function readSecretFile(file: string): string {
  const secret = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  if (secret === '') throw new Error(`the console's secret is empty: ${file}`);
  return secret;
}

/** Takes as long whatever is given: digests are of one length. */
const equal = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
