// A Vitest reporter: how long each test file took, with its hooks and its imports, appended to the file that FLASHSALE_TIMES
// names. (Vitest's JSON report leaves the hooks out, and in them servers start.) run-tests.ts prints the slowest files.

import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';
import type { Millis } from '../../dataplane/protocol/units.ts';

export interface FileTime {
  /** As a path from the root of the repository. */
  file: string;
  took: Millis;
}

/** `65000` is `1 min 05 s`. */
export function durationText(took: Millis): string {
  const seconds = Math.round(took / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`;
}

/** The text of one line for each of the `count` slowest files, the slowest first. */
export function slowestText(times: readonly FileTime[], count: number): string[] {
  const slowest = [...times].sort((a, b) => b.took - a.took).slice(0, count);
  return slowest.map(({ file, took }) => `${durationText(took).padStart(12)}  ${file}`);
}

/** Reads what the reporter wrote: one FileTime in JSON a line. */
export const parseTimes = (text: string): FileTime[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FileTime);

export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const file = process.env.FLASHSALE_TIMES;
    if (file === undefined) throw new Error('FLASHSALE_TIMES names no file');
    for (const module of modules) {
      const { duration, collectDuration, setupDuration, prepareDuration, environmentSetupDuration } =
        module.diagnostic();
      const took = duration + collectDuration + setupDuration + prepareDuration + environmentSetupDuration;
      appendFileSync(file, `${JSON.stringify({ file: module.relativeModuleId, took } satisfies FileTime)}\n`);
    }
  }
}
