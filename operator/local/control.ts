// How the command line talks to a running supervisor: HTTP over a Unix socket in the data folder, which only its
// owner may enter. GET /status, POST /apply, POST /stop. Every answer is JSON; a refusal is {"error"}.

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { codeOf, messageOf, UserError } from '../../dataplane/runtime/user-error.ts';
import type { ApiError } from '../api/findings.ts';
import { Refused } from './edit.ts';
import { PRIVATE_FILE } from './files.ts';
import type { SaleReport } from './report.ts';
import type { Applied, ApplyOptions, Supervisor } from './supervisor.ts';

export interface ApplyRequest extends ApplyOptions {
  text: string;
}

type Refusal = { error: string; errors?: ApiError[] };

/** Serves the socket. `stop` ends everything, this server's process included. The caller must hold the folder's lock. */
export async function serveControl(socket: string, supervisor: Supervisor, stop: () => Promise<void>): Promise<Server> {
  const routes: Record<string, (request: IncomingMessage) => Promise<unknown>> = {
    'GET /status': () => supervisor.report(),
    'POST /apply': async (incoming) => {
      const { text: yaml, ...options } = JSON.parse(await text(incoming)) as ApplyRequest;
      return supervisor.apply(yaml, options);
    },
    'POST /stop': async () => {
      await stop();
      return {};
    },
  };
  const server = createServer(async (incoming, response) => {
    const answer = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(JSON.stringify(body));
    const route = routes[`${incoming.method} ${incoming.url}`];
    try {
      if (route) answer(200, await route(incoming));
      else answer(404, { error: 'GET /status, POST /apply or POST /stop' } satisfies Refusal);
    } catch (error) {
      const refusal: Refusal = { error: messageOf(error) };
      if (error instanceof Refused) refusal.errors = error.errors;
      answer(error instanceof UserError ? 422 : 500, refusal);
    }
  });
  // Left over from a supervisor that was killed.
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, PRIVATE_FILE);
  return server;
}

export interface Control {
  status(): Promise<SaleReport>;
  apply(edit: ApplyRequest): Promise<Applied>;
  /** Resolves when every process of the sale is gone. */
  stop(): Promise<void>;
}

/** Calls reject with `UserError` for a refusal, and with `NotRunning` when nobody listens. */
export const control = (socket: string): Control => ({
  status: () => call(socket, 'GET', '/status', 10_000),
  apply: (edit) => call(socket, 'POST', '/apply', 120_000, edit),
  stop: async () => {
    await call(socket, 'POST', '/stop', 90_000);
  },
});

export class NotRunning extends UserError {}

function call<T>(socketPath: string, method: string, path: string, timeout: Millis, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) =>
      reject(
        ['ENOENT', 'ECONNREFUSED', 'ECONNRESET'].includes(codeOf(error) ?? '')
          ? new NotRunning('no supervisor runs this sale; start it with flashsale up')
          : error,
      );
    const outgoing = request({ socketPath, method, path }, async (response) => {
      try {
        const answer = JSON.parse(await text(response)) as T & Refusal;
        if (response.statusCode === 200) resolve(answer);
        else if (answer.errors) reject(new Refused(answer.errors));
        else reject(response.statusCode === 422 ? new UserError(answer.error) : new Error(answer.error));
      } catch (error) {
        fail(error as Error);
      }
    });
    outgoing.once('error', fail);
    outgoing.setTimeout(timeout, () =>
      outgoing.destroy(new UserError(`the supervisor does not answer; its log is beside ${socketPath}, in logs`)),
    );
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
