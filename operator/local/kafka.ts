// What a single-node Kafka 4 (KRaft: broker and controller in one process) needs to run on this machine: the files
// to write before it starts, and the arguments of java. Pure text; whoever uses it writes, spawns and kills.
// Writing `meta.properties` ourselves is all that "formatting" the storage means here, and saves a second JVM.

import { join } from 'node:path';

export interface KafkaServer {
  /** Folder of its own: server.properties and, in `data`, everything it keeps. */
  folder: string;
  /** The port on 127.0.0.1 where clients connect, and a second one that only the process itself uses. */
  port: number;
  controllerPort: number;
  /** 22 characters of base64url (16 bytes). A wiped data folder is another cluster and gets another id. */
  clusterId: string;
  /** Java's largest heap in MiB. */
  heap?: number;
}

export const dataFolder = (server: KafkaServer): string => join(server.folder, 'data');
const propertiesFile = (server: KafkaServer): string => join(server.folder, 'server.properties');

/** 16 fixed bytes; there is one data folder per cluster, so nothing has to tell two apart. */
const DIRECTORY_ID = 'Zmxhc2hzYWxlLWthZmthMQ';

const render = (properties: Record<string, string | number | boolean>): string =>
  `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;

/**
 * The files to write before the start. `keep`: written only when not there, for it names the data beside it
 * (remove the data folder, and it goes too).
 */
export function kafkaFiles(server: KafkaServer): { path: string; content: string; keep: boolean }[] {
  const { port, controllerPort, clusterId } = server;
  return [
    {
      path: join(dataFolder(server), 'meta.properties'),
      content: render({ version: 1, 'cluster.id': clusterId, 'node.id': 1, 'directory.id': DIRECTORY_ID }),
      keep: true,
    },
    {
      path: propertiesFile(server),
      keep: false,
      content: render({
        'process.roles': 'broker,controller',
        'node.id': 1,
        'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
        listeners: `CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
        'advertised.listeners': `CLIENT://127.0.0.1:${port}`,
        'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'inter.broker.listener.name': 'CLIENT',
        'controller.listener.names': 'CONTROLLER',
        'log.dirs': dataFolder(server),
        // Topics are made by those who know how they must be kept, never by a first use.
        'auto.create.topics.enable': false,
        'offsets.topic.replication.factor': 1,
        'offsets.topic.num.partitions': 1,
        // Readers have a group each: there is nobody to wait for.
        'group.initial.rebalance.delay.ms': 0,
        // Killed and started again, it waits until its former self counts as gone; the default is 9 s.
        'broker.session.timeout.ms': 3000,
        'broker.heartbeat.interval.ms': 500,
        // The defaults are for big machines: 128 MiB for the cleaner, 10 MiB of index per segment, 20 threads.
        'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
        'log.index.size.max.bytes': 1024 * 1024,
        'num.network.threads': 2,
        'num.io.threads': 4,
        'group.coordinator.threads': 1,
        'background.threads': 2,
      }),
    },
  ];
}

/** Where Kafka's programs are on this machine. */
export interface KafkaPrograms {
  /** The folder of its jars. */
  libs: string;
  /** A file of Kafka's classes as Java has read and checked them once; absent: Java reads every jar at each start. */
  classes?: string | undefined;
}

/**
 * Arguments for `java` (≥ 17). Quick to start rather than quick at its peak. Java ignores a file of classes that was
 * made by another Java or from other jars: it then starts as without one.
 */
export const kafkaArguments = (server: KafkaServer, { libs, classes }: KafkaPrograms): string[] => [
  `-Xmx${server.heap ?? 384}m`,
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  ...(classes === undefined ? [] : [`-XX:SharedArchiveFile=${classes}`]),
  '-cp',
  join(libs, '*'),
  'kafka.Kafka',
  propertiesFile(server),
];
