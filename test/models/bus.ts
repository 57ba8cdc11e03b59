// Kafka as the protocol sees it: transport that loses, repeats, reorders and delays, forgets everything when it is
// wiped, and takes nothing while it is down. A compacted topic keeps the last message of each key, the others keep
// everything for a while; a reader from the beginning gets what is kept, again after each outage.

import { COMPACTED } from '../../dataplane/protocol/messages.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Bus, Messages } from '../../dataplane/runtime/bus.ts';

export interface BusFaults {
  /** Chances, each for one message to one reader (`lost`: to all of them). */
  lost: number;
  repeated: number;
  /** Comes so late that others overtake it. */
  delayed: number;
}

export interface BusOptions {
  /** Runs something later. */
  after: (delay: Millis, run: () => void) => void;
  /** Draws a number from 0 up to, and without, 1. */
  random: () => number;
  /** How many messages a topic keeps that is not compacted. */
  kept?: number;
}

type Topic = keyof Messages;
type Handler = (topic: Topic, value: Messages[Topic]) => Promise<void> | void;

interface Reader {
  topics: readonly Topic[];
  beginning: boolean;
  handler: Handler;
  /** Handlers of one topic run one after another. */
  last: Map<Topic, Promise<void>>;
}

const DELIVERY: Millis = 2;
const SPREAD: Millis = 8;
const LATE: Millis = 1500;

/** The connection of one process to the bus. `kill`: the process died, and nothing reaches it any more. */
export interface BusConnection extends Bus {
  kill(): void;
}

export class BusModel {
  readonly faults: BusFaults = { lost: 0, repeated: 0, delayed: 0 };
  #up = true;
  readonly #after: BusOptions['after'];
  readonly #random: () => number;
  readonly #keep: number;
  readonly #readers = new Set<Reader>();
  readonly #kept = new Map<Topic, { key: string; value: Messages[Topic] }[]>();
  /** What was published before the last wipe is not delivered any more. */
  #age = 0;

  constructor({ after, random, kept = 1000 }: BusOptions) {
    this.#after = after;
    this.#random = random;
    this.#keep = kept;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Down: nothing is taken and nothing delivered. Up again: readers from the beginning start anew. */
  set up(up: boolean) {
    const cameBack = up && !this.#up;
    this.#up = up;
    if (cameBack) for (const reader of this.#readers) this.#catchUp(reader);
  }

  /** All topics lose everything, also what is on its way. */
  wipe(): void {
    this.#age += 1;
    this.#kept.clear();
  }

  /** Answers false while it is down. */
  publish<T extends Topic>(topic: T, messages: readonly { key: string; value: Messages[T] }[]): boolean {
    if (!this.#up) return false;
    for (const { key, value } of messages) {
      if (this.#chance(this.faults.lost)) continue;
      this.#store(topic, key, value);
      for (const reader of this.#readers) if (reader.topics.includes(topic)) this.#send(reader, topic, value);
    }
    return true;
  }

  /** Answers what ends the subscription. */
  subscribe<T extends Topic>(
    topics: readonly T[],
    { beginning }: { beginning: boolean },
    handler: (topic: T, value: Messages[T]) => Promise<void> | void,
  ): () => void {
    const reader: Reader = { topics, beginning, handler: handler as Handler, last: new Map() };
    this.#readers.add(reader);
    this.#catchUp(reader);
    return () => {
      this.#readers.delete(reader);
    };
  }

  /** The bus as one process has it. */
  connect(): BusConnection {
    const ends: (() => void)[] = [];
    const kill = () => {
      for (const end of ends.splice(0)) end();
    };
    return {
      publish: async (topic, messages) => this.publish(topic, messages),
      subscribe: async (topics, from, handler) => {
        ends.push(this.subscribe(topics, from, handler));
      },
      close: async () => kill(),
      kill,
    };
  }

  #store(topic: Topic, key: string, value: Messages[Topic]): void {
    const kept = this.#kept.get(topic) ?? [];
    const others = COMPACTED.includes(topic) ? kept.filter((other) => other.key !== key) : kept;
    this.#kept.set(topic, [...others, { key, value }].slice(-this.#keep));
  }

  #catchUp(reader: Reader): void {
    if (!reader.beginning || !this.#up) return;
    for (const topic of reader.topics)
      for (const { value } of this.#kept.get(topic) ?? []) this.#send(reader, topic, value);
  }

  #send(reader: Reader, topic: Topic, value: Messages[Topic]): void {
    const copies = this.#chance(this.faults.repeated) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const age = this.#age;
      const late = this.#chance(this.faults.delayed);
      const delay = late ? this.#random() * LATE : DELIVERY + this.#random() * SPREAD;
      this.#after(delay, () => {
        if (this.#up && age === this.#age && this.#readers.has(reader)) this.#deliver(reader, topic, value);
      });
    }
  }

  /** A handler that rejects loses its message, as on the real bus. */
  #deliver(reader: Reader, topic: Topic, value: Messages[Topic]): void {
    const before = reader.last.get(topic) ?? Promise.resolve();
    const handled = before.then(async () => {
      if (this.#readers.has(reader)) await reader.handler(topic, structuredClone(value));
    });
    reader.last.set(
      topic,
      handled.catch(() => undefined),
    );
  }

  #chance(probability: number): boolean {
    return probability > 0 && this.#random() < probability;
  }
}
