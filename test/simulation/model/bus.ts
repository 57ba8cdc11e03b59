// Kafka as the protocol sees it: transport that loses, repeats, reorders and delays, forgets everything when it is
// wiped, and takes nothing while it is down. Compacted topics give a new reader the last message of each key.

import { COMPACTED } from '../../../dataplane/protocol/messages.ts';
import type { Millis } from '../../../dataplane/protocol/units.ts';
import type { Messages } from '../../../dataplane/runtime/bus.ts';
import type { Process, Sim } from '../engine/sim.ts';

export interface BusFaults {
  lost: number;
  repeated: number;
  delayed: number;
}

type Topic = Exclude<keyof Messages, 'orders'>;
type Handler<T extends Topic> = (value: Messages[T]) => void;

interface Subscription {
  process: Process;
  life: number;
  handle: (value: Messages[Topic]) => void;
}

export class BusModel {
  up = true;
  readonly faults: BusFaults = { lost: 0, repeated: 0, delayed: 0 };
  readonly #sim: Sim;
  readonly #kept = new Map<Topic, Map<string, Messages[Topic]>>();
  readonly #subscriptions = new Map<Topic, Subscription[]>();
  /** What was published before the last wipe is not delivered any more. */
  #age = 0;

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  wipe(): void {
    this.#sim.note('Kafka loses everything');
    this.#age++;
    this.#kept.clear();
  }

  publish<T extends Topic>(topic: T, key: string, value: Messages[T]): boolean {
    if (!this.up) return false;
    const { random } = this.#sim;
    if (random.chance(this.faults.lost)) return true;
    if (COMPACTED.includes(topic)) {
      const kept = this.#kept.get(topic) ?? new Map<string, Messages[Topic]>();
      this.#kept.set(topic, kept.set(key, value));
    }
    const copies = random.chance(this.faults.repeated) ? 2 : 1;
    for (const to of this.#subscriptions.get(topic) ?? [])
      for (let copy = 0; copy < copies; copy++) this.#deliver(to, value);
    return true;
  }

  /** For the present life of the process. */
  subscribe<T extends Topic>(process: Process, topic: T, handle: Handler<T>): void {
    const entry: Subscription = { process, life: process.life, handle: (value) => handle(value as Messages[T]) };
    const living = (this.#subscriptions.get(topic) ?? []).filter((other) => other.process.life === other.life);
    this.#subscriptions.set(topic, [...living, entry]);
    for (const value of this.#kept.get(topic)?.values() ?? []) this.#deliver(entry, value);
  }

  #deliver(to: Subscription, value: Messages[Topic]): void {
    const { random } = this.#sim;
    const age = this.#age;
    const delay: Millis = random.chance(this.faults.delayed) ? random.next() * 1500 : 2 + random.next() * 8;
    this.#sim.after(delay, () => {
      if (this.up && age === this.#age && to.process.life === to.life) to.handle(value);
    });
  }
}
