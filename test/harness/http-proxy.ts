// Stands in front of a real API server and writes down what is asked. What a test wants to see done to a request is
// done to it (answered at once, or held up); everything else, watches too, is passed on and answered by the real one.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent, request as requestTls } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Asked {
  method: string;
  /** Without its query. */
  path: string;
  query: URLSearchParams;
}

export interface Interference {
  /** Held up for so long first. */
  delay?: number;
  /** Answered instead of the real server. */
  status?: number;
  headers?: Record<string, string>;
  /** The connection is cut without an answer, before the real server hears of the request or after it has done it. */
  cut?: 'before' | 'after';
}

export interface HttpProxy {
  /** Plain HTTP. */
  url: string;
  /** Everything asked so far, in order; may be emptied. */
  asked: Asked[];
  /** Asked about each request; undefined leaves it alone. */
  interfere: (asked: Asked) => Interference | undefined;
  stop(): Promise<void>;
}

const HOST = '127.0.0.1';

export async function startHttpProxy(target: string): Promise<HttpProxy> {
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  const proxy: HttpProxy = { url: '', asked: [], interfere: () => undefined, stop };

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = new URL(request.url ?? '/', target);
    const asked = { method: request.method ?? '', path: at.pathname, query: at.searchParams };
    proxy.asked.push(asked);
    const { delay, status, headers, cut } = proxy.interfere(asked) ?? {};
    if (delay !== undefined) await sleep(delay);
    if (cut === 'before') return void request.socket.destroy();
    if (status !== undefined) return void response.writeHead(status, headers).end('sent away');
    const far = requestTls(at, { method: request.method, headers: { ...request.headers, host: at.host }, agent });
    far.on('response', (answer) => {
      if (cut === 'after') return void request.socket.destroy();
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      // At once, or a watch without news would look as if it had not begun.
      response.flushHeaders();
      answer.on('error', () => response.destroy());
      answer.pipe(response);
    });
    far.on('error', () => response.destroy());
    response.on('close', () => far.destroy());
    request.pipe(far);
  }

  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  proxy.url = `http://${HOST}:${typeof address === 'object' && address ? address.port : 0}`;

  async function stop(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    agent.destroy();
    await closed;
  }
  return proxy;
}
