// One repeated step of an agent: runs for ever, never twice at once, at once when woken. A step that fails is tried
// again, slower each time; that is said once, and once that it is over.

import type { Millis } from '../protocol/units.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

const SLOWEST: Millis = 1000;

export interface Loop {
  /** Run the step now; if it is running, once more right after. */
  wake(): void;
  /** After the running step. */
  stop(): Promise<void>;
}

/**
 * `step` answers true when there is more to do at once, or after how long it wants to run again where that is not
 * `every`. `failed` hears of every failure, the log of the first only.
 */
export function startLoop(
  clock: Clock,
  name: string,
  every: Millis,
  log: Logger,
  // biome-ignore lint/suspicious/noConfusingVoidType: most steps have nothing to say.
  step: () => Promise<boolean | Millis | void>,
  failed: (name: string) => void = () => undefined,
): Loop {
  let stopped = false;
  let woken = false;
  let failures = 0;
  let interrupt: (() => void) | undefined;

  const wait = (pause: Millis) =>
    new Promise<void>((resolve) => {
      const cancel = clock.after(pause, resolve);
      interrupt = () => {
        cancel();
        resolve();
      };
    });

  const done = (async () => {
    while (!stopped) {
      woken = false;
      let pause = every;
      try {
        const next = await step();
        if (typeof next === 'number') pause = next;
        else if (next === true) pause = 0;
        if (failures > 0) log.info({ loop: name, failures }, 'works again');
        failures = 0;
      } catch (error) {
        failed(name);
        if (failures++ === 0) log.warn({ err: error, loop: name }, 'a step failed; trying again');
        pause = Math.max(every, Math.min(SLOWEST, 50 * 2 ** Math.min(failures, 5)));
      }
      // Waking does not hurry what fails.
      if (!stopped && !(woken && failures === 0)) await wait(pause);
    }
  })();

  return {
    wake() {
      woken = true;
      if (failures === 0) interrupt?.();
    },
    stop() {
      stopped = true;
      interrupt?.();
      return done;
    },
  };
}
