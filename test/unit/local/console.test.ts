// The console of a sale on this machine: on, off, and on a port of a person's choice.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserError } from '../../../dataplane/runtime/user-error.ts';
import { LocalConsole } from '../../../operator/local/console.ts';
import { dataFolder, makeDataFolder } from '../../../operator/local/data-folder.ts';
import type { SaleReport } from '../../../operator/local/report.ts';
import { Site } from '../../../operator/local/site.ts';

let home: string;
let console: LocalConsole;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'flashsale-local-console-'));
  const folder = dataFolder(join(home, 'data'));
  makeDataFolder(folder);
  const site = new Site(folder, { log: pino({ level: 'silent' }) });
  console = new LocalConsole(site, async () => ({ status: {} }) as SaleReport);
});
afterEach(async () => {
  await console.stop();
  rmSync(home, { recursive: true });
});

const answers = (url = ''): Promise<boolean> =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
const portOf = (url = ''): number => Number(new URL(url).port);

test('it is served on this machine alone, and stays where it is when it is wished for again', async () => {
  expect(console.url).toBeUndefined();
  await console.be({});
  const { url } = console;
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  await console.be({});
  await console.be({ port: portOf(url) });
  expect([console.url, await answers(url)]).toEqual([url, true]);
});

test('it is off when nobody wants it any more, and comes back where it was', async () => {
  await console.be({});
  const { url } = console;
  await console.be('off');
  expect([console.url, await answers(url)]).toEqual([undefined, false]);
  await console.be({});
  expect(console.url).toBe(url);
});

test('it moves to another port that is asked for, and stays when that one is taken', async () => {
  await console.be({});
  const first = console.url;
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  await expect(console.be({ port })).rejects.toThrow(
    new UserError(`port ${port} is in use by another program; choose another one with --console`),
  );
  expect([console.url, await answers(first)]).toEqual([first, true]);
  await new Promise((resolve) => other.close(resolve));
  await console.be({ port });
  expect([portOf(console.url), await answers(console.url), await answers(first)]).toEqual([port, true, false]);
});

test('before a sale was applied it has nothing to show', async () => {
  await console.be({});
  expect(await (await fetch(`${console.url}/api/sales`)).json()).toMatchObject({ sales: [] });
  expect((await fetch(`${console.url}/api/sales/default/x`)).status).toBe(404);
});
