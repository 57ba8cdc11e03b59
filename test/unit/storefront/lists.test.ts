import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { ListConfig } from '../../../dataplane/protocol/config.ts';
import { BuyerList } from '../../../dataplane/storefront/lists.ts';

const log = pino({ level: 'silent' });
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flashsale-lists-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function list(config: ListConfig): BuyerList {
  const made = new BuyerList(config, join(folder, 'config.json'), log);
  onTestFinished(() => made.close());
  return made;
}

describe('R3: a list of buyers', () => {
  test('may stand in the configuration', () => {
    const made = list({ ids: ['alice'] });
    expect([made.known, made.has('alice'), made.has('bob')]).toEqual([true, true, false]);
  });

  test('may be a file beside the configuration: one id a line, spaces, empty lines and CRLF forgiven', async () => {
    await writeFile(join(folder, 'ids.txt'), 'alice\r\n\n  bob  \ncarol');
    const made = list({ files: ['ids.txt'], ids: ['dave'] });
    await expect.poll(() => made.known).toBe(true);
    expect(['alice', 'bob', 'carol', 'dave', ''].map((id) => made.has(id))).toEqual([true, true, true, true, false]);
  });

  test('is read again when its file changes, also when it is replaced as a whole', async () => {
    const file = join(folder, 'ids.txt');
    await writeFile(file, 'alice\n');
    const made = list({ files: [file] });
    await expect.poll(() => made.has('alice')).toBe(true);
    await writeFile(`${file}.new`, 'bobby\n');
    await rename(`${file}.new`, file);
    await expect.poll(() => made.has('bobby')).toBe(true);
    expect(made.has('alice')).toBe(false);
  });

  test('keeps its last content when the file goes away, and is not known before it was read', async () => {
    const file = join(folder, 'ids.txt');
    const made = list({ files: [file] });
    await made.refresh();
    expect(made.known).toBe(false);
    await writeFile(file, 'alice\n');
    await expect.poll(() => made.known).toBe(true);
    await rm(file);
    await made.refresh();
    expect(made.has('alice')).toBe(true);
  });

  test('may be several files: known when all are, each kept and read again on its own', async () => {
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    await writeFile(one, 'alice\n');
    const made = list({ files: [one, two] });
    await expect.poll(() => made.has('alice')).toBe(true);
    expect(made.known).toBe(false);
    await writeFile(two, 'bob\n');
    await expect.poll(() => made.known).toBe(true);
    await rm(one);
    await writeFile(two, 'carol-1\n');
    await expect.poll(() => made.has('carol-1')).toBe(true);
    expect([made.has('alice'), made.has('bob')]).toEqual([true, false]);
  });

  test('of 300,000 ids is read while other things go on', async () => {
    const ids = Array.from({ length: 300_000 }, (_, i) => `buyer-${i}`);
    await writeFile(join(folder, 'ids.txt'), ids.join('\n'));
    let turns = 0;
    const beat = setInterval(() => turns++, 0);
    onTestFinished(() => clearInterval(beat));
    const made = list({ files: ['ids.txt'] });
    await expect.poll(() => made.known).toBe(true);
    expect(turns).toBeGreaterThan(10);
    expect([made.has('buyer-0'), made.has('buyer-299999'), made.has('buyer-300000')]).toEqual([true, true, false]);
  });
});
