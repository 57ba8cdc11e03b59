// Kafka as the protocol sees it: transport that loses, repeats, reorders and delays, forgets everything when it is
// wiped, and takes nothing while it is down. What it does not confirm it may have all the same. Events of orders alone
// are not lost once they are confirmed, because every replica has them then. A compacted topic keeps the last message
// of each key, and earlier ones for a while; the others keep everything for a while. A reader from the beginning gets
// what is kept, again after each outage; one from now on may begin late.
//
// It may do everything that Kafka does: test/integration/bus/model.test.ts compares the two.

import { COMPACTED } from '../../dataplane/protocol/messages.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Bus, Messages } from '../../dataplane/runtime/bus.ts';

export interface BusFaults {
  /** Chances, each for one message to one reader (`lost`: to all of them). */
  lost: number;
  repeated: number;
  /** Comes so late that others overtake it; of a reader from now on: begins so late. */
  delayed: number;
  /** The chance that earlier messages of the same key are not compacted away yet. */
  stale: number;
}

export const NO_BUS_FAULTS: BusFaults = { lost: 0, repeated: 0, delayed: 0, stale: 0 };

export interface BusOptions {
  /** Runs something later. */
  after: (delay: Millis, run: () => void) => void;
  /** Draws a number from 0 up to, and without, 1. */
  random: () => number;
  /** How many messages a topic keeps that is not compacted. */
  kept?: number;
  /** Is told of each message that Kafka has, in the order in which it has them. */
  taken?: (topic: Topic, value: Messages[Topic]) => void;
}

type Topic = keyof Messages;
type Handler = (topic: Topic, value: Messages[Topic]) => Promise<void> | void;

interface Reader {
  topics: readonly Topic[];
  beginning: boolean;
  handler: Handler;
  /** Handlers of one topic run one after another. */
  last: Map<Topic, Promise<void>>;
  /** It has begun to read. */
  reads: boolean;
}

const DELIVERY: Millis = 2;
const SPREAD: Millis = 8;
const LATE: Millis = 1500;

/** The connection of one process to the bus. `kill`: the process died, and nothing reaches it any more. */
export interface BusConnection extends Bus {
  kill(): void;
}

export class BusModel {
  readonly faults: BusFaults = { ...NO_BUS_FAULTS };
  #up = true;
  readonly #after: BusOptions['after'];
  readonly #random: () => number;
  readonly #keep: number;
  readonly #taken: NonNullable<BusOptions['taken']>;
  readonly #readers = new Set<Reader>();
  readonly #kept = new Map<Topic, { key: string; value: Messages[Topic] }[]>();
  /** What was published before the last wipe is not delivered any more. */
  #age = 0;

  constructor({ after, random, kept = 1000, taken = () => undefined }: BusOptions) {
    this.#after = after;
    this.#random = random;
    this.#keep = kept;
    this.#taken = taken;
  }

  get up(): boolean {
    return this.#up;
  }

  /** Down: nothing is taken and nothing delivered. Up again: readers from the beginning start anew. */
  set up(up: boolean) {
    const cameBack = up && !this.#up;
    this.#up = up;
    if (cameBack) for (const reader of this.#readers) this.#begin(reader);
  }

  /** All topics lose everything, also what is on its way. */
  wipe(): void {
    this.#age += 1;
    this.#kept.clear();
  }

  /** Answers false while it is down, and when it may or may not have the messages. */
  publish<T extends Topic>(topic: T, messages: readonly { key: string; value: Messages[T] }[]): boolean {
    if (!this.#up) return false;
    const confirmed = !this.#chance(this.faults.lost);
    if (topic === 'orders') {
      // One request, which a broker has whole or not at all.
      if (confirmed || this.#chance(0.5)) for (const { key, value } of messages) this.#take(topic, key, value);
      return confirmed;
    }
    for (const { key, value } of messages) if (!this.#chance(this.faults.lost)) this.#take(topic, key, value);
    return confirmed;
  }

  #take(topic: Topic, key: string, value: Messages[Topic]): void {
    this.#taken(topic, value);
    this.#store(topic, key, value);
    for (const reader of this.#readers)
      if (reader.reads && reader.topics.includes(topic)) this.#send(reader, topic, value);
  }

  /** Answers what ends the subscription. */
  subscribe<T extends Topic>(
    topics: readonly T[],
    { beginning }: { beginning: boolean },
    handler: (topic: T, value: Messages[T]) => Promise<void> | void,
  ): () => void {
    const reader: Reader = { topics, beginning, handler: handler as Handler, last: new Map(), reads: false };
    this.#readers.add(reader);
    this.#begin(reader);
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
    const compacted = COMPACTED.includes(topic) && !this.#chance(this.faults.stale);
    const others = compacted ? kept.filter((other) => other.key !== key) : kept;
    this.#kept.set(topic, [...others, { key, value }].slice(-this.#keep));
  }

  /** Where the reader may have begun late, it has missed what was said meanwhile. */
  #begin(reader: Reader): void {
    const late = !reader.beginning && this.#chance(this.faults.delayed);
    reader.reads = !late;
    const begin = () => {
      reader.reads = true;
    };
    if (late) this.#after(this.#random() * LATE, begin);
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
