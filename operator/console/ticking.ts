// Does the same work again and again, one at a time, until it is stopped. A failure is told when it begins, not every
// time, and ends nothing.

import type { Millis } from '../../dataplane/protocol/units.ts';

/** Starts at once; `period` is from one beginning to the next, or to the end of the work if that takes longer. */
export function startTicking(work: () => Promise<void>, period: Millis, failed: (error: unknown) => void): () => void {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let failing = false;
  const turn = async () => {
    const began = performance.now();
    try {
      await work();
      failing = false;
    } catch (error) {
      if (!failing && !stopped) failed(error);
      failing = true;
    }
    if (!stopped) timer = setTimeout(turn, Math.max(0, began + period - performance.now()));
  };
  void turn();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
