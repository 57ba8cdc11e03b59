// What is to be looked at, by key. A key waits at most once however often it is added, is never worked on twice at
// once, and after a failure is tried again later each time. Knows nothing about what the keys mean.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Backoff } from '../../dataplane/runtime/backoff.ts';
import { jitteredBackoff } from './backoff.ts';
import { KubeError } from './errors.ts';

export interface WorkQueue {
  /** Now, or as soon as there is a place; a key that is being worked on is so once more afterwards. */
  add(key: string): void;
  /** Adds the key when `delay` is over, unless something else adds it before. Of several delays the earliest counts. */
  addAfter(key: string, delay: Millis): void;
  /** Keys that wait for a place; neither those being worked on nor those of later. */
  readonly length: number;
  /** Begins nothing more, and waits for what is being worked on. */
  stop(): Promise<void>;
}

export interface QueueOptions {
  /** Does the work for one key. `again`: the key is added after that time in any case; a later result replaces it. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most work has nothing to say.
  work(key: string): Promise<{ again?: Millis } | void>;
  /** Keys worked on at once, at most. */
  concurrency: number;
  /** Is called for each failure, with the time until the next try. */
  failed(key: string, error: unknown, retryIn: Millis): void;
  /** The waits after failures: about `first` after one, doubled by each further one in a row, up to `longest`. */
  timing?: Partial<Backoff> | undefined;
}

const TIMING: Backoff = { first: 200, longest: 60_000 };
/** Timers of Node know no longer time, and fire at once for one. To look early does no harm. */
const LONGEST_TIMER: Millis = 2 ** 31 - 1;

const after = (delay: Millis, then: () => void) => setTimeout(then, Math.min(delay, LONGEST_TIMER));

/** What is remembered of a key that is not simply at rest. */
interface Entry {
  running: boolean;
  failures: number;
  /** The timer of the next try, or of `again`. Each look at the key sets it anew. */
  next?: NodeJS.Timeout | undefined;
  /** The timer that addAfter has set. */
  alarm?: { at: Millis; timer: NodeJS.Timeout } | undefined;
}

export function startQueue({ work, concurrency, failed, timing }: QueueOptions): WorkQueue {
  const backoffs = { ...TIMING, ...timing };
  const entries = new Map<string, Entry>();
  /** The keys that wait, in order; keys that are being worked on and were added again are among them. */
  const waiting = new Set<string>();
  const running = new Set<Promise<void>>();
  let stopped = false;

  const entryOf = (key: string): Entry => {
    const entry = entries.get(key) ?? { running: false, failures: 0 };
    entries.set(key, entry);
    return entry;
  };
  /** So that a name that comes once is not remembered for ever. */
  const forgetIfAtRest = (key: string, { running, failures, next, alarm }: Entry) => {
    if (!running && failures === 0 && !next && !alarm && !waiting.has(key)) entries.delete(key);
  };

  const look = async (key: string, entry: Entry) => {
    entry.running = true;
    clearTimeout(entry.next);
    entry.next = undefined;
    let again: Millis | undefined;
    try {
      again = (await work(key))?.again;
      entry.failures = 0;
    } catch (error) {
      again = jitteredBackoff(++entry.failures, backoffs, Math.random());
      if (error instanceof KubeError) again = Math.max(again, error.retryAfter ?? 0);
      if (!stopped) failed(key, error, again);
    }
    entry.running = false;
    if (again !== undefined && !stopped) entry.next = after(again, () => add(key));
    forgetIfAtRest(key, entry);
  };

  const fill = () => {
    if (stopped) return;
    for (const key of waiting) {
      if (running.size >= concurrency) return;
      const entry = entryOf(key);
      if (entry.running) continue;
      waiting.delete(key);
      const done: Promise<void> = look(key, entry).finally(() => {
        running.delete(done);
        fill();
      });
      running.add(done);
    }
  };

  const add = (key: string) => {
    if (stopped) return;
    waiting.add(key);
    fill();
  };

  return {
    add,
    addAfter(key, delay) {
      if (stopped) return;
      const entry = entryOf(key);
      const at = performance.now() + delay;
      if (entry.alarm && entry.alarm.at <= at) return;
      clearTimeout(entry.alarm?.timer);
      const timer = after(delay, () => {
        entry.alarm = undefined;
        add(key);
      });
      entry.alarm = { at, timer };
    },
    get length() {
      return [...waiting].filter((key) => !entries.get(key)?.running).length;
    },
    async stop() {
      stopped = true;
      waiting.clear();
      for (const { next, alarm } of entries.values()) {
        clearTimeout(next);
        clearTimeout(alarm?.timer);
      }
      await Promise.all(running);
    },
  };
}
