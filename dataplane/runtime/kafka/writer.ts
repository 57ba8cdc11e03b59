// The sending half of the bus. One request for each topic is under way at a time, and what is published meanwhile goes
// with the next one: messages of a topic keep their order, and nothing waits for a batch to fill. The writer answers in
// bounded time whether the broker has a message, holds a bounded number of them, and connects for ever. What failed is
// dropped: the senders repeat what did not arrive.

import { type Kafka, type Message, Partitioners } from 'kafkajs';
import type { Millis } from '../../protocol/units.ts';
import { leave } from './client.ts';

const TIMEOUT: Millis = 2000;
const RECONNECT: Millis = 500;
/**
 * How many messages may wait or be under way. The bound is reached only while the broker is slow; more would be more to
 * lose.
 */
const MOST_WAITING = 10_000;
const MOST_PER_REQUEST = 500;

export interface Writer {
  /**
   * Resolves to true when the broker has all of the messages, and to false when not, or not in time. With `acks` −1 all
   * replicas have them, with 1 the leader has. A topic's `acks` is always the same.
   */
  send(topic: string, messages: Message[], acks: -1 | 1): Promise<boolean>;
  close(): Promise<void>;
}

interface Waiting {
  message: Message;
  /** True when there was no answer in time. Its sender was told no, so the message need not be sent any more. */
  late: boolean;
  answer: (sent: boolean) => void;
}

/** The messages of one topic on their way out. */
interface TopicQueue {
  waiting: Waiting[];
  /** True while a request of this topic is under way. */
  busy: boolean;
}

/**
 * Starts a writer. `ensureTopics` is awaited before the first connection. `failed` is called with every reason for a
 * false.
 */
export function startWriter(kafka: Kafka, ensureTopics: () => Promise<void>, failed: (error: unknown) => void): Writer {
  const producer = kafka.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    allowAutoTopicCreation: false,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
  });
  const queues = new Map<string, TopicQueue>();
  let count = 0;
  let connected = false;
  let closed = false;
  void connect();

  async function connect() {
    while (!closed && !connected) {
      try {
        await ensureTopics();
        await producer.connect();
        connected = true;
      } catch (error) {
        failed(error);
        await new Promise((resolve) => setTimeout(resolve, RECONNECT));
      }
    }
  }

  async function drain(topic: string, queue: TopicQueue, acks: -1 | 1) {
    if (queue.busy) return;
    queue.busy = true;
    while (queue.waiting.length > 0) {
      const batch = queue.waiting.splice(0, MOST_PER_REQUEST);
      const messages = batch.filter(({ late }) => !late).map(({ message }) => message);
      let sent = true;
      try {
        if (messages.length > 0) await producer.send({ topic, messages, acks, timeout: TIMEOUT });
      } catch (error) {
        sent = false;
        failed(error);
      }
      count -= batch.length;
      for (const { answer } of batch) answer(sent);
    }
    queue.busy = false;
  }

  return {
    async send(topic, messages, acks) {
      if (!connected || closed || count + messages.length > MOST_WAITING) return false;
      count += messages.length;
      const queue = queues.get(topic) ?? { waiting: [], busy: false };
      queues.set(topic, queue);
      const answers = messages.map((message) => inTime(message, (waiting) => queue.waiting.push(waiting)));
      void drain(topic, queue, acks);
      return (await Promise.all(answers)).every((sent) => sent);
    },
    async close() {
      closed = true;
      const end = Date.now() + TIMEOUT;
      while (count > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
      await leave(producer);
    },
  };
}

/**
 * Enqueues a message. Resolves to true when it was sent, and to false when it was not, or there is no answer in time.
 */
function inTime(message: Message, enqueue: (waiting: Waiting) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const waiting: Waiting = {
      message,
      late: false,
      answer: (sent) => {
        clearTimeout(timer);
        resolve(sent);
      },
    };
    const timer = setTimeout(() => {
      waiting.late = true;
      resolve(false);
    }, TIMEOUT);
    enqueue(waiting);
  });
}
