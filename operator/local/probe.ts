// Asks a process whether it is ready. One question, a short wait, no retry: whoever asks asks again.

import { connect } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import type { Address } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { codeOf, messageOf } from '../../dataplane/runtime/user-error.ts';

export type Probe =
  | { kind: 'redis'; at: Address; user: string; password: string }
  | { kind: 'postgres'; at: Address; user: string; password: string }
  | { kind: 'kafka'; at: Address }
  /** 200 is ready; the body of anything else says why not. */
  | { kind: 'http'; url: string };

const PROBE_TIMEOUT: Millis = 2_000;

/** Asks the process. Returns undefined when it is ready, otherwise a few words why not. It never rejects. */
export async function ask(probe: Probe): Promise<string | undefined> {
  try {
    switch (probe.kind) {
      case 'redis':
        return await askRedis(probe.at, probe.user, probe.password);
      case 'postgres':
        return await askPostgres(probe.at, probe.user, probe.password);
      case 'kafka':
        return await askKafka(probe.at);
      case 'http':
        return await askHttp(probe.url);
    }
  } catch (error) {
    return inWords(error);
  }
}

function inWords(error: unknown): string {
  const message = messageOf(error);
  if (codeOf(error) === 'ECONNREFUSED' || message.includes('ECONNREFUSED')) return 'not listening yet';
  // fetch hides the reason one level deeper.
  const cause = error instanceof Error && error.cause !== undefined ? inWords(error.cause) : undefined;
  return cause ?? message;
}

/** Redis answers errors while it loads its file; only PONG will do. */
function askRedis(at: Address, user: string, password: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let reply = '';
    const socket = connect(at.port, at.host, () => socket.write(`AUTH ${user} ${password}\r\nPING\r\n`));
    socket.setTimeout(PROBE_TIMEOUT, () => socket.destroy(new Error('no answer')));
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      reply += text;
      const [authenticated, pinged] = reply.split('\r\n');
      if (pinged === undefined || !reply.endsWith('\r\n')) return;
      socket.destroy();
      resolve(authenticated === '+OK' && pinged === '+PONG' ? undefined : `${authenticated} ${pinged}`.trim());
    });
    socket.once('error', reject);
    socket.once('close', () => resolve('the connection was closed'));
  });
}

async function askPostgres(at: Address, user: string, password: string): Promise<undefined> {
  const client = new Client({
    ...at,
    user,
    password,
    database: 'postgres',
    connectionTimeoutMillis: PROBE_TIMEOUT,
    query_timeout: PROBE_TIMEOUT,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function askKafka(at: Address): Promise<undefined> {
  const admin = new Kafka({
    clientId: 'flashsale-probe',
    brokers: [`${at.host}:${at.port}`],
    logLevel: logLevel.NOTHING,
    connectionTimeout: PROBE_TIMEOUT,
    requestTimeout: PROBE_TIMEOUT,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    await admin.listTopics();
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

async function askHttp(url: string): Promise<string | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT) });
  const text = (await response.text()).trim();
  return response.ok ? undefined : text.slice(0, 200) || `status ${response.status}`;
}
