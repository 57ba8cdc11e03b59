// The clock that a role is given. Everything that waits or asks for the time takes it as an argument, so that the
// simulation can run the same code in virtual time.

import type { Millis } from '../protocol/units.ts';

/** Ends a timer. It may be called again, and after the timer has run. */
export type Cancel = () => void;

export interface Clock {
  /** The time of a clock that never goes back. */
  now(): Millis;
  /** The time since 1970, which may jump. */
  wall(): Millis;
  /** Resolves after the time has passed, or as soon as the signal is aborted. It never rejects. */
  sleep(time: Millis, signal?: AbortSignal): Promise<void>;
  /** Runs once, after the time has passed. */
  after(time: Millis, run: () => void): Cancel;
  /** Runs again and again. It does not keep a process alive. */
  every(period: Millis, run: () => void): Cancel;
  /** Runs at the end of this turn of the event loop, when everything that arrived in it has been seen. */
  soon(run: () => void): void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  sleep: (time, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, time);
      signal?.addEventListener('abort', done);
    }),
  after(time, run) {
    const timer = setTimeout(run, time);
    return () => clearTimeout(timer);
  },
  every(period, run) {
    const timer = setInterval(run, period).unref();
    return () => clearInterval(timer);
  },
  soon: (run) => void setImmediate(run),
};
