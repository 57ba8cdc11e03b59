// The model of the bus, held to a real Kafka: random sequences of publishing, reading, leaving and outages, done to
// three buses at once. One model forgets and misses as much as the model ever does; another one keeps and hears as much
// as it ever does. What each real reader was given lies between the two, so the model may do everything that Kafka does.
// In which order and how often messages come is not compared: the model gives them in any order and repeats them.

import fc from 'fast-check';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TOPICS, type Topic } from '../../../dataplane/protocol/messages.ts';
import type { Bus, Messages } from '../../../dataplane/runtime/bus.ts';
import { connectBus } from '../../../dataplane/runtime/bus-kafka.ts';
import { busSecret, startKafka, type TestKafka } from '../../harness/kafka.ts';
import { MESSAGES } from '../../harness/messages.ts';
import { until } from '../../harness/until.ts';
import { type BusConnection, BusModel } from '../../models/bus.ts';

const RUNS = 3;

let kafka: TestKafka;
beforeAll(async () => {
  kafka = await startKafka();
});
afterAll(() => kafka?.destroy());

interface Message {
  key: string;
  value: object;
}

/** Nobody in the sale reads events of orders, so that nobody looks at what they say. */
const EVENTS = fc.constantFrom('s0-a', 's0-b').map((key): Message => ({ key, value: {} }));
const MESSAGES_OF: Record<Topic, fc.Arbitrary<Message>> = { ...MESSAGES, orders: EVENTS };

type Step =
  | { kind: 'publish'; topic: Topic; messages: Message[] }
  | { kind: 'subscribe'; topics: Topic[]; beginning: boolean }
  | { kind: 'leave'; which: number }
  | { kind: 'outage'; wipe: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(...TOPICS).chain((topic) =>
      fc.record({
        kind: fc.constant('publish' as const),
        topic: fc.constant(topic),
        messages: fc.array(MESSAGES_OF[topic], { minLength: 1, maxLength: 4 }),
      }),
    ),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('subscribe' as const),
      topics: fc.subarray([...TOPICS], { minLength: 1 }),
      beginning: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), which: fc.nat() }) },
);
/** Starting Kafka takes seconds, so that each run has one outage. */
const outage: fc.Arbitrary<Step> = fc.record({ kind: fc.constant('outage' as const), wipe: fc.boolean() });
const steps = fc
  .tuple(fc.array(step, { minLength: 4, maxLength: 8 }), outage, fc.array(step, { minLength: 4, maxLength: 8 }))
  .map(([before, away, after]) => [...before, away, ...after]);

/** One reader on each of the three buses, and what it was given there. */
interface Reader {
  topics: Topic[];
  beginning: boolean;
  bus: Bus;
  least: { connection: BusConnection; given: Set<number> };
  most: { connection: BusConnection; given: Set<number> };
  given: Set<number>;
}

class World {
  readonly #prefix: string;
  readonly #later: (() => void)[] = [];
  readonly #least = this.#model();
  readonly #most = this.#model();
  readonly #writer: Bus;
  #readers: Reader[] = [];
  /** How many messages there were. */
  #said = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
    // Nothing is compacted away.
    this.#most.faults.stale = 1;
    this.#writer = this.#connect();
  }

  async carryOut(step: Step): Promise<void> {
    if (step.kind === 'publish') await this.#publish(step.topic, step.messages);
    else if (step.kind === 'subscribe') await this.#subscribe(step.topics, step.beginning);
    else if (step.kind === 'leave') await this.#leave(step.which);
    else await this.#outage(step.wipe);
  }

  /** What the model gives at least is given, and nothing that it never gives. */
  async compare(): Promise<void> {
    await this.#arrive();
    for (const { given, least, most } of this.#readers) {
      await until('the reader is given what the model gives it at least', () => isWithin(least.given, given), 30_000);
      expect([...given].filter((number) => !most.given.has(number))).toEqual([]);
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#writer, ...this.#readers.map(({ bus }) => bus)].map((bus) => bus.close()));
  }

  async #publish(topic: Topic, unnumbered: readonly Message[]): Promise<void> {
    const messages = unnumbered.map((message) => this.#numbered(message));
    // What was not confirmed is published again, and may be there twice.
    await until('Kafka takes the messages', () => this.#writer.publish(topic, messages));
    for (const model of [this.#least, this.#most]) expect(model.publish(topic, messages)).toBe(true);
    await this.#arrive();
  }

  /** A message is known by its number, which readers let through as they do any field that they do not know. */
  #numbered({ key, value }: Message): { key: string; value: Messages['commands'] & Messages[Topic] } {
    return { key, value: { ...value, number: this.#said++ } as unknown as Messages['commands'] & Messages[Topic] };
  }

  async #subscribe(topics: Topic[], beginning: boolean): Promise<void> {
    const bus = this.#connect();
    const reader: Reader = {
      ...{ topics, beginning, bus, given: new Set() },
      least: { connection: this.#least.connect(), given: new Set() },
      most: { connection: this.#most.connect(), given: new Set() },
    };
    await listen(bus, reader, reader.given);
    await listen(reader.most.connection, reader, reader.most.given);
    await this.#hears(reader);
    await listen(reader.least.connection, reader, reader.least.given);
    this.#readers.push(reader);
    await this.compare();
  }

  /** Resolves when a real reader from now on has begun to read each of its topics. */
  async #hears({ topics, beginning, given }: Reader): Promise<void> {
    if (beginning) return;
    for (const topic of topics) {
      const first = this.#said;
      await until(`the reader hears ${topic}`, async () => {
        await this.#publish(topic, fc.sample(MESSAGES_OF[topic], { numRuns: 1, seed: first }));
        return [...given].some((number) => number >= first);
      });
    }
  }

  async #leave(which: number): Promise<void> {
    const [left] = this.#readers.splice(which % Math.max(1, this.#readers.length), 1);
    if (left === undefined) return;
    left.least.connection.kill();
    left.most.connection.kill();
    await left.bus.close();
  }

  async #outage(wipe: boolean): Promise<void> {
    const models = [this.#least, this.#most];
    await kafka.kill9();
    for (const model of models) model.up = false;
    const messages = fc.sample(MESSAGES_OF.commands, { numRuns: 1, seed: 1 }).map((message) => this.#numbered(message));
    for (const answer of [
      await this.#writer.publish('commands', messages),
      ...models.map((model) => model.publish('commands', messages)),
    ])
      expect(answer).toBe(false);
    // Whoever reads from now on may miss what is said until it is back.
    const late = this.#readers.filter(({ beginning }) => !beginning);
    for (const { least } of late) least.connection.kill();
    for (const model of models) if (wipe) model.wipe();
    await kafka.restart({ wipe });
    for (const model of models) model.up = true;
    await this.#arrive();
    for (const reader of late) {
      await this.#hears(reader);
      await listen(reader.least.connection, reader, reader.least.given);
    }
  }

  #connect(): Bus {
    return connectBus(kafka.config(this.#prefix), busSecret, pino({ level: 'silent' }), new Registry());
  }

  #model(): BusModel {
    return new BusModel({ after: (_, run) => this.#later.push(run), random: () => 0.5, kept: 10_000 });
  }

  /** All that is on its way in the models arrives, and its handlers end. */
  async #arrive(): Promise<void> {
    for (const run of this.#later.splice(0)) run();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const listen = (bus: Bus, { topics, beginning }: Reader, given: Set<number>): Promise<void> =>
  bus.subscribe(topics, { beginning }, (_, value) => {
    given.add((value as unknown as { number: number }).number);
  });

const isWithin = (some: Set<number>, all: Set<number>): boolean => [...some].every((number) => all.has(number));

test('R11, R13: the model of the bus may do everything that Kafka does: what is lost, kept, heard late and forgotten', {
  timeout: 400_000,
}, async () => {
  let sales = 0;
  const property = fc.asyncProperty(steps, async (sequence) => {
    const world = new World(`model${sales++}`);
    try {
      for (const each of sequence) {
        await world.carryOut(each);
        await world.compare();
      }
    } finally {
      await world.close();
    }
  });
  // A run takes long, and what fails in it is seen as it is.
  await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
});
