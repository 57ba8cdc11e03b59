// The HTTP server that buyers reach. The two hot routes go straight from node:http through the seam of hot.ts;
// everything else goes through express. The server guards itself against slow and oversized requests. It ends in order:
// first it accepts nothing new, then it answers everything under way.

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import type { Refusal } from '../protocol/problems.ts';
import type { Millis } from '../protocol/units.ts';
import { type Answer, json, refused, send } from './answer.ts';
import type { Api } from './api.ts';
import { type Handler, hot } from './hot.ts';
import { OPERATIONS } from './openapi.ts';

/**
 * An idle connection is kept longer than the usual load balancers keep it (60 s), so that it is they who close first.
 */
const KEEP_ALIVE: Millis = 65_000;
const HEADERS_WITHIN: Millis = 5000;
const REQUEST_WITHIN: Millis = 10_000;
const MAX_HEADER_BYTES = 16_384;

export interface ServerDeps {
  api: Api;
  /** Returns the OpenAPI document as it is now. */
  openapi(): object;
  /** Is called for a fault of this program. */
  fault(error: unknown): void;
}

export interface BuyersServer {
  readonly http: Server;
  /** Stops accepting, answers what is under way, and resolves; connections that last longer than `within` are cut. */
  drain(within: Millis): Promise<void>;
}

export function createBuyersServer(deps: ServerDeps): BuyersServer {
  const { api } = deps;
  let draining = false;
  const isDraining = () => draining;
  const app = coldRoutes(deps, isDraining);
  const hotRoutes: Record<string, Handler> = { '/purchase': api.purchase, '/checkout': api.checkout };

  const http = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE,
      headersTimeout: HEADERS_WITHIN,
      requestTimeout: REQUEST_WITHIN,
      connectionsCheckingInterval: 1000,
      maxHeaderSize: MAX_HEADER_BYTES,
    },
    (request, response) => {
      const handle = request.method === 'POST' ? hotRoutes[pathOf(request.url ?? '')] : undefined;
      if (handle === undefined) app(request, response);
      else hot(request, response, handle, isDraining);
    },
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

const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};

function coldRoutes({ api, openapi, fault }: ServerDeps, draining: () => boolean) {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', false);

  const cold =
    (handle: (request: IncomingMessage, id: string) => Answer | Promise<Answer>): RequestHandler<{ id: string }> =>
    async (request, response) =>
      send(response, await handle(request, request.params.id), draining());

  app.get('/sale', cold(api.sale));
  app.get(
    '/openapi.json',
    cold(() => json(200, JSON.stringify(openapi()))),
  );
  app.get('/orders/:id', cold(api.look));
  app.post('/orders/:id/cancel', cold(api.cancel));
  app.post('/orders/:id/pay', (request, response) =>
    hot(request, response, (raw, body) => api.pay(raw, body, request.params.id), draining),
  );

  for (const [path, operations] of Map.groupBy(OPERATIONS, (operation) => operation.path)) {
    const allow = operations.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
    const answer = refused({ problem: 'method-not-allowed', parameters: { allow } }, ['allow', allow]);
    app.all(
      path.replace('{id}', ':id'),
      cold(() => answer),
    );
  }
  app.use(cold(() => refused({ problem: 'not-found' })));

  const broken: ErrorRequestHandler = (error, _request, response: ServerResponse, _next) => {
    // A path that cannot be decoded is the client's mistake; anything else is a fault of this program.
    const malformed = error instanceof URIError || error?.status === 400;
    if (!malformed) fault(error);
    const refusal: Refusal = malformed
      ? { problem: 'malformed', parameters: { what: 'The path cannot be decoded.' } }
      : { problem: 'unavailable' };
    send(response, refused(refusal), draining());
  };
  app.use(broken);
  return app;
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
