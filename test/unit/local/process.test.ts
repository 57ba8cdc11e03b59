// What keeps one process alive, with stand-ins for servers: small programs that live, die, hang and refuse to end.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { alive, type Identity, identify, signal } from '../../../operator/local/identity.ts';
import { readPid, writePid } from '../../../operator/local/pid-file.ts';
import { isFree, Ports } from '../../../operator/local/ports.ts';
import { ask } from '../../../operator/local/probe.ts';
import { end, ManagedProcess } from '../../../operator/local/process.ts';
import { type ProcessSpec, specFingerprint } from '../../../operator/local/process-spec.ts';
import { until } from '../../harness/until.ts';

// Every step waits for a small program to start, which a busy machine does in its own time.
vi.setConfig({ testTimeout: 60_000 });

/** Answers /ready on its port; `behaviour` is more of the program. */
const server = (port: number, behaviour = '') => `
  const { createServer } = require('node:http');
  ${behaviour}
  createServer((request, response) => response.end('ok')).listen(${port}, '127.0.0.1');
`;

let folder: string;
let port: number;
const kept: ManagedProcess[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flashsale-process-'));
  port = await new Ports({}, () => undefined).choose('any');
});

afterEach(async () => {
  await Promise.all(kept.splice(0).map((process) => process.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const pidFile = () => join(folder, 'it.pid.json');
const logOf = () => readFileSync(join(folder, 'it.log'), 'utf8');

const spec = (program: string, patch: Partial<ProcessSpec> = {}): ProcessSpec => ({
  name: 'it',
  title: 'It',
  stage: 'agents',
  command: process.execPath,
  args: ['-e', program],
  env: {},
  cwd: folder,
  files: [],
  probe: { kind: 'http', url: `http://127.0.0.1:${port}/ready` },
  stop: { signal: 'SIGTERM', grace: 5_000 },
  address: '',
  ...patch,
});

function keep(describe: () => ProcessSpec, claim?: () => Promise<void>): ManagedProcess {
  const process = new ManagedProcess({
    name: 'it',
    title: 'It',
    describe,
    pidFile: pidFile(),
    logFile: join(folder, 'it.log'),
    ...(claim ? { claim } : {}),
  });
  kept.push(process);
  return process;
}

const running = (process: ManagedProcess): Identity => {
  if (!process.identity) throw new Error('it does not run');
  return process.identity;
};
/** Ready, and another one than before. */
const readyAgain = (process: ManagedProcess, before: Identity) =>
  until('another one is ready', () => process.phase === 'ready' && process.identity?.pid !== before.pid);

describe('starting', () => {
  test('it is ready when it says so, and its output is in its log', async () => {
    const process = keep(() => spec(server(port, "console.log('hello')")));
    process.start();
    await process.whenReady();
    expect(process.report).toMatchObject({ phase: 'ready', restarts: 0, pid: running(process).pid });
    await until('it is logged', () => logOf().includes('hello'));
  });

  test('why it is not ready is told in its own words', async () => {
    const program = `require('node:http').createServer((_, r) => { r.statusCode = 503; r.end('waits for its database'); }).listen(${port}, '127.0.0.1')`;
    const process = keep(() => spec(program));
    process.start();
    await until('the reason is known', () => process.report.reason === 'waits for its database');
    expect(process.phase).toBe('up');
  });

  test('its files are there before it is, and those to keep are kept', async () => {
    writeFileSync(join(folder, 'kept'), 'before');
    const files = [
      { path: join(folder, 'kept'), content: 'new', keep: true },
      { path: join(folder, 'made', 'anew'), content: 'new', keep: false },
    ];
    const process = keep(() =>
      spec(server(port, "console.log(require('node:fs').readFileSync('made/anew', 'utf8'))"), { files }),
    );
    process.start();
    await process.whenReady();
    expect(readFileSync(join(folder, 'kept'), 'utf8')).toBe('before');
    await until('it has read it', () => logOf().includes('new'));
  });

  test('a program that is missing is said, and tried again', async () => {
    const process = keep(() => spec('', { command: '/nowhere/redis-server' }));
    process.start();
    await until('it is tried again', () => process.report.restarts >= 2);
    expect(process.report.died).toContain('ENOENT');
  });
});

describe('dying', () => {
  test('killed, it comes back', async () => {
    const process = keep(() => spec(server(port)));
    process.start();
    await process.whenReady();
    const before = running(process);
    signal(before, 'SIGKILL');
    await readyAgain(process, before);
    expect(process.report.restarts).toBe(1);
  });

  test('one that dies at once is not started in a tight loop', async () => {
    let starts = 0;
    const process = keep(() => {
      starts++;
      return spec('process.exit(3)');
    });
    process.start();
    await until('it died three times', () => process.report.restarts >= 3);
    expect(process.report.died).toBe('ended with exit code 3');
    // 100 + 200 + 400 ms lie between the four starts.
    expect(starts).toBeLessThanOrEqual(5);
  });

  test('started again, it is what is wanted then, on a port made sure of before', async () => {
    let wanted = 'first';
    let claims = 0;
    const process = keep(
      () => spec(server(port, `console.log('${wanted}')`)),
      async () => {
        claims++;
      },
    );
    process.start();
    await process.whenReady();
    const before = running(process);
    wanted = 'second';
    signal(before, 'SIGKILL');
    await readyAgain(process, before);
    await until('it is the second', () => logOf().includes('second'));
    expect(claims).toBe(2);
  });
});

describe('stopping', () => {
  test('asked to stop, it ends in order and is not started again', async () => {
    const process = keep(() =>
      spec(server(port, "process.on('SIGTERM', () => { console.log('bye'); process.exit(0); })")),
    );
    process.start();
    await process.whenReady();
    const before = running(process);
    await process.stop();
    expect(alive(before)).toBe(false);
    expect(logOf()).toContain('bye');
    expect(process.phase).toBe('stopped');
    expect(existsSync(pidFile())).toBe(false);
  });

  test('one that does not listen is killed after its grace', async () => {
    const deaf = server(port, "process.on('SIGTERM', () => undefined)");
    const process = keep(() => spec(deaf, { stop: { signal: 'SIGTERM', grace: 200 } }));
    process.start();
    await process.whenReady();
    const before = running(process);
    await process.stop();
    expect(alive(before)).toBe(false);
  });

  test('stopped while it starts, it does not start', async () => {
    let prepared = false;
    const prepare = async (stopped: AbortSignal) => {
      await until('it is stopped', () => stopped.aborted);
      prepared = true;
    };
    const process = keep(() => spec(server(port), { prepare }));
    process.start();
    await process.stop();
    expect(prepared).toBe(true);
    expect(await isFree(port)).toBe(true);
  });

  test('stopped while it waits after a death, it stops at once', async () => {
    const process = keep(() => spec('process.exit(1)'));
    process.start();
    await until('it waits', () => process.phase === 'waiting' && process.report.restarts >= 4);
    await process.stop();
    expect(process.phase).toBe('stopped');
  });

  test('one that is stopped can be started again', async () => {
    const process = keep(() => spec(server(port)));
    process.start();
    await process.whenReady();
    await process.stop();
    process.start();
    await process.whenReady();
    expect(process.phase).toBe('ready');
  });
});

describe('after a supervisor that was killed', () => {
  /** What it leaves: a process that nobody keeps, and its pid file. */
  async function orphan({ command, args, stop, stage, ...described }: ProcessSpec): Promise<Identity> {
    const child = spawn(command, args, { cwd: folder, stdio: 'ignore' });
    const left = identify(child.pid ?? -1);
    if (!left) throw new Error('the orphan did not start');
    const print = specFingerprint({ command, args, stop, stage, ...described });
    writePid(pidFile(), { ...left, name: 'it', stage, stop, fingerprint: print, startedAt: Date.now() });
    // By asking: who tries whether the port is free takes it for that moment.
    await until('it listens', async () => (await ask(described.probe)) === undefined);
    return left;
  }

  test('the same process is taken over while it runs', async () => {
    const described = spec(server(port));
    const left = await orphan(described);
    let claims = 0;
    const process = keep(
      () => described,
      async () => {
        claims++;
      },
    );
    process.start();
    await process.whenReady();
    expect(running(process).pid).toBe(left.pid);
    // Its port is taken, by itself.
    expect(claims).toBe(0);
    await process.stop();
    expect(alive(left)).toBe(false);
  });

  test('one that is not what is wanted any more is ended first', async () => {
    const left = await orphan(spec(server(port)));
    const process = keep(() => spec(server(port), { env: { OTHER: '1' } }));
    process.start();
    await readyAgain(process, left);
    expect(alive(left)).toBe(false);
  });

  test('a taken-over process that dies comes back', async () => {
    const described = spec(server(port));
    const left = await orphan(described);
    const process = keep(() => described);
    process.start();
    await process.whenReady();
    signal(left, 'SIGKILL');
    await readyAgain(process, left);
  });

  test('a stranger who has its process id now is left alone', async () => {
    const stranger = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      const it = identify(stranger.pid ?? -1);
      if (!it) throw new Error('the stranger did not start');
      const started = `${it.started}0`;
      writePid(pidFile(), {
        pid: it.pid,
        started,
        name: 'it',
        stage: 'agents',
        stop: { signal: 'SIGKILL', grace: 0 },
        fingerprint: 'of another life',
        startedAt: 0,
      });
      const process = keep(() => spec(server(port)));
      process.start();
      await process.whenReady();
      await end({ pid: it.pid, started }, { signal: 'SIGKILL', grace: 0 });
      expect(signal({ pid: it.pid, started }, 'SIGKILL')).toBe(false);
      expect(alive(it)).toBe(true);
      expect(readPid(pidFile())?.pid).toBe(running(process).pid);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  test('a pid file that is not whole is as good as none', async () => {
    writeFileSync(pidFile(), '{"pid": 1');
    const process = keep(() => spec(server(port)));
    process.start();
    await process.whenReady();
    expect(process.phase).toBe('ready');
  });
});
