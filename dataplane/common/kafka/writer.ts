// The sending half of the bus. Answers in bounded time whether the broker has the messages, holds a bounded number
// of them while it waits, and connects for ever. Never sends one again by itself beyond a single retry: the senders
// repeat what was not heard.

import { type Kafka, type Message, Partitioners } from 'kafkajs';
import type { Millis } from '../../protocol/units.ts';

const TIMEOUT: Millis = 2000;
const RECONNECT: Millis = 500;
/** Messages under way. Reached only while the broker does not answer; then more would only be more to lose. */
const MOST_WAITING = 10_000;

export interface Writer {
  /** `acks` −1: all replicas have it; 1: its leader has it. */
  send(topic: string, messages: Message[], acks: -1 | 1): Promise<boolean>;
  close(): Promise<void>;
}

/** `ensureTopics` is awaited before the first connection. `failed` hears every reason for a false. */
export function startWriter(kafka: Kafka, ensureTopics: () => Promise<void>, failed: (error: unknown) => void): Writer {
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
  });
  const waiting = new Set<Promise<boolean>>();
  let count = 0;
  let closed = false;
  let connected = false;
  void forever(
    () => closed,
    failed,
    async () => {
      await ensureTopics();
      await producer.connect();
      connected = true;
    },
  );

  return {
    async send(topic, messages, acks) {
      if (!connected || count + messages.length > MOST_WAITING) return false;
      count += messages.length;
      const sent = producer
        .send({ topic, messages, acks, timeout: TIMEOUT })
        .then(
          () => true,
          (error) => {
            failed(error);
            return false;
          },
        )
        .finally(() => {
          count -= messages.length;
          waiting.delete(sent);
        });
      waiting.add(sent);
      return within(TIMEOUT, sent);
    },
    async close() {
      closed = true;
      await within(
        TIMEOUT,
        Promise.all(waiting).then(() => true),
      );
      await producer.disconnect();
    },
  };
}

async function forever(
  closed: () => boolean,
  failed: (error: unknown) => void,
  attempt: () => Promise<void>,
): Promise<void> {
  while (!closed()) {
    try {
      return await attempt();
    } catch (error) {
      failed(error);
      await new Promise((resolve) => setTimeout(resolve, RECONNECT));
    }
  }
}

function within(limit: Millis, answer: Promise<boolean>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, limit, false);
    void answer.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
