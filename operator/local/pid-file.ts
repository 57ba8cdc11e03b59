// What the supervisor writes down of each process it starts, so that whoever comes after it (it may be killed) can
// take the process over or stop it, and never touches a stranger's.

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { readIfThere, writeWhole } from './files.ts';
import type { Identity } from './identity.ts';
import type { Stage, Stop } from './process-spec.ts';

export interface PidRecord extends Identity {
  name: string;
  stage: Stage;
  stop: Stop;
  fingerprint: string;
  startedAt: Millis;
}

export const writePid = (file: string, record: PidRecord): void => writeWhole(file, JSON.stringify(record));

export const forgetPid = (file: string): void => rmSync(file, { force: true });

/** Reads a file. Returns undefined when there is none, or it is not whole: then its process went when the machine did. */
export function readPid(file: string): PidRecord | undefined {
  try {
    return JSON.parse(readIfThere(file) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

export function readPids(folder: string): { file: string; record: PidRecord }[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names
    .filter((name) => name.endsWith('.pid.json'))
    .flatMap((name) => {
      const file = join(folder, name);
      const record = readPid(file);
      return record ? [{ file, record }] : [];
    });
}
