// The bus on a real Kafka: what it promises while Kafka is there, away, back, and back without its data.

import { Kafka, logLevel } from 'kafkajs';
import { type Logger, pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Command, type Level, TOPICS, topicName } from '../../../dataplane/protocol/messages.ts';
import type { Bus, Messages } from '../../../dataplane/runtime/bus.ts';
import { connectBus } from '../../../dataplane/runtime/bus-kafka.ts';
import { startKafka, type TestKafka } from '../../harness/kafka.ts';
import { until } from '../../harness/until.ts';

const log: Logger = pino({ level: 'silent' });
let kafka: TestKafka;
let prefix: string;
let names = 0;
const buses: Bus[] = [];

beforeAll(async () => {
  kafka = await startKafka();
});
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()));
});
afterAll(() => kafka.destroy());

/** A bus of a sale of its own, unless told to join one. */
function open(options: { prefix?: string; metrics?: Registry } = {}): Bus {
  prefix = options.prefix ?? `sale${names++}`;
  const bus = connectBus(kafka.config(prefix), () => '', log, options.metrics ?? new Registry());
  buses.push(bus);
  return bus;
}
const admin = () => new Kafka({ brokers: [kafka.broker], logLevel: logLevel.NOTHING });

const command = (sequence: number): Command => ({
  incarnation: 'i',
  source: 's0',
  term: 1,
  sequence,
  legs: [{ destination: 's1', units: 1 }],
});
const level = (node: 'c0' | 'c1', sequence: number): Level => ({
  ...{ incarnation: 'i', node, epoch: 1, sequence, layout: 1, paused: false, pinned: {}, granted: 0, revoked: 0 },
  ...{ virtual: 0, liveTokens: 0, liveUnits: 0, issued: 0, settledUnits: 0, returnedUnits: 0 },
});

/** Publishes until the broker has it. */
const say = <T extends keyof Messages>(bus: Bus, topic: T, key: string, value: Messages[T]) =>
  until(`${topic} is published`, () => bus.publish(topic, [{ key, value }]));

/** What a reader of `commands` saw; publishes a probe until the reader is there. */
async function listening(bus: Bus, speaker: Bus): Promise<number[]> {
  const heard: number[] = [];
  await bus.subscribe(['commands'], { beginning: false }, (_, { sequence }) => {
    heard.push(sequence);
  });
  await until('the reader hears', async () => {
    await speaker.publish('commands', [{ key: 's0', value: command(0) }]);
    return heard.length > 0;
  });
  return heard;
}

describe('while Kafka is there', () => {
  test('topics are made as they must be kept', async () => {
    const bus = open();
    await say(bus, 'levels', 'c0', level('c0', 1));
    const client = admin().admin();
    await client.connect();
    const described = await client.describeConfigs({
      includeSynonyms: false,
      resources: TOPICS.map((topic) => ({ type: 2, name: topicName(prefix, topic), configNames: ['cleanup.policy'] })),
    });
    await client.disconnect();
    const policies = described.resources.map(({ resourceName, configEntries }) => [
      resourceName.split('.')[1],
      configEntries[0]?.configValue,
    ]);
    expect(Object.fromEntries(policies)).toEqual({
      deltas: 'compact',
      levels: 'compact',
      transfers: 'delete',
      commands: 'delete',
      orders: 'delete',
    });
  });

  test('a reader from now on hears what is said, in order and once, and nothing from before', async () => {
    const bus = open();
    await say(bus, 'commands', 's0', command(1));
    const heard = await listening(bus, bus);
    for (let i = 10; i < 200; i++) void bus.publish('commands', [{ key: 's0', value: command(i) }]);
    await until('all are heard', () => heard.includes(199));
    expect(heard.filter((n) => n >= 10)).toEqual(Array.from({ length: 190 }, (_, i) => i + 10));
    expect(heard).not.toContain(1);
  });

  test('R13: a reader from the beginning finds the state of before', async () => {
    const bus = open();
    await say(bus, 'levels', 'c0', level('c0', 1));
    await say(bus, 'levels', 'c1', level('c1', 5));
    await say(bus, 'levels', 'c0', level('c0', 2));
    const table = new Map<string, number>();
    await open({ prefix }).subscribe(['levels'], { beginning: true }, (_, { node, sequence }) => {
      table.set(node, sequence);
    });
    await until('both nodes are known', () => table.get('c0') === 2 && table.get('c1') === 5);
  });

  test('what is no message is counted and dropped, and so is a message whose handler rejects', async () => {
    const metrics = new Registry();
    const bus = open({ metrics });
    await say(bus, 'commands', 's0', command(1));
    const producer = admin().producer();
    await producer.connect();
    await producer.send({
      topic: topicName(prefix, 'commands'),
      messages: ['{"half":', 'null', '[]', '7', '{"source":"s0"}'].map((value) => ({ key: 's0', value })),
    });
    await producer.send({ topic: topicName(prefix, 'commands'), messages: [{ key: 's0', value: null }] });
    await producer.disconnect();
    await say(bus, 'commands', 's0', command(2));
    const heard: number[] = [];
    await bus.subscribe(['commands'], { beginning: true }, async (_, { sequence }) => {
      heard.push(sequence);
      if (sequence === 1) throw new Error('the database is away');
    });
    await until('the last one is heard', () => heard.includes(2));
    expect(heard).toEqual([1, 2]);
    const text = await metrics.metrics();
    expect(text).toContain('flashsale_bus_dropped_total{topic="commands",reason="not-json"} 2');
    expect(text).toContain('flashsale_bus_dropped_total{topic="commands",reason="misfit"} 4');
    expect(text).toContain('flashsale_bus_read_total{topic="commands",outcome="failed"} 1');
    expect(text).toContain('flashsale_bus_read_total{topic="commands",outcome="handled"} 1');
  });
});

describe('while Kafka is away', () => {
  test('at the start: nothing waits for it, and all goes on when it comes', async () => {
    await kafka.stop();
    const bus = open();
    const heard: number[] = [];
    await bus.subscribe(['commands'], { beginning: true }, (_, { sequence }) => {
      heard.push(sequence);
    });
    expect(await bus.publish('commands', [{ key: 's0', value: command(1) }])).toBe(false);
    await kafka.restart();
    await say(bus, 'commands', 's0', command(2));
    await until('the reader hears', () => heard.includes(2));
    expect(heard).not.toContain(1);
  });

  test('killed and back: publishing says no meanwhile, holding a bounded number, then readers and writers go on', async () => {
    const bus = open();
    const heard = await listening(bus, bus);
    await kafka.kill9();
    const answers = await Promise.all(
      Array.from({ length: 20_000 }, (_, i) => bus.publish('commands', [{ key: 's0', value: command(1000 + i) }])),
    );
    expect(answers).not.toContain(true);
    await kafka.restart();
    await until('it is heard again', async () => {
      await bus.publish('commands', [{ key: 's0', value: command(2) }]);
      return heard.includes(2);
    });
  });

  test('back without its data: the topics are made again and readers start over', async () => {
    const bus = open();
    const heard = await listening(bus, bus);
    const table = new Map<string, number>();
    await bus.subscribe(['levels'], { beginning: true }, (_, { node, sequence }) => {
      table.set(node, sequence);
    });
    await say(bus, 'levels', 'c0', level('c0', 7));
    await until('the table is read', () => table.get('c0') === 7);
    await kafka.restart({ wipe: true });
    await until('both topics are read again', async () => {
      await bus.publish('commands', [{ key: 's0', value: command(2) }]);
      await bus.publish('levels', [{ key: 'c1', value: level('c1', 8) }]);
      return heard.includes(2) && table.get('c1') === 8;
    });
  });

  test('a topic deleted under its readers is made again and read again', async () => {
    const bus = open();
    const heard = await listening(bus, bus);
    const client = admin().admin();
    await client.connect();
    await client.deleteTopics({ topics: [topicName(prefix, 'commands')] });
    await client.disconnect();
    await until('it is heard again', async () => {
      await bus.publish('commands', [{ key: 's0', value: command(2) }]);
      return heard.includes(2);
    });
  });
});
