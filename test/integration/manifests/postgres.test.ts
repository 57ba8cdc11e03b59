// The shard's pod, as far as it is PostgreSQL: the very commands of its containers, run on this machine with another
// folder, another port and loopback only.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findTools } from '../../../operator/local/tools.ts';
import { SUPERUSER } from '../../../operator/topology/postgres-settings.ts';
import { named, objectsOf, saleOf } from '../../harness/manifests.ts';
import { freePort } from '../../harness/ports.ts';
import { until } from '../../harness/until.ts';

interface Container {
  name: string;
  command: string[];
  readinessProbe: { exec: { command: string[] } };
  livenessProbe: { exec: { command: string[] } };
  lifecycle: { preStop: { exec: { command: string[] } } };
}

type Template = { template: { spec: { initContainers: Container[]; containers: Container[] } } };
const { spec } = (named(objectsOf(saleOf()), 'StatefulSet', 'phone-shard').spec as Template).template;
const [init] = spec.initContainers;
const server = spec.containers.find(({ name }) => name === 'postgres');
if (!init || !server) throw new Error('the pod has other containers now');

const tools = findTools({ kafka: false });
const user = tools.postgresUser ?? {};
const env = { PATH: `${tools.postgresBin}:/usr/bin:/bin` };
const PASSWORD = 'pass word';

let folder = '';
let port = 0;
let running: ChildProcess | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flashsale-pod-'));
  port = await freePort();
  const own = (path: string) =>
    tools.postgresUser ? chownSync(path, tools.postgresUser.uid, tools.postgresUser.gid) : 0;
  writeFileSync(join(folder, 'secret'), PASSWORD, { mode: 0o600 });
  own(join(folder, 'secret'));
  own(folder);
});

afterEach(async () => {
  if (running) {
    running.kill('SIGQUIT');
    await ended(running);
  }
  rmSync(folder, { recursive: true, force: true });
});

/** A command of the pod, where things are in this test. */
const here = (command: string[]): [string, string[]] => {
  const [program = '', ...args] = command.map((word) =>
    word
      .replace(/^\/etc\/flashsale\/superuser\/.*$/, join(folder, 'secret'))
      .replace(/^\/data/, folder)
      .replaceAll('5432', String(port))
      .replace('listen_addresses=*', 'listen_addresses=127.0.0.1')
      .replace(/^kill -INT 1$/, `kill -INT ${running?.pid}`),
  );
  return [program, args];
};
const run = (command: string[]) => promisify(execFile)(...here(command), { env, cwd: '/', ...user });
const succeeds = (command: string[]) =>
  run(command).then(
    () => true,
    () => false,
  );

async function start(): Promise<ChildProcess> {
  const child = spawn(...here(server?.command ?? []), { env, cwd: '/', stdio: 'ignore', ...user });
  running = child;
  child.once('exit', () => {
    if (running === child) running = undefined;
  });
  await until('PostgreSQL to be ready', () => {
    if (child.exitCode !== null) throw new Error(`PostgreSQL ended with ${child.exitCode}`);
    return succeeds(server?.readinessProbe.exec.command ?? []);
  });
  return child;
}

const ended = (child: ChildProcess) =>
  until('PostgreSQL to end', () => child.exitCode !== null || child.signalCode !== null);

async function connected(password = PASSWORD): Promise<Client> {
  const client = new Client({ host: '127.0.0.1', port, user: SUPERUSER, password, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function ask(sql: string): Promise<unknown> {
  const client = await connected();
  try {
    const { rows } = await client.query(sql);
    return Object.values(rows[0] ?? {})[0];
  } finally {
    await client.end();
  }
}

test('a new volume becomes a server that everybody reaches by a password only', async () => {
  await run(init.command);
  await start();
  expect(await ask('SELECT 1')).toBe(1);
  expect(await ask('SHOW server_encoding')).toBe('UTF8');
  await expect(connected('another')).rejects.toThrow(/password authentication failed/);
  expect(readFileSync(join(folder, 'data', 'pg_hba.conf'), 'utf8')).toBe('host all all all scram-sha-256\n');
});

test('a volume that has data keeps it, also when its driver opened it to the group', async () => {
  await run(init.command);
  await start();
  await ask('CREATE TABLE kept AS SELECT 7 AS n');
  await run(server.lifecycle.preStop.exec.command);
  await until('the end', () => running === undefined);
  chmodSync(join(folder, 'data'), 0o2770);
  await run(init.command);
  expect(statSync(join(folder, 'data')).mode & 0o777).toBe(0o700);
  await start();
  expect(await ask('SELECT n FROM kept')).toBe(7);
});

test('cut off half-way, the folder is made anew', async () => {
  const child = spawn(...here(init.command), { env, cwd: '/', stdio: 'ignore', detached: true, ...user });
  await until('initdb to have begun', () => existsSync(join(folder, 'data.unfinished', 'PG_VERSION')));
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await ended(child);
  expect(existsSync(join(folder, 'data'))).toBe(false);
  await run(init.command);
  await start();
  expect(await ask('SELECT 1')).toBe(1);
  expect(existsSync(join(folder, 'data.unfinished'))).toBe(false);
});

test('R32: stopping a pod ends its sessions at once, and the server cleanly', async () => {
  await run(init.command);
  const child = await start();
  const client = await connected();
  const lost = new Promise<Error>((resolve) => client.once('error', resolve));
  await run(server.lifecycle.preStop.exec.command);
  // What the kubelet does next; on its own it would wait for that client.
  child.kill('SIGTERM');
  expect((await lost).message).toMatch(/administrator command/);
  await ended(child);
  expect(child.exitCode).toBe(0);
});

test('probes: alive while it is ready, and neither when it is gone', async () => {
  const [ready, alive] = [server.readinessProbe.exec.command, server.livenessProbe.exec.command];
  expect([await succeeds(ready), await succeeds(alive)]).toEqual([false, false]);
  await run(init.command);
  await start();
  expect([await succeeds(ready), await succeeds(alive)]).toEqual([true, true]);
});
