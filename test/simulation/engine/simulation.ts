// A discrete-event simulator for code that awaits promises. One event runs at a time; then everything that can go on
// because of it goes on until every process waits again; then the invariants are checked. Time, order, latency and
// failure come from the seed alone, so the same seed gives the same run.

import type { Millis } from '../../../dataplane/protocol/units.ts';
import type { Cancel } from '../../../dataplane/runtime/clock.ts';
import { type Event, EventQueue } from './queue.ts';
import type { Random } from './random.ts';
import { Story } from './story.ts';

/** The share of all calls to which each of these happens. */
export interface Faults {
  /** The request is lost. */
  lost: number;
  /** It was carried out, and the answer is lost. */
  unanswered: number;
  /** It is carried out after the caller gave up. */
  late: number;
  /** It is carried out twice; the caller gets the first answer. */
  repeated: number;
  /** The share of late ones among the calls of single methods, where it is another one; those may be seconds late. */
  held?: Readonly<Record<string, number>>;
}

export const NO_FAULTS: Faults = { lost: 0, unanswered: 0, late: 0, repeated: 0 };

export class Simulation {
  now: Millis = 0;
  steps = 0;
  /** How many processes there ever were. */
  processes = 0;
  readonly random: Random;
  readonly story = new Story();
  /** How much slower than usual everything answers. */
  slowness = 1;
  faults: Faults = NO_FAULTS;
  /** Runs after every event. It throws what must never be. */
  check: () => void = () => undefined;
  readonly #queue = new EventQueue();
  #failure: { error: unknown } | undefined;

  constructor(random: Random) {
    this.random = random;
  }

  /** `quiet`: no process can go on because of it. What `run` answers is awaited when it is a promise. */
  after(delay: Millis, run: () => unknown, quiet = false): Cancel {
    const event: Event = this.#queue.add(this.now + delay, run, quiet);
    return () => {
      event.run = undefined;
    };
  }

  /** Ends the run: the first error that is told of counts. */
  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  note(who: string, what: string, details?: unknown): void {
    this.story.note(this.now, who, what, details);
  }

  /** Rejects with what a check threw, with what a process failed of, and with what nobody handled. */
  async run(until: Millis): Promise<void> {
    const unhandled = (error: unknown) => this.fail(error);
    process.on('unhandledRejection', unhandled);
    try {
      for (let event = this.#queue.next(until); event; event = this.#queue.next(until)) {
        this.now = event.at;
        this.steps++;
        const pending = event.run?.();
        if (pending instanceof Promise) await pending;
        if (!event.quiet) await stillness();
        if (this.#failure) throw this.#failure.error;
        this.check();
      }
      this.now = until;
    } finally {
      process.off('unhandledRejection', unhandled);
    }
  }

  latency(): Millis {
    const usual = this.random.chance(0.02) ? 5 + this.random.next() * 40 : 0.3 + this.random.next() * 1.5;
    return usual * this.slowness;
  }

  /** How long a caller of a store waits for its answer. */
  get timeout(): Millis {
    return 100 + 20 * this.slowness;
  }
}

/** Resolves when no promise has anything left to do: an immediate runs after all of them. */
const stillness = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
