// One repeated step: it runs for ever, never twice at once, and at once when it is woken. A step that fails is tried
// again, slower each time; the log says so once, and once that it is over.

import type { Millis } from '../protocol/units.ts';
import { backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

const AFTER_FAILURE = { first: 100, longest: 1000 };

export interface Loop {
  /** Runs the step now; if it is running, once more right after. */
  wake(): void;
  /** Begins no further step, and resolves after the running one. */
  stop(): Promise<void>;
}

/**
 * `step` answers true when there is more to do at once, or after how long it wants to run again where that is not
 * `every`. `failed` hears of every failure, and how many there were in a row; the log hears of the first only.
 */
export function startLoop(
  clock: Clock,
  name: string,
  every: Millis,
  log: Logger,
  // biome-ignore lint/suspicious/noConfusingVoidType: most steps have nothing to say.
  step: () => Promise<boolean | Millis | void>,
  failed: (name: string, error: unknown, failures: number) => void = () => undefined,
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
        failures++;
        failed(name, error, failures);
        if (failures === 1) log.warn({ err: error, loop: name }, 'a step failed; trying again');
        pause = Math.max(every, backoff(failures, AFTER_FAILURE));
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

/** The same, with `period` from the beginning of one step to the beginning of the next, or to its end if that is later. */
export function startPeriodicLoop(
  clock: Clock,
  name: string,
  period: Millis,
  log: Logger,
  step: () => Promise<void>,
  failed?: (name: string, error: unknown, failures: number) => void,
): Loop {
  const timed = async (): Promise<Millis> => {
    const began = clock.now();
    await step();
    return Math.max(0, began + period - clock.now());
  };
  return startLoop(clock, name, period, log, timed, failed);
}
