// How the console answers: bodies with the headers that keep a browser careful, and problem documents for what it
// does not do. Writes to the response, decides nothing.

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import { PROBLEM_MEDIA_TYPE } from '../../dataplane/protocol/problems.ts';
import type { Asset } from './assets.ts';

/** Everything comes from here, and nothing may frame or be posted from the page. */
const CAREFUL: Record<string, string> = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export const headersOf = (headers: Record<string, string>): Record<string, string> => ({ ...CAREFUL, ...headers });

export function sendJson(response: ServerResponse, body: unknown): void {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  response.writeHead(200, headersOf(headers)).end(JSON.stringify(body));
}

/** Kept by the browser, and asked about each time: a newer console brings its own. */
export function sendAsset(request: IncomingMessage, response: ServerResponse, { type, etag, body }: Asset): void {
  const headers = headersOf({ 'content-type': type, 'cache-control': 'no-cache', etag });
  if (request.headers['if-none-match'] === etag) response.writeHead(304, headers).end();
  else response.writeHead(200, { ...headers, 'content-length': body.length }).end(body);
}

/** What a request is told instead. Says everything by its status and detail, so it has no type of its own. */
export class Problem extends Error {
  readonly status: number;
  readonly headers: Record<string, string>;
  constructor(status: number, detail: string, headers: Record<string, string> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

export function sendProblem(response: ServerResponse, { status, message, headers }: Problem): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const document = { type: 'about:blank', title: STATUS_CODES[status], status, detail: message };
  const about = { 'content-type': PROBLEM_MEDIA_TYPE, 'cache-control': 'no-store' };
  response.writeHead(status, headersOf({ ...about, ...headers })).end(JSON.stringify(document));
}
