// Makes the five topics where they are missing: at the start, and again when a Kafka cluster comes back without them. A
// topic that exists is never changed: an administrator may have made it otherwise.

import type { ITopicConfig, Kafka } from 'kafkajs';
import type { KafkaConfig } from '../../protocol/config.ts';
import { COMPACTED, TOPICS, type Topic, topicName } from '../../protocol/messages.ts';

const MIB = 1024 * 1024;
const MINUTE = 60_000;

const KEPT: Record<'state' | 'passing' | 'record', Record<string, string | number>> = {
  /**
   * Topics of state keep the last message of every key. They are compacted often, so that a reader from the beginning
   * is through soon.
   */
  state: {
    'cleanup.policy': 'compact',
    'segment.bytes': 4 * MIB,
    'segment.ms': 5 * MINUTE,
    'min.cleanable.dirty.ratio': 0.2,
    'max.compaction.lag.ms': 10 * MINUTE,
    'delete.retention.ms': MINUTE,
  },
  /** Messages that senders repeat until they have arrived are kept for an hour: nobody reads an old one. */
  passing: { 'cleanup.policy': 'delete', 'segment.bytes': 16 * MIB, 'retention.ms': 60 * MINUTE },
  /** Messages for the merchant are kept as long as the Kafka cluster keeps things by default. */
  record: { 'cleanup.policy': 'delete' },
};

/**
 * No role compresses what it sends, and readers refuse what is compressed, because a small record could unpack to
 * gigabytes. So the broker unpacks what others send, and stores only what is small then, too.
 */
const PLAIN = { 'compression.type': 'uncompressed', 'max.message.bytes': MIB };

const kindOf = (topic: Topic) => (topic === 'orders' ? 'record' : COMPACTED.includes(topic) ? 'state' : 'passing');

/**
 * Each topic has one partition: a sale's whole traffic is small for Kafka, and the order of all events of a shard is
 * kept.
 */
const topicConfigs = (config: KafkaConfig): ITopicConfig[] =>
  TOPICS.map((topic) => ({
    topic: topicName(config.prefix, topic),
    numPartitions: 1,
    replicationFactor: config.replicationFactor,
    configEntries: Object.entries({ ...PLAIN, ...KEPT[kindOf(topic)] }).map(([name, value]) => ({
      name,
      value: String(value),
    })),
  }));

/**
 * Makes the missing topics, and resolves to the names of those it made (another process may have been first). Rejects
 * when Kafka cannot be asked.
 */
export async function makeMissingTopics(kafka: Kafka, config: KafkaConfig): Promise<string[]> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const missing = topicConfigs(config).filter(({ topic }) => !there.has(topic));
    if (missing.length === 0) return [];
    const made = await admin.createTopics({ topics: missing, waitForLeaders: true, timeout: 3000 });
    return made ? missing.map(({ topic }) => topic) : [];
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

/** Deletes those of the topics that exist. Rejects when Kafka cannot be asked. */
export async function removeTopics(kafka: Kafka, { prefix }: KafkaConfig, topics: readonly Topic[]): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const there = new Set(await admin.listTopics());
    const names = topics.map((topic) => topicName(prefix, topic)).filter((name) => there.has(name));
    if (names.length > 0) await admin.deleteTopics({ topics: names, timeout: 5000 });
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}
