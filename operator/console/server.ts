// The console's HTTP server: a page for each sale, what the page is made of, and what it asks for. It reads and never
// writes: there is no route that changes anything. Sends nothing but what a SaleSource gives it.
//
//   /   /sales/<namespace>/<name>   /assets/<file>
//   /api/sales   /api/sales/<namespace>/<name>   …/stream (Server-Sent Events)   …/audit
//
// Pages name everything relative to themselves, so that a proxy may put a path in front of all of it.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { Problem, sendAsset, sendJson, sendProblem } from './answers.ts';
import { loadAssets } from './assets.ts';
import { Audits } from './audits.ts';
import { type ConsoleAuth, type Guard, guardOf } from './auth.ts';
import { clientOf, LoginDelay } from './login-delay.ts';
import { startRecorder } from './recorder.ts';
import { type SaleSource, saleKey, Unavailable } from './source.ts';
import { Watches } from './watches.ts';

export interface ConsoleOptions {
  source: SaleSource;
  /** Port 0: a free one. */
  listen: Address;
  auth: ConsoleAuth;
  log: Logger;
  /** The time from one snapshot to the next. */
  period?: Millis;
  mostListeners?: number;
  /** Of one client: an address, or a network of IPv6 addresses. */
  mostListenersEach?: number;
  /** How long the next attempt waits after wrong credentials. */
  loginDelay?: Millis;
}

export interface RunningConsole {
  /** The URL at which this machine can open the console. */
  url: string;
  /** Ends every stream and the server; resolves when the port is free. */
  stop(): Promise<void>;
}

const PERIOD: Millis = 1000;

/** Resolves when it listens; rejects when it cannot, or when the secret of `auth` cannot be read. */
export async function startConsole(options: ConsoleOptions): Promise<RunningConsole> {
  const { source, listen, log, period = PERIOD, mostListeners, mostListenersEach } = options;
  const guard = guardOf(options.auth);
  const recorder = startRecorder(source, period, log);
  const most = {
    ...(mostListeners === undefined ? {} : { most: mostListeners }),
    ...(mostListenersEach === undefined ? {} : { mostEach: mostListenersEach }),
  };
  const logins = new LoginDelay(options.loginDelay);
  const watches = new Watches({ source, history: recorder.history, period, log, ...most });
  const answer = router(source, watches);
  const local = guard === undefined && isLoopback(listen.host);

  const http = createServer(
    { headersTimeout: 5000, requestTimeout: 10_000, maxHeaderSize: 16_384 },
    async (request, response) => {
      try {
        if (guard) await login(request, guard, logins);
        check(request, local);
        await answer(request, response);
      } catch (error) {
        if (!(error instanceof Problem || error instanceof Unavailable))
          log.warn({ err: error, url: request.url }, 'the console cannot answer');
        sendProblem(response, error instanceof Problem ? error : new Problem(503, whyNot(error)));
      }
    },
  );
  try {
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(listen.port, listen.host, resolve);
    });
  } catch (error) {
    recorder.stop();
    throw error;
  }
  const url = urlOf(http.address() as AddressInfo);
  log.info({ url, auth: options.auth.kind }, 'the console is served');
  return {
    url,
    async stop() {
      recorder.stop();
      const closed = new Promise<void>((resolve) => http.close(() => resolve()));
      watches.stop();
      http.closeIdleConnections();
      setTimeout(() => http.closeAllConnections(), 1000).unref();
      await closed;
    },
  };
}

/** Resolves when whoever asks may look. Rejects with `Problem` otherwise. */
async function login({ headers, socket }: IncomingMessage, guard: Guard, logins: LoginDelay): Promise<void> {
  const { authorization } = headers;
  const { remoteAddress = '' } = socket;
  const refused = new Problem(401, `This console asks for ${guard.asks}.`, { 'www-authenticate': guard.challenge });
  // A browser asks without credentials first, and guesses nothing by it.
  if (authorization === undefined) throw refused;
  const wait = logins.turn(remoteAddress, performance.now());
  if (wait === undefined)
    throw new Problem(429, 'Wrong credentials came from this address; wait a little.', { 'retry-after': '5' });
  if (wait > 0) await sleep(wait);
  if (guard.admits(authorization)) return;
  logins.failed(remoteAddress, performance.now());
  throw refused;
}

/** Throws `Problem` for a request that is not answered at all. */
function check({ method = '', headers }: IncomingMessage, local: boolean): void {
  // A page elsewhere could have its own name point to this machine, and read what is only open here.
  if (local && !isLoopback(hostIn(headers.host)))
    throw new Problem(421, 'This console answers to localhost and 127.0.0.1 only.');
  if (method !== 'GET' && method !== 'HEAD')
    throw new Problem(405, 'The console only shows: GET and HEAD are allowed.', { allow: 'GET, HEAD' });
}

function router(source: SaleSource, watches: Watches) {
  const assets = loadAssets();
  const audits = source.audit && new Audits(source.audit.bind(source));

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [first, ...rest] = pathOf(request);
    const file = (name = '') => {
      const asset = assets.get(name);
      if (!asset) throw nothingHere();
      sendAsset(request, response, asset);
    };
    if (first === '' && rest.length === 0) return file('index.html');
    if (first === 'sales' && rest.length === 2) return file('sale.html');
    if (first === 'assets' && rest.length === 1) return file(rest[0]);
    const [what, namespace = '', name = '', part] = rest;
    if (first !== 'api' || what !== 'sales') throw nothingHere();
    fromHere(request);
    if (rest.length === 1) return sendJson(response, { at: Date.now(), sales: await source.list() });

    const key = saleKey(namespace, name);
    const snapshot = await source.snapshot(key);
    if (!snapshot) throw new Problem(404, `There is no sale ${key}.`);
    if (rest.length === 3) return sendJson(response, snapshot);
    if (rest.length !== 4) throw nothingHere();
    if (part !== 'stream' && !(part === 'audit' && audits)) throw nothingHere();
    if (request.method !== 'GET') throw new Problem(405, 'GET is allowed here.', { allow: 'GET' });
    if (part === 'stream') watches.listen(key, response, clientOf(request.socket.remoteAddress ?? ''));
    else sendJson(response, await audits?.run(key));
  };
}

/** What goes wrong inside is for the log. */
const whyNot = (error: unknown): string =>
  error instanceof Unavailable ? error.message : 'This cannot be read right now.';

const nothingHere = () => new Problem(404, 'There is nothing here: see / for the sales.');

/** The path's parts, decoded. */
function pathOf({ url = '/' }: IncomingMessage): string[] {
  try {
    return new URL(url, 'http://console').pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw new Problem(400, 'The path cannot be decoded.');
  }
}

/** Refuses requests of other sites' pages, which a browser marks as such. Throws `Problem`. */
function fromHere({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new Problem(403, 'Only the console’s own pages may ask for this.');
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);

/** Returns the host without the port and without the brackets of an IPv6 address. */
const hostIn = (header = ''): string => header.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');

function urlOf({ address, port, family }: AddressInfo): string {
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
