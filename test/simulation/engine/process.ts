// One life of a process: it has a clock of its own, and reaches stores over a network that loses, delays and repeats.
// When it ends, its timers are dropped and none of its promises settles any more; what it had already sent may still
// arrive. A stalled process lives, and sees everything late: what a paused machine does.

import type { Millis } from '../../../dataplane/protocol/units.ts';
import type { Bus } from '../../../dataplane/runtime/bus.ts';
import type { Cancel, Clock } from '../../../dataplane/runtime/clock.ts';
import type { Logger } from '../../../dataplane/runtime/log.ts';
import { SchemaMismatch, StoreUnknown, WrongIncarnation } from '../../../dataplane/stores/errors.ts';
import type { BusModel } from '../../models/bus.ts';
import type { Calls } from '../../models/sync.ts';
import { Refused } from '../../models/sync.ts';
import type { Simulation } from './simulation.ts';

/** A store's server: what is behind an address. The model is another one after the store was made anew. */
export interface Server<Model> {
  readonly name: string;
  readonly up: boolean;
  readonly model: Model;
}

export interface Access {
  /** Throws where the store does not let this caller in. */
  admit?: () => void;
  /** The method that is never carried out twice: no connection sends anything twice, and callers name it anew. */
  once?: string;
}

type Outcome = { value: unknown } | { error: unknown };
type Method = (...parameters: unknown[]) => unknown;

/** The first of January 2026, so that nobody takes the two clocks for each other. */
export const WALL: Millis = 1_767_225_600_000;

export class Process {
  readonly name: string;
  /** No other process has it. */
  readonly number: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  alive = true;
  readonly #sim: Simulation;
  #stalledUntil: Millis = 0;
  readonly #endings: (() => void)[] = [];

  constructor(sim: Simulation, name: string) {
    this.#sim = sim;
    this.name = name;
    this.number = ++sim.processes;
    this.random = () => sim.random.next();
    this.clock = this.#makeClock(sim.now);
    this.log = logOf(this, sim);
    sim.note(name, 'starts');
  }

  end(): void {
    if (!this.alive) return;
    this.alive = false;
    for (const end of this.#endings) end();
    this.#sim.note(this.name, 'dies');
  }

  stall(time: Millis): void {
    this.#sim.note(this.name, `stalls for ${Math.round(time)} ms`);
    this.#stalledUntil = this.#sim.now + time;
  }

  /** Runs in this process after the delay; not at all if it has ended by then. */
  wake(delay: Millis, run: () => void): Cancel {
    let cancel: Cancel = () => undefined;
    const arrive = () => {
      if (!this.alive) return;
      const late = this.#stalledUntil - this.#sim.now;
      if (late <= 0) return run();
      cancel = this.#sim.after(late, arrive);
    };
    cancel = this.#sim.after(delay, arrive);
    return () => cancel();
  }

  /** A fault of the program unless a store did not answer. */
  run(main: () => Promise<void>): void {
    this.wake(0, () => {
      main().catch((error: unknown) => this.#sim.fail(error));
    });
  }

  /**
   * A client of the store whose methods are calls over the network.
   */
  connect<T extends object>(server: Server<Calls<T>>, access: Access = {}): T {
    const methods: Record<string, Method> = { close: async () => undefined };
    const client = new Proxy(methods, {
      get: (known, name) => {
        // A client is no promise, whoever awaits it.
        if (typeof name !== 'string' || name === 'then') return undefined;
        known[name] ??= (...parameters) => this.#call(server, name, parameters, access);
        return known[name];
      },
    });
    return client as unknown as T;
  }

  /** Has another process do something; rejects with StoreUnknown when no answer came in time. */
  ask<R>(other: Process, work: () => R | Promise<R>, timeout: Millis): Promise<R> {
    const sim = this.#sim;
    return new Promise((resolve, reject) => {
      const giveUp = this.wake(timeout, () => reject(new StoreUnknown('nobody answers')));
      const answer = (settle: () => void) => {
        this.wake(sim.latency(), () => {
          giveUp();
          settle();
        });
      };
      other.wake(sim.latency(), () => {
        void (async () => {
          try {
            const value = await work();
            answer(() => resolve(value));
          } catch (error) {
            if (isMistake(error)) sim.fail(error);
            answer(() => reject(error));
          }
        })();
      });
    });
  }

  /** The bus as this process has it. */
  bus(model: BusModel): Bus {
    const sim = this.#sim;
    const connection = model.connect();
    this.#endings.push(() => connection.kill());
    return {
      publish: (topic, messages) =>
        new Promise((resolve) => {
          const sent = model.publish(topic, messages);
          this.wake(sim.latency(), () => resolve(sent));
        }),
      subscribe: (topics, from, handler) =>
        connection.subscribe(topics, from, (topic, value) => this.#handle(() => handler(topic, value))),
      close: () => connection.close(),
    };
  }

  /** A handler that rejects loses its message; a mistake of the program ends the run. */
  async #handle(handler: () => Promise<void> | void): Promise<void> {
    const late = this.#stalledUntil - this.#sim.now;
    if (late > 0) await new Promise<void>((resolve) => this.wake(late, resolve));
    try {
      await handler();
    } catch (error) {
      if (isMistake(error)) this.#sim.fail(error);
      throw error;
    }
  }

  #call(server: Server<unknown>, method: string, parameters: unknown[], { admit, once }: Access): Promise<unknown> {
    const sim = this.#sim;
    return new Promise((resolve, reject) => {
      if (!this.alive) return;
      const { lost, unanswered, repeated, held } = sim.faults;
      const late = held?.[method] ?? sim.faults.late;
      const fate = sim.random.next();
      const isLate = fate < late;
      const isUnanswered = !isLate && fate < late + unanswered;
      const isLost = !isLate && !isUnanswered && fate < late + unanswered + lost;
      const isAnswered = !isLate && !isUnanswered && !isLost;
      const arrival =
        sim.latency() +
        (isLate ? sim.timeout + sim.random.next() * (held?.[method] || sim.random.chance(0.1) ? 5000 : 400) : 0);
      const carryOut = (then: (outcome: Outcome) => void) => () => {
        const outcome = attempt(sim, server, method, parameters, admit);
        return outcome instanceof Promise ? outcome.then(then) : then(outcome);
      };
      const answer = (outcome: Outcome) => {
        this.wake(sim.latency(), () => ('error' in outcome ? reject(outcome.error) : resolve(outcome.value)));
      };
      if (!isLost) sim.after(arrival, carryOut(isAnswered ? answer : () => undefined), true);
      if (isAnswered && method !== once && sim.random.chance(repeated))
        sim.after(
          arrival + sim.random.next() * 300,
          carryOut(() => undefined),
          true,
        );
      if (!isAnswered) this.wake(sim.timeout, () => reject(new StoreUnknown(`${server.name}: no answer`)));
    });
  }

  #makeClock(born: Millis): Clock {
    const sim = this.#sim;
    /** Timers are never early, and a little late. */
    const lateness = () => sim.random.next() * 2;
    const clock: Clock = {
      now: () => sim.now - born,
      wall: () => WALL + sim.now,
      after: (time, run) => this.wake(time + lateness(), run),
      every: (period, run) => {
        let cancel = (): void => undefined;
        const again = () => {
          cancel = this.wake(period + lateness(), () => {
            again();
            run();
          });
        };
        again();
        return () => cancel();
      },
      sleep: (time, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted) return resolve();
          const cancel = clock.after(time, resolve);
          signal?.addEventListener('abort', () => {
            cancel();
            resolve();
          });
        }),
      soon: (run) => void this.wake(0, run),
    };
    return clock;
  }
}

/** A store that refuses is an answer; anything else that it throws ends the run. */
function attempt(
  sim: Simulation,
  server: Server<unknown>,
  method: string,
  parameters: unknown[],
  admit: (() => void) | undefined,
): Outcome | Promise<Outcome> {
  const refused = (error: unknown): Outcome => {
    if (!isAnswer(error)) {
      sim.note(server.name, `fails in ${method}`, parameters);
      sim.fail(error);
    }
    return { error };
  };
  if (!server.up) return { error: new StoreUnknown(`${server.name} is down`) };
  try {
    admit?.();
    const value = (server.model as Record<string, Method>)[method]?.(...parameters);
    if (value instanceof Promise) return value.then((found) => ({ value: found }), refused);
    return { value };
  } catch (error) {
    return refused(error);
  }
}

const isAnswer = (error: unknown): boolean =>
  error instanceof StoreUnknown ||
  error instanceof WrongIncarnation ||
  error instanceof SchemaMismatch ||
  error instanceof Refused;

/** Errors that only a mistake in the program makes. */
const isMistake = (error: unknown): boolean =>
  error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;

/** Notes what a process says; a mistake that it only reports ends the run all the same. */
function logOf(process: Process, sim: Simulation): Logger {
  const say =
    (heard: boolean) =>
    (first: unknown, message?: string): void => {
      const error = typeof first === 'object' && first !== null && 'err' in first ? first.err : undefined;
      if (isMistake(error)) sim.fail(error);
      // That stores do not answer is the weather; what comes of it is told.
      if (!heard || error instanceof StoreUnknown || message === 'works again') return;
      if (typeof first === 'string') sim.note(process.name, first);
      else sim.note(process.name, message ?? '', first);
    };
  const log = {
    trace: say(false),
    debug: say(false),
    info: say(true),
    warn: say(true),
    error: say(true),
    fatal: say(true),
  };
  return { ...log, child: () => log } as unknown as Logger;
}
