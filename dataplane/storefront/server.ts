// The HTTP server that buyers reach. The two hot routes go straight from node:http through the seam of hot.ts;
// everything else goes through express.

import type { Answer } from '../http/answer.ts';
import { coldRoutes } from '../http/cold-routes.ts';
import { createGuardedServer, type GuardedServer, type Guards } from '../http/guarded-server.ts';
import { type Handler, hot } from '../http/hot.ts';
import type { Api } from './api.ts';
import { letIn } from './cors.ts';
import { OPERATIONS } from './openapi.ts';

export interface ServerDeps {
  api: Api;
  /** Returns the answer with the OpenAPI document as it is now. */
  openapi(): Answer;
  guards: Guards;
  /** Returns the origins whose pages may act for their visitors; undefined: none. */
  origins(): ReadonlySet<string> | undefined;
  /** Is called for a fault of this program. */
  fault(error: unknown): void;
}

export function createBuyersServer({ api, openapi, origins, guards, fault }: ServerDeps): GuardedServer {
  const hotRoutes: Record<string, Handler> = { '/purchase': api.purchase, '/checkout': api.checkout };

  return createGuardedServer((draining) => {
    const app = coldRoutes({
      operations: OPERATIONS,
      add(app, cold) {
        app.get('/sale', cold(api.sale));
        app.get('/openapi.json', cold(openapi));
        app.get('/orders/:id', cold(api.look));
        app.post('/orders/:id/cancel', cold(api.cancel));
        app.post('/orders/:id/pay', (request, response) =>
          hot(request, response, (raw, body) => api.pay(raw, body, request.params.id), draining),
        );
      },
      fault,
      draining,
    });
    return (request, response) => {
      const known = origins();
      if (known !== undefined && letIn(request, response, known)) return;
      const handle = request.method === 'POST' ? hotRoutes[pathOf(request.url ?? '')] : undefined;
      if (handle === undefined) app(request, response);
      else hot(request, response, handle, draining);
    };
  }, guards);
}

const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return query < 0 ? url : url.slice(0, query);
};
