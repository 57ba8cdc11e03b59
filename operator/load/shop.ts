// The shop as a buyer's client sees it: two calls and what can come of them. Knows HTTP and the problem documents,
// and nothing of what is behind them.

import { Pool } from 'undici';
import type { Millis } from '../../dataplane/protocol/units.ts';

export interface Answer {
  status: number;
  body: Record<string, unknown>;
  /** The problem's code, the last part of its type; undefined: no problem. */
  problem: string | undefined;
  retryAfter: Millis | undefined;
}

export interface Shop {
  post(path: string, buyer: string, body: unknown): Promise<Answer>;
  close(): Promise<void>;
}

/**
 * One client over all storefronts, in turn, as the Service before them would spread the requests (R2). First clicks and
 * everything after them have connections of their own: a buyer who holds a token does not queue behind the crowd.
 */
export function openShop(urls: string[], options: { connections: number; timeout: Millis; header: string }): Shop {
  const settings = {
    connections: options.connections,
    pipelining: 1,
    headersTimeout: options.timeout,
    bodyTimeout: options.timeout,
    connect: { timeout: options.timeout },
  };
  const open = () => urls.map((url) => new Pool(url, settings));
  const clicks = open();
  const visits = open();
  let turn = 0;
  return {
    async post(path, buyer, body) {
      const pools = path === '/purchase' ? clicks : visits;
      const pool = pools[turn++ % pools.length];
      if (!pool) throw new Error('no storefront to ask');
      const response = await pool.request({
        method: 'POST',
        path,
        headers: { 'content-type': 'application/json', [options.header]: buyer },
        body: JSON.stringify(body),
      });
      const parsed = (await response.body.json()) as Record<string, unknown>;
      const type = typeof parsed.type === 'string' ? parsed.type : undefined;
      const wait = Number(response.headers['retry-after']);
      return {
        status: response.statusCode,
        body: parsed,
        problem: response.statusCode >= 400 ? (type?.split('/').at(-1) ?? `status-${response.statusCode}`) : undefined,
        retryAfter: Number.isFinite(wait) && wait > 0 ? wait * 1000 : undefined,
      };
    },
    close: async () => {
      await Promise.all([...clicks, ...visits].map((pool) => pool.destroy()));
    },
  };
}
