// A discrete-event simulator. Processes are generators that say what they wait for; everything else runs at one
// instant. Time, order, latency and failure come from the seed alone. A call to a store may be lost, or carried out
// and its answer lost, or carried out after its caller gave up; a process may die between any two of its steps.

import type { Millis } from '../../../dataplane/protocol/units.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import { EventQueue } from './queue.ts';
import type { Random } from './random.ts';

/** What can be called: a database, a cache node. */
export interface Endpoint {
  name: string;
  up: boolean;
}

type Step =
  | { kind: 'sleep'; time: Millis }
  | { kind: 'call'; endpoint: Endpoint; run: () => unknown }
  | { kind: 'ask'; process: Process; task: () => Task<unknown>; patience: Millis };

export type Task<T = void> = Generator<Step, T, unknown>;

export function* sleep(time: Millis): Task {
  yield { kind: 'sleep', time };
}

/** Runs `run` at the store, at one instant. Throws StoreUnknown when no answer came: it may have run, or may yet. */
export function* call<T>(endpoint: Endpoint, run: () => T): Task<T> {
  return (yield { kind: 'call', endpoint, run }) as T;
}

/** Has another process do something. Throws StoreUnknown when it does not answer in time, or died over it. */
export function* ask<T>(process: Process, task: () => Task<T>, patience: Millis): Task<T> {
  return (yield { kind: 'ask', process, task, patience }) as T;
}

/** Ends with undefined when a store did not answer. */
export function* quietly<T>(task: Task<T>): Task<T | undefined> {
  try {
    return yield* task;
  } catch (error) {
    if (error instanceof StoreUnknown) return undefined;
    throw error;
  }
}

/** Runs `pass` for ever, about every `period`; a store that does not answer ends a pass, not the loop. */
export function* forever(sim: Sim, period: Millis, pass: () => Task): Task {
  for (;;) {
    yield* quietly(pass());
    yield* sleep(period * (0.5 + sim.random.next()));
  }
}

export interface Faults {
  /** Of each call: the request is lost, the answer is lost, the request arrives late. */
  lost: number;
  unanswered: number;
  late: number;
}

type Resume = (input: { value: unknown } | { error: unknown }) => void;

export class Process {
  readonly name: string;
  /** Which life it is in; odd while it lives. */
  life = 0;
  readonly #sim: Sim;
  readonly #main: (process: Process) => void;

  /** `main` is run at every start: it spawns the tasks. */
  constructor(sim: Sim, name: string, main: (process: Process) => void) {
    this.#sim = sim;
    this.name = name;
    this.#main = main;
  }

  get up(): boolean {
    return this.life % 2 === 1;
  }

  start(): void {
    if (this.up) return;
    this.life++;
    this.#sim.note(`${this.name} starts`);
    this.#main(this);
  }

  /** Everything it was doing ends where it is. Calls under way arrive all the same. */
  kill(): void {
    if (!this.up) return;
    this.life++;
    this.#sim.note(`${this.name} dies`);
  }

  spawn<T>(task: Task<T>, done: (value: T) => void = () => undefined): void {
    const { life } = this;
    const resume: Resume = (input) => {
      if (this.life !== life) return;
      const next = 'error' in input ? task.throw(input.error) : task.next(input.value);
      if (next.done) done(next.value);
      else this.#sim.perform(next.value, resume);
    };
    this.#sim.after(0, () => resume({ value: undefined }));
  }
}

export class Sim {
  now: Millis = 0;
  events = 0;
  readonly random: Random;
  /** How much slower than usual everything answers. */
  slowness = 1;
  readonly faults: Faults = { lost: 0, unanswered: 0, late: 0 };
  /** Run after every event. */
  check: () => void = () => undefined;
  readonly #queue = new EventQueue();
  readonly #notes: string[] = [];

  constructor(random: Random) {
    this.random = random;
  }

  after(delay: Millis, run: () => void): void {
    this.#queue.add(this.now + delay, run);
  }

  runUntil(time: Millis): void {
    for (let next = this.#queue.next(time); next; next = this.#queue.next(time)) {
      this.now = next.at;
      this.events++;
      next.run();
      this.check();
    }
    this.now = time;
  }

  /** The last things that happened, for whoever reads why a run failed. */
  note(text: string): void {
    this.#notes.push(`${this.now.toFixed(1)} ${text}`);
    if (this.#notes.length > 4000) this.#notes.splice(0, 2000);
  }

  lastNotes(count: number): string[] {
    return this.#notes.slice(-count);
  }

  latency(): Millis {
    const usual = this.random.chance(0.02) ? 5 + this.random.next() * 40 : 0.3 + this.random.next() * 1.5;
    return usual * this.slowness;
  }

  /** How long a caller waits. */
  get patience(): Millis {
    return 100 + 20 * this.slowness;
  }

  perform(step: Step, resume: Resume): void {
    if (step.kind === 'sleep') this.after(step.time, () => resume({ value: undefined }));
    else if (step.kind === 'call') this.#call(step.endpoint, step.run, resume);
    else this.#ask(step.process, step.task, step.patience, resume);
  }

  #call(endpoint: Endpoint, run: () => unknown, resume: Resume): void {
    const { lost, unanswered, late } = this.faults;
    const fate = this.random.next();
    const answered = fate >= lost + unanswered + late;
    const arrival = this.latency() + (!answered && fate < late ? this.patience + this.random.next() * 400 : 0);
    if (answered || fate < late + unanswered)
      this.after(arrival, () => {
        const outcome = attempt(endpoint, run);
        if (answered) this.after(this.latency(), () => resume(outcome));
      });
    if (!answered) this.after(this.patience, () => resume({ error: new StoreUnknown(`${endpoint.name}: no answer`) }));
  }

  #ask(process: Process, task: () => Task<unknown>, patience: Millis, resume: Resume): void {
    let answered = false;
    const once: Resume = (input) => {
      if (answered) return;
      answered = true;
      resume(input);
    };
    this.after(this.latency(), () => {
      if (process.up) process.spawn(task(), (value) => this.after(this.latency(), () => once({ value })));
    });
    this.after(patience, () => once({ error: new StoreUnknown(`${process.name}: no answer`) }));
  }
}

/** A store that refuses is an answer; anything else that is thrown is a fault of the model and ends the run. */
function attempt(endpoint: Endpoint, run: () => unknown): { value: unknown } | { error: unknown } {
  if (!endpoint.up) return { error: new StoreUnknown(`${endpoint.name}: down`) };
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof StoreUnknown) return { error };
    throw error;
  }
}
