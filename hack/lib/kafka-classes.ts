// `node kafka-classes.ts LIBS FILE`: starts Kafka once in a temporary folder, on loopback only, and ends it again; Java
// then writes down the classes that this took. hack/lib/servers.sh calls it when Kafka is installed.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kafkaArguments, kafkaFiles } from '../../operator/local/kafka.ts';
import { HOST, Ports } from '../../operator/local/ports.ts';
import { ask } from '../../operator/local/probe.ts';

const DEADLINE = 120_000;

const [libs, file] = process.argv.slice(2);
if (libs === undefined || file === undefined) throw new Error('usage: node kafka-classes.ts LIBS FILE');

const folder = mkdtempSync(join(tmpdir(), 'flashsale-kafka-'));
// Half a file is never seen under the name that Kafka is started with.
const unfinished = `${file}.new-${process.pid}`;
try {
  const ports = new Ports({}, () => undefined);
  const port = await ports.choose('kafka');
  const server = { folder, port, controllerPort: await ports.choose('controller'), clusterId: 'A'.repeat(22) };
  for (const { path, content } of kafkaFiles(server)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const child = spawn('java', [`-XX:ArchiveClassesAtExit=${unfinished}`, ...kafkaArguments(server, { libs })], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => resolve());
  });
  const deadline = Date.now() + DEADLINE;
  while ((await ask({ kind: 'kafka', at: { host: HOST, port } })) !== undefined) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error('Kafka did not start');
    await sleep(100);
  }
  child.kill('SIGTERM');
  await ended;
  renameSync(unfinished, file);
} finally {
  rmSync(unfinished, { force: true });
  rmSync(folder, { recursive: true, force: true });
}
