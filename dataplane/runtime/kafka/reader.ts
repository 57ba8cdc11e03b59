// The reading half of the bus: it reads whole topics for ever. kafkajs stops for good after some errors and can wait
// for ever after others (a broker that came back empty), so a consumer is used until it ends or falls silent, and is
// then replaced by a new one. Each has a consumer group of its own that commits nothing: nobody waits for the session
// of a predecessor that died, and there is no offset that could be out of range.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Millis } from '../../protocol/units.ts';
import { leave } from './client.ts';

/** How long a fetch waits when there is nothing. It returns as soon as there is anything. */
const LONGEST_FETCH: Millis = 500;
/** In bytes. Well below the longest frame that a connection takes (client.ts). */
const MOST_PER_FETCH = 4 * 1024 * 1024;
/** After so long without a fetch or a message, the consumer is taken to hang. */
const SILENCE: Millis = 10_000;
const BACKOFF: Millis[] = [100, 200, 500, 1000];

export interface ReaderOptions {
  kafka: () => Kafka;
  topics: string[];
  beginning: boolean;
  /** The prefix of the consumer groups' names. */
  groupPrefix: string;
  /** Is awaited before each new consumer, because the topics may have gone. */
  ensureTopics: () => Promise<void>;
  /** Handles one message. It must not reject. */
  handler: (topic: string, message: KafkaMessage) => Promise<void>;
  /** Is called when a consumer has begun to read. */
  reading: () => void;
  /** Is called when a consumer ended by itself; another one follows. */
  ended: (error: unknown) => void;
}

/** Starts reading. Returns a function that stops it, and resolves when it has stopped. */
export function startReader(options: ReaderOptions): () => Promise<void> {
  const stop = new AbortController();
  const done = (async () => {
    let failures = 0;
    while (!stop.signal.aborted) {
      try {
        await options.ensureTopics();
        await readOnce(
          {
            ...options,
            reading: () => {
              failures = 0;
              options.reading();
            },
          },
          stop.signal,
        );
      } catch (error) {
        if (!stop.signal.aborted) options.ended(error);
      }
      const pause = BACKOFF[Math.min(failures++, BACKOFF.length - 1)];
      await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return () => {
    stop.abort();
    return done;
  };
}

/** Reads with one consumer. Resolves when told to stop, and rejects when the consumer ended by itself. */
async function readOnce(options: ReaderOptions, stop: AbortSignal): Promise<void> {
  const consumer = options.kafka().consumer({
    groupId: `${options.groupPrefix}.${randomUUID()}`,
    minBytes: 1,
    maxBytes: MOST_PER_FETCH,
    maxWaitTimeInMs: LONGEST_FETCH,
    sessionTimeout: 10_000,
    heartbeatInterval: 3000,
    rebalanceTimeout: 10_000,
    allowAutoTopicCreation: false,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200, restartOnFailure: async () => false },
  });
  let alive = Date.now();
  const isAlive = () => {
    alive = Date.now();
  };
  consumer.on(consumer.events.FETCH, isAlive);
  const crashed = new Promise<never>((_, reject) => {
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  });
  crashed.catch(() => undefined);
  try {
    await consumer.connect();
    await consumer.subscribe({ topics: options.topics, fromBeginning: options.beginning });
    consumer.on(consumer.events.GROUP_JOIN, options.reading);
    await consumer.run({
      autoCommit: false,
      partitionsConsumedConcurrently: options.topics.length,
      eachBatch: (payload) => handleBatch(payload, options.handler, isAlive),
    });
    await Promise.race([crashed, silent(() => Date.now() - alive, stop)]);
  } finally {
    // Nobody else is in its group, so leaving it disturbs nobody.
    await leave(consumer);
  }
}

async function handleBatch(
  { batch, isRunning, heartbeat, resolveOffset }: EachBatchPayload,
  handler: ReaderOptions['handler'],
  isAlive: () => void,
): Promise<void> {
  for (const message of batch.messages) {
    if (!isRunning()) return;
    await handler(batch.topic, message);
    isAlive();
    resolveOffset(message.offset);
    await heartbeat();
  }
}

/** Resolves when told to stop, and rejects when nothing was read for too long. */
async function silent(since: () => Millis, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    if (since() > SILENCE) throw new Error(`the reader read nothing for ${SILENCE} ms`);
    await sleep(500, undefined, { signal: stop }).catch(() => undefined);
  }
}
