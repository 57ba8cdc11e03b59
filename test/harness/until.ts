// Waiting on a condition instead of sleeping: asks until the answer is neither undefined nor false, within a
// deadline that is generous, because it bounds a failure and measures nothing.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../dataplane/protocol/units.ts';

export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  deadline: Millis = 60_000,
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + deadline;
  for (let wait = 10; ; wait = Math.min(50, wait * 1.2)) {
    const asked = performance.now();
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > end) throw new Error(`did not happen within ${deadline} ms: ${what}`);
    // Who is waited for shares the machine with whoever asks, and a question may be a whole program, such as kubectl.
    await sleep(Math.min(1000, Math.max(wait, 4 * (performance.now() - asked))));
  }
}
