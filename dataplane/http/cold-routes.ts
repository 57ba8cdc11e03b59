// Routes requests that need no hurry, by way of express, from the same table of operations that the OpenAPI document is
// made of: what is not in the table is answered here. It knows no operation itself.

import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import type { Refusal } from '../protocol/problems.ts';
import { type Answer, refused, send } from './answer.ts';
import type { Operation } from './openapi.ts';

export type Cold = (
  handle: (request: IncomingMessage, id: string) => Answer | Promise<Answer>,
) => RequestHandler<{ id: string }>;

export interface ColdRoutes {
  operations: readonly Operation[];
  /** Adds the routes of the operations. `cold` makes a route of a function that answers and must not reject. */
  add(app: Express, cold: Cold): void;
  /** Is called for a fault of this program. */
  fault(error: unknown): void;
  draining(): boolean;
}

export function coldRoutes({ operations, add, fault, draining }: ColdRoutes): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', false);

  const cold: Cold = (handle) => async (request, response) =>
    send(response, await handle(request, request.params.id), draining());
  add(app, cold);

  for (const [path, methods] of Map.groupBy(operations, (operation) => operation.path)) {
    const allow = methods.map(({ method }) => (method === 'GET' ? 'GET, HEAD' : method)).join(', ');
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
