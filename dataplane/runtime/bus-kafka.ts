// The bus on Kafka: one writer, a reader for each subscription, and the topics, made whenever they are missing. It logs
// once that Kafka went away and once that it came back. It decides nothing and has no state worth keeping.

import type { KafkaMessage } from 'kafkajs';
import { Counter, type Registry } from 'prom-client';
import { type KafkaConfig, SECRETS } from '../protocol/config.ts';
import { type KeyRing, keyRing, MAC_HEADER, type MacVerdict } from '../protocol/message-mac.ts';
import { misfit } from '../protocol/message-shape.ts';
import { TOPICS, type Topic, topicName } from '../protocol/messages.ts';
import { CLOUD_EVENTS_MEDIA_TYPE } from '../protocol/order-event.ts';
import type { Bus, Messages } from './bus.ts';
import type { Secret } from './config.ts';
import { type KafkaSecrets, kafkaClient } from './kafka/client.ts';
import { startReader } from './kafka/reader.ts';
import { makeMissingTopics, removeTopics } from './kafka/topics.ts';
import { startWriter } from './kafka/writer.ts';
import type { Logger } from './log.ts';

/** Strangers read the order events: their messages say what they are (CloudEvents' structured mode). */
const HEADERS: Partial<Record<Topic, Record<string, string>>> = { orders: { 'content-type': CLOUD_EVENTS_MEDIA_TYPE } };

/**
 * Makes a bus, which connects in the background, for ever. The secret `bus-key` is read now, `orders-key` with the first
 * message of that topic, and `kafka-password` only when SASL is on. Throws when a key cannot be read.
 */
export function connectBus(config: KafkaConfig, secret: Secret, log: Logger, metrics: Registry): Bus {
  const read = kafkaSecrets(config, secret);
  const client = () => kafkaClient(config, read, 'flashsale', log);
  const topics = new Map<string, Topic>(TOPICS.map((topic) => [topicName(config.prefix, topic), topic]));
  const rings = { internal: keyRing(secret(SECRETS.busKey)), orders: undefined as KeyRing | undefined };
  const ringOf = (topic: Topic): KeyRing => {
    if (topic !== 'orders') return rings.internal;
    rings.orders ??= keyRing(secret(SECRETS.ordersKey));
    return rings.orders;
  };
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
      const name = topicName(config.prefix, topic);
      const ring = ringOf(topic);
      const encoded = messages.map(({ key, value }) => {
        const text = JSON.stringify(value);
        return { key, value: text, headers: { ...HEADERS[topic], [MAC_HEADER]: ring.sign(name, key, text) } };
      });
      // The merchant's events move a cursor and must not be lost with one broker. Everything else is repeated.
      const sent = await writer.send(name, encoded, topic === 'orders' ? -1 : 1);
      if (sent) kafka.here();
      count.published.inc({ topic, outcome: sent ? 'sent' : 'failed' }, messages.length);
      return sent;
    },

    async subscribe<T extends keyof Messages>(
      wanted: T[],
      { beginning }: { beginning: boolean },
      handler: (topic: T, value: Messages[T]) => Promise<void> | void,
    ) {
      const handle = async (name: string, record: KafkaMessage) => {
        const topic = topics.get(name) as T;
        const read = readMessage<Messages[T]>(topic, name, ringOf(topic), record);
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

/** Deletes topics of a sale for good, when nobody uses them any more. Rejects when Kafka cannot be asked. */
export const deleteTopics = (
  config: KafkaConfig,
  topics: readonly Topic[],
  secret: Secret,
  log: Logger,
): Promise<void> => removeTopics(kafkaClient(config, kafkaSecrets(config, secret), 'flashsale', log), config, topics);

/** A record that was dropped. */
interface Dropped {
  dropped: Exclude<MacVerdict, 'valid'> | 'not-json' | 'misfit';
  /** What does not fit, in the words of message-shape.ts. */
  field?: string;
}

/** Makes a message of a record, or says why it is none. Nothing of a record is looked at before its code is verified. */
function readMessage<T>(topic: Topic, name: string, ring: KeyRing, record: KafkaMessage): { message: T } | Dropped {
  const key = record.key?.toString('utf8') ?? '';
  const value = record.value ?? Buffer.alloc(0);
  const verdict = ring.verify(name, key, value, record.headers?.[MAC_HEADER]?.toString());
  if (verdict !== 'valid') return { dropped: verdict };
  let message: unknown;
  try {
    message = JSON.parse(value.toString('utf8'));
  } catch {
    return { dropped: 'not-json' };
  }
  const field = misfit(topic, key, message);
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
