// Configures kafkajs: its log lines go to our logger, its sockets do not wait to fill a packet, and it gives up soon,
// because its callers repeat themselves and have to know. It knows no topic.

import { createRequire } from 'node:module';
import { connect as connectTcp, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { type Consumer, type ISocketFactory, Kafka, type LogEntry, logLevel, type Producer } from 'kafkajs';
import type { KafkaConfig } from '../../protocol/config.ts';
import type { Millis } from '../../protocol/units.ts';
import type { Logger } from '../log.ts';

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
    socketFactory: eagerSockets,
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
 * Turns Nagle's algorithm off. With it, kafkajs would hold a small request back until the one before is acknowledged.
 */
const eagerSockets: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : connectTcp({ host, port }, onConnect);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 10_000);
  return socket;
};

/**
 * kafkajs 2.2.4 sets a timer after every response, with a negative delay unless the broker throttles it, and Node
 * warns of that. Such a timer has nothing to do unless something waits or is throttled.
 */
interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  scheduleCheckPendingRequests(): void;
}
const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const schedule = prototype.scheduleCheckPendingRequests;
prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
  if (this.pending.length > 0 || this.throttledUntil > Date.now()) schedule.call(this);
};
