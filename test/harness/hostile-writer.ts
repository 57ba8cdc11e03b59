// Somebody who can read and write every topic of a sale and has no key of it: writes what is no message, messages that
// are crafted to fit, real ones that were recorded, and these altered or under another key or topic.

import fc from 'fast-check';
import { Kafka, logLevel, type Message } from 'kafkajs';
import { keyRing, MAC_HEADER } from '../../dataplane/protocol/message-mac.ts';
import { TOPICS, type Topic, topicName } from '../../dataplane/protocol/messages.ts';
import type { Incarnation } from '../../dataplane/protocol/units.ts';
import { anyMessage } from './messages.ts';
import type { TestSale } from './sale.ts';

const PAUSE = 40;
const AT_ONCE = 8;
/** How many real messages are kept for later. */
const RECORDED = 2000;

interface Record {
  topic: Topic;
  message: Message;
}

export interface HostileWriter {
  /** How many messages it has written so far, and how many real ones it has recorded. */
  written(): number;
  recorded(): number;
  stop(): Promise<void>;
}

const junk: fc.Arbitrary<Message> = fc.record({
  key: fc.option(fc.constantFrom('s0', 's1', 'pool', 'c0', 'anybody'), { nil: null }),
  value: fc.option(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
    ),
    { nil: null },
  ),
});

/** Messages with the sale's own incarnation that fit their topics, without a code or with one of a key of one's own. */
const crafted = (incarnation: Incarnation, prefix: string): fc.Arbitrary<Record> => {
  const ring = keyRing(Buffer.alloc(32, 99).toString('base64'));
  return fc.tuple(anyMessage, fc.boolean()).map(([{ topic, key, value }, isSigned]) => {
    const text = JSON.stringify({ ...value, incarnation });
    const headers = isSigned ? { [MAC_HEADER]: ring.sign(topicName(prefix, topic), key, text) } : {};
    return { topic, message: { key, value: text, headers } };
  });
};

/** Writes until it is stopped. `seed` decides what. */
export async function startHostileWriter(sale: TestSale, seed: number): Promise<HostileWriter> {
  const { brokers, prefix } = sale.config.kafka;
  const kafka = new Kafka({ brokers, clientId: 'stranger', logLevel: logLevel.NOTHING });
  const { incarnation } = await sale.registry();
  const real: Record[] = [];
  const consumer = kafka.consumer({ groupId: `stranger-${seed}` });
  const producer = kafka.producer();
  await Promise.all([consumer.connect(), producer.connect()]);
  await consumer.subscribe({ topics: TOPICS.map((topic) => topicName(prefix, topic)), fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message: { key, value, headers } }) => {
      const name = TOPICS.find((each) => topicName(prefix, each) === topic);
      if (name && real.length < RECORDED) real.push({ topic: name, message: { key, value, headers: headers ?? {} } });
    },
  });

  let written = 0;
  let stopped = false;
  const topic = fc.constantFrom(...TOPICS);
  const forged = crafted(incarnation, prefix);
  const recordedOnes = (pick: number): Record | undefined => real[pick % Math.max(1, real.length)];
  const altered = ({ message }: Record, by: number): Message => {
    const text = message.value?.toString() ?? '';
    return { ...message, value: text.replace(/\d+/, (digits) => String(Number(digits) + by)) };
  };
  /** What the broker itself refuses, such as a record without a key on a compacted topic, is not written. */
  const write = async (to: Topic, messages: Message[]) => {
    try {
      await producer.send({ topic: topicName(prefix, to), messages });
      written += messages.length;
    } catch {
      // It is tried again with other records.
    }
  };
  const done = (async () => {
    for (let round = 0; !stopped; round++) {
      const options = { seed: seed + round, numRuns: AT_ONCE };
      const crafts = fc.sample(forged, options).map(({ topic: to, message }) => write(to, [message]));
      const junks = fc.sample(fc.tuple(topic, junk), options).map(([to, message]) => write(to, [message]));
      await Promise.all([...crafts, ...junks]);
      for (const [pick, other, by] of fc.sample(
        fc.tuple(fc.nat(), topic, fc.integer({ min: 1, max: 1000 })),
        options,
      )) {
        const again = recordedOnes(pick);
        if (!again) continue;
        const records = [again.message, altered(again, by), { ...again.message, key: 's1' }];
        await Promise.all([write(again.topic, records), write(other, [again.message])]);
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  })();

  return {
    written: () => written,
    recorded: () => real.length,
    async stop() {
      stopped = true;
      await done;
      await Promise.all([consumer.disconnect(), producer.disconnect()]);
    },
  };
}
