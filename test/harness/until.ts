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
  // What takes long is asked for less often: it shares the machine with whoever asks.
  for (let wait = 10; ; wait = Math.min(50, wait * 1.2)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
    if (performance.now() > end) throw new Error(`did not happen within ${deadline} ms: ${what}`);
    await sleep(wait);
  }
}
