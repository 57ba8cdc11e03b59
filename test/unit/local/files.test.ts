// Files the driver depends on: the lock of a folder, log files that stay bounded, secrets made once.

import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dataFolder, makeDataFolder } from '../../../operator/local/data-folder.ts';
import { identify } from '../../../operator/local/identity.ts';
import { holderOf, takeLock } from '../../../operator/local/lock.ts';
import { rotateAll } from '../../../operator/local/log-files.ts';
import { secretOf, writeSecrets } from '../../../operator/local/secrets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flashsale-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the lock', () => {
  const lock = () => join(folder, 'lock');

  test('is had once', () => {
    const release = takeLock(lock());
    expect(release).toBeDefined();
    expect(takeLock(lock())).toBeUndefined();
    expect(holderOf(lock())?.pid).toBe(process.pid);
    release?.();
    expect(holderOf(lock())).toBeUndefined();
    expect(takeLock(lock())).toBeDefined();
  });

  test('of a process that is gone is anybody’s', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const holder = identify(child.pid ?? -1);
    writeFileSync(lock(), JSON.stringify(holder));
    expect(takeLock(lock())).toBeUndefined();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    expect(takeLock(lock())).toBeDefined();
  });

  test('of a process whose id another one has now is anybody’s', () => {
    writeFileSync(lock(), JSON.stringify({ pid: process.pid, started: 'another boot/1' }));
    expect(takeLock(lock())).toBeDefined();
  });

  test('that is not readable is anybody’s', () => {
    writeFileSync(lock(), '{');
    expect(takeLock(lock())).toBeDefined();
  });
});

describe('log files', () => {
  test('that grew are set aside, and their writers go on', () => {
    const file = join(folder, 'it.log');
    const writer = openSync(file, 'a');
    for (const text of ['one', 'two', 'three', 'four']) {
      writeSync(writer, text.repeat(10));
      rotateAll(folder, 10);
    }
    writeSync(writer, 'five');
    rotateAll(folder, 10);
    expect(readFileSync(file, 'utf8')).toBe('five');
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('four'.repeat(10));
    expect(readFileSync(`${file}.2`, 'utf8')).toBe('three'.repeat(10));
    expect(existsSync(`${file}.3`)).toBe(false);
  });

  test('of another kind are left alone', () => {
    appendFileSync(join(folder, 'it.txt'), 'x'.repeat(100));
    rotateAll(folder, 10);
    expect(statSync(join(folder, 'it.txt')).size).toBe(100);
  });
});

describe('secrets', () => {
  const names = [{ name: 'internal', encoding: 'base64url' as const }];

  test('are made once and are the owner’s alone', () => {
    const data = dataFolder(join(folder, 'data'));
    makeDataFolder(data);
    writeSecrets(data, names, new Map());
    const first = secretOf(data, 'internal');
    writeSecrets(data, names, new Map());
    expect(secretOf(data, 'internal')).toBe(first);
    expect(Buffer.from(first, 'base64url').length).toBe(32);
    expect(statSync(join(data.secrets, 'internal')).mode & 0o777).toBe(0o600);
  });

  test('that the resource brings are what it says last', () => {
    const data = dataFolder(join(folder, 'data'));
    mkdirSync(data.path);
    makeDataFolder(data);
    writeSecrets(data, [], new Map([['jwt-secret', 'old']]));
    writeSecrets(data, [], new Map([['jwt-secret', 'new']]));
    expect(secretOf(data, 'jwt-secret')).toBe('new');
  });
});
