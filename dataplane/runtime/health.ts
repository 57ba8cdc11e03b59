// Serves the metrics and the health of a process on a port of its own.

import { createServer, type Server } from 'node:http';
import type { Address } from '../protocol/config.ts';

/** Parses `host:port`, `[::1]:port` or `port` (then the host is 127.0.0.1). Throws when the text is none of these. */
export function parseAddress(text: string): Address {
  const match = /^(?:(\[[^\]]+\]|[^:]+):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535)
    throw new Error(`"${text}" is not an address: write host:port, for example 127.0.0.1:8080`);
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

export interface Health {
  metrics(): Promise<string>;
  contentType: string;
  /** Returns undefined when the process is ready, and otherwise a sentence that says why not. */
  ready(): string | undefined;
}

/** Serves GET /metrics, /healthz (the event loop runs) and /ready. Rejects when the port is taken. */
export function serveHealth(health: Health, at: Address): Promise<Server> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, type: string, body: string) => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (request.url === '/metrics') answer(200, health.contentType, await health.metrics());
    else if (request.url === '/healthz') answer(200, 'text/plain', 'ok\n');
    else if (request.url === '/ready') {
      const reason = health.ready();
      answer(reason === undefined ? 200 : 503, 'text/plain', `${reason ?? 'ready'}\n`);
    } else answer(404, 'text/plain', 'not here: /metrics, /healthz or /ready\n');
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => resolve(server));
  });
}
