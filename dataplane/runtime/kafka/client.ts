// Configures kafkajs: its log lines go to our logger, its sockets do not wait to fill a packet and take no frame that
// could fill the memory, and it gives up soon, because its callers repeat themselves and have to know. It knows no topic.

import { createRequire } from 'node:module';
import { connect as connectTcp, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import {
  CompressionTypes,
  type Consumer,
  type ISocketFactory,
  Kafka,
  type LogEntry,
  logLevel,
  type Producer,
} from 'kafkajs';
import type { KafkaConfig } from '../../protocol/config.ts';
import type { Millis } from '../../protocol/units.ts';
import type { Logger } from '../log.ts';
import { watchFrames } from './frames.ts';

/** The secrets for Kafka, where the configuration names them. */
export interface KafkaSecrets {
  password?: string;
  ca?: string;
}

export function kafkaClient(config: KafkaConfig, { password, ca }: KafkaSecrets, clientId: string, log: Logger): Kafka {
  const { brokers, tls, sasl } = config;
  return new Kafka({
    brokers,
    clientId,
    ssl: tls && ca !== undefined ? { ca: [ca] } : tls,
    ...(sasl && password !== undefined ? { sasl: { ...sasl, password } as never } : {}),
    connectionTimeout: 1000,
    authenticationTimeout: 3000,
    requestTimeout: 3000,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
    socketFactory: guardedSockets,
    logLevel: logLevel.WARN,
    // kafkajs warns at every attempt while a broker is away; the bus logs that once.
    logCreator: () => (entry: LogEntry) => log.debug({ kafkajs: entry.namespace }, entry.log.message),
  });
}

const LEAVE_WITHIN: Millis = 2000;

/**
 * Disconnects, and waits for what is in flight, but not for long: a broker that fell silent never answers. The rest
 * ends with its sockets.
 */
export const leave = (client: Pick<Consumer | Producer, 'disconnect'>): Promise<void> =>
  Promise.race([client.disconnect().catch(() => undefined), sleep(LEAVE_WITHIN, undefined, { ref: false })]);

/**
 * No answer that a role asks for is longer. Readers ask for at most 4 MiB at a time; the list of all topics of a large
 * Kafka cluster needs the rest.
 */
const LONGEST_FRAME = 16 * 1024 * 1024;

/**
 * Turns Nagle's algorithm off, because with it kafkajs would hold a small request back until the one before is
 * acknowledged; and ends a connection whose broker announces a frame that nobody asked for, before kafkajs sees it.
 */
const guardedSockets: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 10_000);
  const frames = watchFrames(LONGEST_FRAME);
  const emit = socket.emit.bind(socket) as (event: string | symbol, ...values: unknown[]) => boolean;
  socket.emit = (event: string | symbol, ...values: unknown[]): boolean => {
    if (event !== 'data' || frames.admit(values[0] as Buffer)) return emit(event, ...values);
    socket.destroy(new Error(`the broker announced a frame of more than ${LONGEST_FRAME} bytes`));
    return true;
  };
  return socket;
};

/**
 * Refuses compressed records. No role sends any, and the topics are made so that a broker stores none; a small one could
 * unpack to gigabytes.
 */
const refuse = () => {
  throw new Error('a topic holds compressed records; make it with compression.type=uncompressed');
};
const required = createRequire(import.meta.url);
// Node finds most names that this CommonJS package exports, and not this one.
const { CompressionCodecs } = required('kafkajs') as typeof import('kafkajs');
const { GZIP, Snappy, LZ4, ZSTD } = CompressionTypes;
for (const type of [GZIP, Snappy, LZ4, ZSTD] as const) CompressionCodecs[type] = refuse;

/**
 * kafkajs 2.2.4 sets a timer after every response, with a negative delay unless the broker throttles it, and Node
 * warns of that. Such a timer has nothing to do unless something waits or is throttled.
 */
interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}
const { prototype } = required('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const schedule = prototype.scheduleCheckPendingRequests;
prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};
