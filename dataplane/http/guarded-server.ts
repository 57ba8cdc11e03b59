// An HTTP server that guards itself against slow and oversized requests. It ends in order: first it accepts nothing new,
// then it answers everything under way. What is served is the caller's matter.

import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Refusal } from '../protocol/problems.ts';
import type { Millis } from '../protocol/units.ts';
import { refused } from './answer.ts';

/**
 * An idle connection is kept longer than the usual load balancers keep it (60 s), so that it is they who close first.
 */
const KEEP_ALIVE: Millis = 65_000;
const HEADERS_WITHIN: Millis = 5000;
const REQUEST_WITHIN: Millis = 10_000;
const MAX_HEADER_BYTES = 16_384;

export interface GuardedServer {
  readonly http: Server;
  /** Stops accepting, answers what is under way, and resolves; connections that last longer than `within` are cut. */
  drain(within: Millis): Promise<void>;
}

/**
 * Makes the server. `listener` is told how to ask whether the server drains, in which case an answer is to be the last
 * one on its connection, and returns what serves every request that could be read.
 */
export function createGuardedServer(listener: (draining: () => boolean) => RequestListener): GuardedServer {
  let draining = false;
  const http = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE,
      headersTimeout: HEADERS_WITHIN,
      requestTimeout: REQUEST_WITHIN,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    listener(() => draining),
  );
  http.on('clientError', unreadable);
  // A header Expect with something unknown is no reason to refuse.
  http.on('checkExpectation', (request, response) => http.emit('request', request, response));

  return {
    http,
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
    HPE_HEADER_OVERFLOW: { problem: 'headers-too-large', parameters: { limit: MAX_HEADER_BYTES } },
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
