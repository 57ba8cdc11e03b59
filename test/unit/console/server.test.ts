// The console over HTTP, with a source made up here.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { AuditReport } from '../../../operator/audit/check.ts';
import type { ConsoleAuth } from '../../../operator/console/auth.ts';
import { type ConsoleOptions, type RunningConsole, startConsole } from '../../../operator/console/server.ts';
import { type SaleSnapshot, type SaleSource, type Sample, Unavailable } from '../../../operator/console/source.ts';

const SALE = '/api/sales/shop/launch';
const LOCAL = { host: '127.0.0.1', port: 0 };

interface Stage {
  source: SaleSource;
  sold: number;
  gone: boolean;
  broken: boolean;
  snapshots: number;
}

function stage(audit?: SaleSource['audit']): Stage {
  const made: Stage = {
    sold: 0,
    gone: false,
    broken: false,
    snapshots: 0,
    source: {
      list: () => (made.gone ? [] : [sale()]),
      snapshot(key) {
        made.snapshots++;
        if (made.broken) throw new Error('the table is not there');
        return key === 'shop/launch' && !made.gone ? sale() : undefined;
      },
      ...(audit ? { audit } : {}),
    },
  };
  const sale = (): SaleSnapshot => ({
    namespace: 'shop',
    name: 'launch',
    sku: 'P-1',
    stock: 100,
    at: Date.now(),
    window: {},
    sold: made.sold,
    available: 100 - made.sold,
    virtual: 100 - made.sold,
  });
  return made;
}

let running: RunningConsole | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function serve(options: Partial<ConsoleOptions> = {}): Promise<string> {
  running = await startConsole({
    source: stage().source,
    listen: LOCAL,
    auth: { kind: 'none' },
    log: pino({ level: 'silent' }),
    period: 20,
    ...options,
  });
  return running.url;
}

/** fetch sets some headers itself, and hides others. */
function ask(url: string, headers: Record<string, string>, method = 'GET'): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers }, async (answer) =>
      resolve({ status: answer.statusCode ?? 0, body: await text(answer) }),
    );
    sent.once('error', reject).end();
  });
}

/** Server-Sent Events as they come. */
async function* events(url: string): AsyncGenerator<{ event: string; data: unknown }> {
  const abort = new AbortController();
  try {
    const answer = await fetch(url, { signal: abort.signal });
    if (!answer.body) return;
    let rest = '';
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split('\n\n');
      rest = parts.pop() ?? '';
      for (const part of parts) {
        const [, event, data] = /event: (.*)\ndata: (.*)/.exec(part) ?? [];
        if (event !== undefined && data !== undefined) yield { event, data: JSON.parse(data) };
      }
    }
  } finally {
    abort.abort();
  }
}

async function first(url: string, event: string, fits: (data: never) => boolean = () => true): Promise<unknown> {
  for await (const heard of events(url)) if (heard.event === event && fits(heard.data as never)) return heard.data;
  throw new Error(`the stream ended without ${event}`);
}

function secretFile(content: string): { file: string; write(content: string): void } {
  const folder = mkdtempSync(join(tmpdir(), 'flashsale-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'secret');
  const write = (value: string) => writeFileSync(file, value);
  write(content);
  return { file, write };
}

const basic = (user: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
});

describe('what it serves', () => {
  test.each([
    ['/', 'text/html; charset=utf-8'],
    ['/sales/shop/launch', 'text/html; charset=utf-8'],
    ['/assets/sale.js', 'text/javascript; charset=utf-8'],
    ['/assets/console.css', 'text/css; charset=utf-8'],
    ['/assets/uplot.js', 'text/javascript; charset=utf-8'],
    ['/assets/uplot.css', 'text/css; charset=utf-8'],
    ['/assets/icon.svg', 'image/svg+xml'],
    ['/api/sales', 'application/json'],
    [SALE, 'application/json'],
  ])('%s', async (path, type) => {
    const answer = await fetch((await serve()) + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, type]);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'self'; .*frame-ancestors 'none'/);
    expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    '/nothing',
    '/sales/shop',
    '/sales/shop/launch/more',
    '/assets/',
    '/assets/tsconfig.json',
    '/assets/..%2f..%2fserver.ts',
    '/assets/../server.ts',
    '/assets/toString',
    '/api',
    '/api/sales/shop/launch/secrets',
    '/api/sales/shop/another',
    '/api/sales/shop/launch/audit',
  ])('nothing at %s', async (path) => {
    const answer = await fetch((await serve()) + path);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect(await answer.json()).toMatchObject({ type: 'about:blank', title: 'Not Found', status: 404 });
  });

  test('a path that cannot be decoded is the asker’s fault', async () => {
    expect(await ask(`${await serve()}/assets/%zz`, {})).toMatchObject({ status: 400 });
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('%s is refused everywhere', async (method) => {
    const url = await serve();
    for (const path of ['/', SALE, `${SALE}/stream`, '/assets/sale.js']) {
      const answer = await fetch(url + path, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
      expect(await answer.json()).toMatchObject({ status: 405, detail: expect.stringContaining('GET') });
    }
  });

  test('a browser that has the file is told so instead of sent it', async () => {
    const url = `${await serve()}/assets/sale.js`;
    const etag = (await fetch(url)).headers.get('etag') ?? '';
    const again = await ask(url, { 'if-none-match': etag });
    expect(again).toEqual({ status: 304, body: '' });
  });

  test('every asset that a page names is there', async () => {
    const url = await serve();
    for (const page of ['/', '/sales/shop/launch']) {
      const html = await (await fetch(url + page)).text();
      const named = [...html.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, path = '']) => new URL(path, url + page));
      expect(named.length).toBeGreaterThan(4);
      for (const asset of named) expect([asset.pathname, (await fetch(asset)).status]).toEqual([asset.pathname, 200]);
      // What the policy would not let through anyway.
      expect(html).not.toMatch(/\sstyle=|\son\w+=|<script>|<style|https?:/);
    }
  });

  test('a source that says why it cannot tell is quoted, in an answer and on the stream', async () => {
    const unavailable = () => {
      throw new Unavailable('Another operator leads.');
    };
    const source = stage().source;
    const url = await serve({ source });
    const stream = events(`${url}${SALE}/stream`);
    await stream.next();
    source.list = unavailable;
    source.snapshot = unavailable;
    for (const path of ['/api/sales', SALE])
      expect(await (await fetch(url + path)).json()).toMatchObject({ status: 503, detail: 'Another operator leads.' });
    for await (const { event, data } of stream)
      if (event === 'trouble') {
        expect(data).toEqual({ detail: 'Another operator leads.' });
        break;
      }
  });

  test('a source that cannot be read is no reason to fall over', async () => {
    const set = stage();
    const url = await serve({ source: set.source });
    set.broken = true;
    const answer = await fetch(url + SALE);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain('table');
    set.broken = false;
    expect((await fetch(url + SALE)).status).toBe(200);
  });
});

describe('the stream', () => {
  test('begins with the curve so far, then brings a snapshot again and again', async () => {
    const set = stage();
    const url = await serve({ source: set.source });
    set.sold = 10;
    const begin = async () => (await first(`${url}${SALE}/stream`, 'begin')) as { samples: Sample[]; audit: boolean };
    await expect
      .poll(async () => (await begin()).samples.at(-1))
      .toMatchObject({ sold: 10, available: 90, virtual: 90 });
    expect(await begin()).toMatchObject({
      audit: false,
      samples: expect.arrayContaining([expect.objectContaining({ sold: 0 })]),
    });
    setTimeout(() => {
      set.sold = 25;
    }, 50);
    expect(await first(`${url}${SALE}/stream`, 'snapshot', ({ sold }: SaleSnapshot) => sold === 25)).toMatchObject({
      name: 'launch',
      sku: 'P-1',
    });
  });

  test('many who watch one sale cost it no more than one', async () => {
    const set = stage();
    const url = await serve({ source: set.source, period: 50 });
    const watching = Array.from({ length: 20 }, () => events(`${url}${SALE}/stream`));
    for (const stream of watching) for (let i = 0; i < 3; i++) await stream.next();
    const before = set.snapshots;
    for (const stream of watching) await stream.next();
    expect(set.snapshots - before).toBeLessThan(10);
    for (const stream of watching) await stream.return(undefined);
  });

  test('a sale that nobody watches any more is not asked about', async () => {
    const set = stage();
    const url = await serve({ source: set.source });
    await first(`${url}${SALE}/stream`, 'snapshot');
    let before = -1;
    const rests = () => {
      const last = before;
      before = set.snapshots;
      return last === before;
    };
    await expect.poll(rests).toBe(true);
  });

  test('there is an end to how many may listen, and a place again when one leaves', async () => {
    const url = `${await serve({ mostListeners: 2 })}${SALE}/stream`;
    const [one, two] = [events(url), events(url)];
    await one.next();
    await two.next();
    const third = await fetch(url);
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '5']);
    await third.body?.cancel();
    await one.return(undefined);
    await expect.poll(() => first(url, 'begin').catch(() => undefined)).toBeDefined();
    await two.return(undefined);
  });

  test('one client does not take the places of all', async () => {
    const url = `${await serve({ mostListenersEach: 1 })}${SALE}/stream`;
    const one = events(url);
    await one.next();
    const second = await fetch(url);
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '5']);
    await second.body?.cancel();
    await one.return(undefined);
    await expect.poll(() => first(url, 'begin').catch(() => undefined)).toBeDefined();
  });

  test('says when the sale is gone, and ends', async () => {
    const set = stage();
    const stream = events(`${await serve({ source: set.source })}${SALE}/stream`);
    await stream.next();
    set.gone = true;
    const rest = [];
    for await (const { event } of stream) rest.push(event);
    expect(rest.at(-1)).toBe('gone');
  });

  test('says when the sale cannot be read, and goes on when it can', async () => {
    const set = stage();
    const url = await serve({ source: set.source });
    const stream = events(`${url}${SALE}/stream`);
    const until = async (wanted: string) => {
      for (;;) if ((await stream.next()).value?.event === wanted) return wanted;
    };
    await until('snapshot');
    set.broken = true;
    expect(await until('trouble')).toBe('trouble');
    set.broken = false;
    expect(await until('snapshot')).toBe('snapshot');
    await stream.return(undefined);
  });

  test('stopping ends it, and the port is free', async () => {
    const url = await serve();
    const stream = events(`${url}${SALE}/stream`);
    await stream.next();
    await running?.stop();
    const ended = await Array.fromAsync(stream).then(() => true);
    expect(ended).toBe(true);
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('the audit', () => {
  const REPORT = { conserved: true, findings: [], places: [] } as unknown as AuditReport;

  test('is made once for all who ask at the same time, and again only after a while', async () => {
    let audits = 0;
    const set = stage(async () => {
      audits++;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return REPORT;
    });
    const url = `${await serve({ source: set.source })}${SALE}/audit`;
    const answers = await Promise.all(Array.from({ length: 5 }, async () => (await fetch(url)).json()));
    expect(answers[0]).toEqual({ at: expect.any(Number), took: expect.any(Number), report: REPORT });
    expect(await (await fetch(url)).json()).toEqual(answers[0]);
    expect(audits).toBe(1);
  });

  test('that fails says so, and may be tried again', async () => {
    let fails = true;
    const set = stage(async () => {
      if (fails) throw new Error('password authentication failed for user x');
      return REPORT;
    });
    const url = `${await serve({ source: set.source })}${SALE}/audit`;
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('password')]);
    fails = false;
    expect((await fetch(url)).status).toBe(200);
  });

  test('is offered only where there is one', async () => {
    const url = await serve({ source: stage(async () => REPORT).source });
    expect(await first(`${url}${SALE}/stream`, 'begin')).toMatchObject({ audit: true });
  });

  test('is not made by looking whether it is there', async () => {
    let audits = 0;
    const set = stage(async () => {
      audits++;
      return REPORT;
    });
    expect(await ask(`${await serve({ source: set.source })}${SALE}/audit`, {}, 'HEAD')).toMatchObject({ status: 405 });
    expect(audits).toBe(0);
  });
});

describe('who may look', () => {
  test('nobody without user and password, not even at an asset; and it says what it wants', async () => {
    const { file } = secretFile('open sesame\n');
    const url = await serve({ auth: { kind: 'basic', user: 'märta', passwordFile: file } });
    for (const path of ['/', '/assets/sale.js', SALE, `${SALE}/stream`, '/nothing']) {
      const answer = await fetch(url + path);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        'Basic realm="flashsale console", charset="UTF-8"',
      ]);
      expect(await answer.json()).toMatchObject({ detail: 'This console asks for a user and a password.' });
    }
    expect((await fetch(url, { headers: basic('märta', 'open sesame') })).status).toBe(200);
  });

  test.each([
    ['another password', basic('sre', 'secret2')],
    ['a part of the password', basic('sre', 'secre')],
    ['another user', basic('admin', 'secret')],
    ['no password', basic('sre', '')],
    ['the password as a token', { authorization: 'Bearer secret' }],
    ['nonsense', { authorization: 'Basic' }],
    ['nothing', { authorization: '' }],
  ])('%s does not open it', async (_, headers) => {
    const auth: ConsoleAuth = { kind: 'basic', user: 'sre', passwordFile: secretFile('secret').file };
    expect(await ask(await serve({ auth }), headers)).toMatchObject({ status: 401 });
  });

  test('after a wrong password the next attempt waits, be it right, and asking without one does not', async () => {
    const auth: ConsoleAuth = { kind: 'basic', user: 'sre', passwordFile: secretFile('secret').file };
    const url = await serve({ auth, loginDelay: 60_000 });
    expect(await ask(url, basic('sre', 'secret'))).toMatchObject({ status: 200 });
    expect(await ask(url, basic('sre', 'guess'))).toMatchObject({ status: 401 });
    expect(await ask(url, basic('sre', 'secret'))).toMatchObject({ status: 429 });
    expect(await ask(url, {})).toMatchObject({ status: 401 });
  });

  test('a bearer token opens it, and its scheme may be written in any case', async () => {
    const auth: ConsoleAuth = { kind: 'bearer', tokenFile: secretFile('t0ken').file };
    const url = await serve({ auth });
    expect((await fetch(url)).headers.get('www-authenticate')).toMatch(/^Bearer /);
    expect(await ask(url, { authorization: 'bearer t0ken' })).toMatchObject({ status: 200 });
    expect(await ask(url, { authorization: 'Bearer t0ken2' })).toMatchObject({ status: 401 });
    expect(await ask(url, { authorization: 'Basic t0ken' })).toMatchObject({ status: 401 });
  });

  test('a secret that is exchanged counts at once; one that is gone lets nobody in', async () => {
    const secret = secretFile('old');
    const url = await serve({ auth: { kind: 'basic', user: 'sre', passwordFile: secret.file } });
    secret.write('new');
    expect(await ask(url, basic('sre', 'old'))).toMatchObject({ status: 401 });
    expect(await ask(url, basic('sre', 'new'))).toMatchObject({ status: 200 });
    secret.write('');
    expect(await ask(url, basic('sre', ''))).toMatchObject({ status: 401 });
  });

  test.each(['', undefined])('it does not start with the secret %j', async (content) => {
    const file = content === undefined ? '/no/such/file' : secretFile(content).file;
    await expect(serve({ auth: { kind: 'bearer', tokenFile: file } })).rejects.toThrow(file);
  });

  test('open on this machine alone, it answers to this machine’s names only', async () => {
    const url = await serve();
    const { port } = new URL(url);
    expect(await ask(url, { host: `evil.example:${port}` })).toMatchObject({ status: 421 });
    for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, '[::1]', 'localhost'])
      expect(await ask(url, { host })).toMatchObject({ status: 200 });
  });

  test('the page of another site gets no figures', async () => {
    const url = await serve();
    expect(await ask(url + SALE, { 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 });
    expect(await ask(url + SALE, { 'sec-fetch-site': 'same-origin' })).toMatchObject({ status: 200 });
  });
});

test('a port that is in use is said, not waited for', async () => {
  const url = await serve();
  await expect(serve({ listen: { ...LOCAL, port: Number(new URL(url).port) } })).rejects.toThrow('EADDRINUSE');
});
