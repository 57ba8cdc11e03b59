// Who is watching which sale. Everybody who watches one sale is sent the same snapshots, about one a second, as
// Server-Sent Events; a sale that nobody watches costs nothing. Bounded in listeners, and in what one of them may hold
// up: to somebody who reads slowly the next snapshots are not sent at all.
//
// Events: `begin` (first: the curve so far, and whether an audit is offered), `snapshot`, `gone` (there is no such sale
// any more; the stream ends), `trouble` (it cannot be read at the moment; `detail` may say why).

import type { ServerResponse } from 'node:http';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { startPeriodicLoop } from '../../dataplane/runtime/loop.ts';
import { headersOf, Problem } from './answers.ts';
import { type SaleKey, type SaleSnapshot, type SaleSource, type Sample, Unavailable } from './source.ts';

/** The most listeners over all sales. A browser's tab is one while somebody looks at it. */
const MOST_LISTENERS = 64;
/** The most of one client, so that nobody keeps all others from watching. Many may be behind one proxy. */
const MOST_EACH = 24;
/** The wait after which a browser comes back by itself when the connection was cut. */
const COME_BACK: Millis = 2000;

export interface WatchesOptions {
  source: SaleSource;
  history(key: SaleKey): readonly Sample[];
  period: Millis;
  log: Logger;
  most?: number;
  mostEach?: number;
}

interface Watch {
  listeners: Set<ServerResponse>;
  last: SaleSnapshot | undefined;
  stop(): void;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #watches = new Map<SaleKey, Watch>();
  #listeners = 0;
  readonly #clients = new Map<string, number>();

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** Takes the response over until either side ends it. Throws `Problem` when there are too many. */
  listen(key: SaleKey, response: ServerResponse, client: string): void {
    const { most = MOST_LISTENERS, mostEach = MOST_EACH, history, source } = this.#options;
    if (this.#listeners >= most)
      throw new Problem(503, `${most} pages are open on this console; close one of them`, { 'retry-after': '5' });
    const open = this.#clients.get(client) ?? 0;
    if (open >= mostEach)
      throw new Problem(429, `${mostEach} pages are open from this address; close one of them`, { 'retry-after': '5' });
    response.writeHead(
      200,
      headersOf({
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        connection: 'close',
      }),
    );
    const begin = { samples: history(key), audit: source.audit !== undefined };
    response.write(`retry: ${COME_BACK}\n\n${event('begin', begin)}`);
    const watch = this.#watches.get(key) ?? this.#begin(key);
    if (watch.last) response.write(event('snapshot', watch.last));
    watch.listeners.add(response);
    this.#listeners++;
    this.#clients.set(client, open + 1);
    response.once('close', () => {
      this.#listeners--;
      this.#leave(client);
      watch.listeners.delete(response);
      if (watch.listeners.size === 0) this.#end(key, watch);
    });
  }

  #leave(client: string): void {
    const open = (this.#clients.get(client) ?? 1) - 1;
    if (open > 0) this.#clients.set(client, open);
    else this.#clients.delete(client);
  }

  stop(): void {
    for (const [key, watch] of this.#watches) {
      this.#end(key, watch);
      for (const listener of watch.listeners) listener.end();
    }
  }

  #begin(key: SaleKey): Watch {
    const { source, period, log } = this.#options;
    const watch: Watch = { listeners: new Set(), last: undefined, stop: () => undefined };
    const send = (text: string) => {
      for (const listener of watch.listeners) if (!listener.writableNeedDrain) listener.write(text);
    };
    const look = async () => {
      const snapshot = await source.snapshot(key);
      watch.last = snapshot;
      if (snapshot) return send(event('snapshot', snapshot));
      this.#end(key, watch);
      for (const listener of watch.listeners) listener.end(event('gone', {}));
    };
    const failed = (_: string, error: unknown, failures: number) => {
      if (failures > 1 || this.#watches.get(key) !== watch) return;
      send(event('trouble', error instanceof Unavailable ? { detail: error.message } : {}));
    };
    this.#watches.set(key, watch);
    const name = 'console: read a sale';
    const loop = startPeriodicLoop(systemClock, name, period, log.child({ sale: key }), look, failed);
    watch.stop = () => void loop.stop();
    return watch;
  }

  #end(key: SaleKey, watch: Watch): void {
    watch.stop();
    if (this.#watches.get(key) === watch) this.#watches.delete(key);
  }
}

const event = (name: string, data: unknown): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
