// The bus on Kafka: one writer, a reader for each subscription, and the topics, made whenever they are missing. It logs
// once that Kafka went away and once that it came back. It decides nothing and has no state worth keeping.

import type { KafkaMessage } from 'kafkajs';
import { Counter, type Registry } from 'prom-client';
import { type KafkaConfig, SECRETS } from '../protocol/config.ts';
import { misfit } from '../protocol/message-shape.ts';
import { TOPICS, type Topic, topicName } from '../protocol/messages.ts';
import type { Bus, Messages } from './bus.ts';
import type { Secret } from './config.ts';
import { type KafkaSecrets, kafkaClient } from './kafka/client.ts';
import { startReader } from './kafka/reader.ts';
import { makeMissingTopics, removeTopics } from './kafka/topics.ts';
import { startWriter } from './kafka/writer.ts';
import type { Logger } from './log.ts';

/**
 * Makes a bus, which connects in the background, for ever. The secret `kafka-password` is read only when SASL is on.
 */
export function connectBus(config: KafkaConfig, secret: Secret, log: Logger, metrics: Registry): Bus {
  const read = kafkaSecrets(config, secret);
  const client = () => kafkaClient(config, read, 'flashsale', log);
  const topics = new Map<string, Topic>(TOPICS.map((topic) => [topicName(config.prefix, topic), topic]));
  const count = busCounters(metrics);
  const kafka = presence(log);

  const complained = new Set<string>();
  /** Counts what is no message of the sale. The log says each kind once: whoever writes it may write it without end. */
  const drop = (topic: Topic, { dropped, field }: Dropped) => {
    count.dropped.inc({ topic, reason: dropped });
    const kind = `${topic} ${dropped}`;
    if (complained.has(kind)) return;
    complained.add(kind);
    log.warn(
      { topic, reason: dropped, field },
      'dropped what is no message of this sale; more of its kind is only counted',
    );
  };

  let making: Promise<void> | undefined;
  /** Makes the topics that are missing. One attempt runs at a time, and all callers wait for its outcome. */
  const ensureTopics = () => {
    making ??= makeMissingTopics(client(), config)
      .then((made) => {
        if (made.length > 0) log.info({ topics: made }, 'topics made');
      })
      .finally(() => {
        making = undefined;
      });
    return making;
  };

  const writer = startWriter(client(), ensureTopics, (error) => {
    kafka.away(error);
    // The topics may have gone with their data; a publisher alone would never find out.
    ensureTopics().catch(() => undefined);
  });
  const readers: (() => Promise<void>)[] = [];

  return {
    async publish(topic, messages) {
      const encoded = messages.map(({ key, value }) => ({ key, value: JSON.stringify(value) }));
      // The merchant's events move a cursor and must not be lost with one broker. Everything else is repeated.
      const sent = await writer.send(topicName(config.prefix, topic), encoded, topic === 'orders' ? -1 : 1);
      if (sent) kafka.here();
      count.published.inc({ topic, outcome: sent ? 'sent' : 'failed' }, messages.length);
      return sent;
    },

    async subscribe<T extends keyof Messages>(
      wanted: T[],
      { beginning }: { beginning: boolean },
      handler: (topic: T, value: Messages[T]) => Promise<void> | void,
    ) {
      const handle = async (name: string, { key, value }: KafkaMessage) => {
        const topic = topics.get(name) as T;
        const read = readMessage<Messages[T]>(topic, key, value);
        if ('dropped' in read) return drop(topic, read);
        let outcome: 'handled' | 'failed' = 'handled';
        try {
          await handler(topic, read.message);
        } catch (error) {
          outcome = 'failed';
          log.warn({ err: error, topic }, 'a message could not be handled; it will be sent again');
        }
        count.read.inc({ topic, outcome });
      };
      readers.push(
        startReader({
          kafka: client,
          topics: wanted.map((topic) => topicName(config.prefix, topic)),
          beginning,
          groupPrefix: `${config.prefix}.reader`,
          ensureTopics,
          handler: handle,
          reading: kafka.here,
          ended: (error) => {
            count.restarts.inc();
            kafka.away(error);
          },
        }),
      );
    },

    async close() {
      await Promise.all([...readers.map((stop) => stop()), writer.close()]);
    },
  };
}

const kafkaSecrets = (config: KafkaConfig, secret: Secret): KafkaSecrets => ({
  ...(config.sasl ? { password: secret(SECRETS.kafkaPassword) } : {}),
  ...(config.caFile ? { ca: secret(config.caFile) } : {}),
});

/** Deletes a sale's topics for good, when nobody uses them any more. Rejects when Kafka cannot be asked. */
export const deleteTopics = (config: KafkaConfig, secret: Secret, log: Logger): Promise<void> =>
  removeTopics(kafkaClient(config, kafkaSecrets(config, secret), 'flashsale', log), config);

/** Why a record was dropped. */
const DROPPED = ['not-json', 'misfit'] as const;
interface Dropped {
  dropped: (typeof DROPPED)[number];
  /** What does not fit, in the words of message-shape.ts. */
  field?: string;
}

/** Makes a message of a record, or says why it is none. */
function readMessage<T>(topic: Topic, key: Buffer | null, value: Buffer | null): { message: T } | Dropped {
  let message: unknown;
  try {
    message = JSON.parse(value?.toString('utf8') ?? '');
  } catch {
    return { dropped: 'not-json' };
  }
  const field = misfit(topic, key?.toString('utf8') ?? '', message);
  return field === undefined ? { message: message as T } : { dropped: 'misfit', field };
}

/** Logs that Kafka went away or came back. An outage is one line, not one for each attempt. */
function presence(log: Logger) {
  let isAway = false;
  return {
    away: (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      if (!isAway) log.warn({ reason }, 'Kafka does not answer as it should; trying again until it does');
      isAway = true;
    },
    here: () => {
      if (isAway) log.info('Kafka works again');
      isAway = false;
    },
  };
}

const busCounters = (metrics: Registry) => ({
  published: new Counter({
    name: 'flashsale_bus_published_total',
    help: 'Messages given to Kafka, by topic and whether Kafka has them.',
    labelNames: ['topic', 'outcome'] as const,
    registers: [metrics],
  }),
  read: new Counter({
    name: 'flashsale_bus_read_total',
    help: 'Messages of this sale that were read from Kafka, by topic and what became of them.',
    labelNames: ['topic', 'outcome'] as const,
    registers: [metrics],
  }),
  dropped: new Counter({
    name: 'flashsale_bus_dropped_total',
    help: 'Records that are no message of this sale and were dropped where they were read, by topic and reason.',
    labelNames: ['topic', 'reason'] as const,
    registers: [metrics],
  }),
  restarts: new Counter({
    name: 'flashsale_bus_reader_restarts_total',
    help: 'Times a reader ended by itself and was replaced.',
    registers: [metrics],
  }),
});
