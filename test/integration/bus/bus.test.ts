// The bus on a real Kafka: what it promises while Kafka is there, away, back, and back without its data.

import { gunzipSync, gzipSync } from 'node:zlib';
import { CompressionCodecs, CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';
import { type Logger, pino } from 'pino';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { keyRing, MAC_HEADER } from '../../../dataplane/protocol/message-mac.ts';
import { type Command, type Level, TOPICS, type Topic, topicName } from '../../../dataplane/protocol/messages.ts';
import type { Bus, Messages } from '../../../dataplane/runtime/bus.ts';
import { connectBus } from '../../../dataplane/runtime/bus-kafka.ts';
import type { Secret } from '../../../dataplane/runtime/config.ts';
import { BUS_KEY, busSecret, startKafka, type TestKafka } from '../../harness/kafka.ts';
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
function open(options: { prefix?: string; metrics?: Registry; secret?: Secret } = {}): Bus {
  prefix = options.prefix ?? `sale${names++}`;
  const bus = connectBus(kafka.config(prefix), options.secret ?? busSecret, log, options.metrics ?? new Registry());
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

/** Writes records as whoever reaches Kafka can. */
async function write(topic: Topic, messages: Message[]): Promise<void> {
  const producer = admin().producer();
  await producer.connect();
  await producer.send({ topic: topicName(prefix, topic), messages });
  await producer.disconnect();
}
/** A record that somebody with a key of the sale has made. */
const signed = (topic: Topic, key: string, value: string, keys = BUS_KEY): Message => ({
  key,
  value,
  headers: { [MAC_HEADER]: keyRing(keys).sign(topicName(prefix, topic), key, value) },
});

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
    await write(
      'commands',
      ['{"half":', '', 'null', '[]', '7', '{"source":"s0"}'].map((value) => signed('commands', 's0', value)),
    );
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

describe('what this sale did not sign is counted and dropped', () => {
  test('also a compressed record, which the broker unpacks before anybody reads it', async () => {
    const metrics = new Registry();
    const bus = open({ metrics });
    await say(bus, 'commands', 's0', command(1));
    const bomb = { key: 's0', value: '0'.repeat(500_000) };
    const producer = admin().producer();
    await producer.connect();
    const gzip = { compress: async ({ buffer }: { buffer: Buffer }) => gzipSync(buffer), decompress: gunzipSync };
    const refusing = CompressionCodecs[CompressionTypes.GZIP];
    CompressionCodecs[CompressionTypes.GZIP] = () => gzip;
    try {
      const compression = CompressionTypes.GZIP;
      await producer.send({ topic: topicName(prefix, 'commands'), messages: [bomb], compression });
      const larger = { ...bomb, value: '0'.repeat(20_000_000) };
      const sending = producer.send({ topic: topicName(prefix, 'commands'), messages: [larger], compression });
      await expect(sending).rejects.toThrow();
    } finally {
      CompressionCodecs[CompressionTypes.GZIP] = refusing;
      await producer.disconnect();
    }
    await say(bus, 'commands', 's0', command(2));
    const heard: number[] = [];
    await bus.subscribe(['commands'], { beginning: true }, (_, { sequence }) => {
      heard.push(sequence);
    });
    await until('the last one is heard', () => heard.includes(2));
    expect(await metrics.metrics()).toContain('flashsale_bus_dropped_total{topic="commands",reason="unsigned"} 1');
  });

  const OLD = Buffer.alloc(32, 1).toString('base64');
  const NEW = Buffer.alloc(32, 2).toString('base64');

  test('without a key, with another one, altered, and moved from another topic or another sale', async () => {
    const metrics = new Registry();
    const bus = open({ metrics });
    await say(bus, 'commands', 's0', command(1));
    const value = JSON.stringify(command(9));
    const recorded = signed('commands', 's0', JSON.stringify(command(1)));
    const elsewhere = keyRing(BUS_KEY).sign('another-sale.commands', 's0', value);
    await write('commands', [
      { key: 's0', value },
      { key: 's0', value, headers: { [MAC_HEADER]: 'anything' } },
      signed('commands', 's0', value, OLD),
      { ...recorded, value },
      { ...recorded, key: 's1' },
      { ...signed('transfers', 's0', value) },
      { key: 's0', value, headers: { [MAC_HEADER]: elsewhere } },
    ]);
    await say(bus, 'commands', 's0', command(2));
    const heard: number[] = [];
    await bus.subscribe(['commands'], { beginning: true }, (_, { sequence }) => {
      heard.push(sequence);
    });
    await until('the last one is heard', () => heard.includes(2));
    expect(heard).toEqual([1, 2]);
    const text = await metrics.metrics();
    expect(text).toContain('flashsale_bus_dropped_total{topic="commands",reason="unsigned"} 2');
    expect(text).toContain('flashsale_bus_dropped_total{topic="commands",reason="unknown-key"} 1');
    expect(text).toContain('flashsale_bus_dropped_total{topic="commands",reason="wrong-mac"} 4');
  });

  test('while a key is exchanged, step by step, everybody hears everybody', async () => {
    const first = open({ secret: () => OLD });
    const rings = [OLD, `${OLD}\n${NEW}`, `${NEW}\n${OLD}`, NEW];
    await say(first, 'levels', 'c0', level('c0', 1));
    for (const [step, ring] of rings.entries()) {
      const next = rings[step + 1] ?? ring;
      const [before, after] = [ring, next].map((keys) => open({ prefix, secret: () => keys }));
      if (!before || !after) throw new Error('two buses');
      for (const [speaker, listener] of [
        [before, after],
        [after, before],
      ] as const) {
        const heard = await listening(listener, speaker);
        expect(heard.length).toBeGreaterThan(0);
      }
    }
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
