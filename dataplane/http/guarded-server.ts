// An HTTP server that guards itself against slow and oversized requests, and against clients that hold its memory
// (connections.ts). It ends in order: first it accepts nothing new, then it answers everything under way. What is served is
// the caller's matter.

import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../protocol/problems.ts';
import type { Millis } from '../protocol/units.ts';
import { refused, send } from './answer.ts';
import { type ConnectionLimits, Connections, type ConnectionTimes, type Cut } from './connections.ts';

/**
 * An idle connection is kept longer than the usual load balancers keep it (60 s), so that it is they who close first.
 */
const KEEP_ALIVE: Millis = 65_000;
const HEADERS_WITHIN: Millis = 5000;
const REQUEST_WITHIN: Millis = 10_000;
const MAX_HEADER_BYTES = 16_384;
/** A browser behind proxies sends thirty. Each costs several times its bytes. */
const MOST_HEADERS = 100;

const HEADERS_TOO_LARGE: Refusal = {
  problem: 'headers-too-large',
  parameters: { limit: MAX_HEADER_BYTES, count: MOST_HEADERS },
};

export interface Guards {
  /** Is asked for each new connection, so that an edit counts at once. */
  limits(): ConnectionLimits;
  /** Hears of every connection that was cut, and why. */
  cut(why: Cut): void;
  times?: ConnectionTimes;
}

export interface GuardedServer {
  readonly http: Server;
  /** How many connections are open. */
  connections(): number;
  /** Stops accepting, answers what is under way, and resolves; connections that last longer than `within` are cut. */
  drain(within: Millis): Promise<void>;
}

/**
 * Makes the server. `listener` is told how to ask whether the server drains, in which case an answer is to be the last
 * one on its connection, and returns what serves every request that could be read.
 */
export function createGuardedServer(
  listener: (draining: () => boolean) => RequestListener,
  guards: Guards,
): GuardedServer {
  let draining = false;
  const serve = listener(() => draining);
  const http = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE,
      headersTimeout: HEADERS_WITHIN,
      requestTimeout: REQUEST_WITHIN,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      if (!connections.admit(request.socket, response)) return;
      // Names and values in turn. What is beyond the limit was not kept, so nothing may be believed of such a request.
      if (request.rawHeaders.length > 2 * MOST_HEADERS) send(response, refused(HEADERS_TOO_LARGE), true);
      else serve(request, response);
    },
  );
  http.maxHeadersCount = MOST_HEADERS + 1;
  const connections = new Connections(http, guards.limits, guards.cut, guards.times);
  http.on('clientError', unreadable);
  // A header Expect with something unknown is no reason to refuse.
  http.on('checkExpectation', (request, response) => http.emit('request', request, response));

  return {
    http,
    connections: () => connections.count,
    async drain(within) {
      draining = true;
      const ended = new Promise<void>((resolve) => http.close(() => resolve()));
      const cut = setTimeout(() => http.closeAllConnections(), within);
      await ended;
      clearTimeout(cut);
    },
  };
}

/** Answers a request that the HTTP parser gave up on. There is no response object then, only the connection. */
function unreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const refusals: Record<string, Refusal> = {
    HPE_HEADER_OVERFLOW: HEADERS_TOO_LARGE,
    ERR_HTTP_REQUEST_TIMEOUT: { problem: 'request-timeout', parameters: { seconds: REQUEST_WITHIN / 1000 } },
  };
  const refusal = refusals[error.code ?? ''] ?? {
    problem: 'malformed',
    parameters: { what: 'This is not an HTTP/1.1 request.' },
  };
  const { status, headers, body } = refused(refusal);
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'connection: close'];
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`);
  socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
}
