// A real single-node Kafka in a folder of its own on free ports, for tests that need to lose it, find it again, or
// find it empty. Stop it in the test's `after`; the folder goes with it.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KafkaConfig, SECRETS } from '../../dataplane/protocol/config.ts';
import { dataFolder, type KafkaServer, kafkaArguments, kafkaFiles } from '../../operator/local/kafka.ts';
import { findKafka } from '../../operator/local/tools.ts';
import { freePorts } from './ports.ts';

export interface TestKafka {
  /** `host:port`, the same over restarts. */
  broker: string;
  /** What a sale of this prefix is told. */
  config(prefix: string): KafkaConfig;
  /** Asked to stop, awaited. */
  stop(): Promise<void>;
  kill9(): Promise<void>;
  /** Kills what runs and starts again on the same ports; `wipe`: with nothing of its data. */
  restart(options?: { wipe?: boolean }): Promise<void>;
  /** Stops it and removes its folder. */
  destroy(): Promise<void>;
}

/** The keys of a sale's messages in tests. */
export const BUS_KEY = Buffer.alloc(32, 11).toString('base64');
export const ORDERS_KEY = Buffer.alloc(32, 12).toString('base64');
export const busSecret = (name: string): string => (name === SECRETS.ordersKey ? ORDERS_KEY : BUS_KEY);

export async function startKafka(): Promise<TestKafka> {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-kafka-'));
  const [port, controllerPort] = await freePorts(2);
  if (port === undefined || controllerPort === undefined) throw new Error('no free ports');
  const server: KafkaServer = { folder, port, controllerPort, clusterId: newClusterId() };
  let child = await start(server);

  const stop = (signal: NodeJS.Signals) => end(child, signal);
  return {
    broker: `127.0.0.1:${port}`,
    config: (prefix) => ({ brokers: [`127.0.0.1:${port}`], prefix, replicationFactor: 1, tls: false }),
    stop: () => stop('SIGTERM'),
    kill9: () => stop('SIGKILL'),
    restart: async ({ wipe = false } = {}) => {
      await stop('SIGKILL');
      if (wipe) {
        rmSync(dataFolder(server), { recursive: true, force: true });
        server.clusterId = newClusterId();
      }
      child = await start(server);
    },
    destroy: async () => {
      await stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

// A test run that is cut off must not leave a JVM behind.
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const newClusterId = () => randomBytes(16).toString('base64url');

async function start(server: KafkaServer): Promise<ChildProcess> {
  for (const { path, content, keep } of kafkaFiles(server)) {
    mkdirSync(dirname(path), { recursive: true });
    if (!(keep && existsSync(path))) writeFileSync(path, content);
  }
  const logFile = join(server.folder, 'kafka.log');
  const output = openSync(logFile, 'a');
  const child = spawn('java', kafkaArguments(server, findKafka()), { stdio: ['ignore', output, output] });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const deadline = Date.now() + 60_000;
  while (!(await accepts(server.port))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`Kafka did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
    }
    await sleep(50);
  }
  return child;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  await gone;
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
