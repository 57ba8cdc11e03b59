// Lets pages of some other origins call the storefront from a browser (CORS, https://fetch.spec.whatwg.org/). It is off
// unless the sale names origins. Their pages may send cookies, because the login before a storefront may need them; so
// only origins that are named are let in, never all.

import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a page may send: JSON, and a bearer token. A header that a proxy sets is none of a page's business. */
const PREFLIGHT = {
  'access-control-allow-methods': 'GET, HEAD, POST',
  'access-control-allow-headers': 'content-type, authorization',
  'access-control-max-age': '600',
};

/**
 * Puts the headers on the answer that the request's origin may read it. Answers a preflight by itself, and then returns
 * true. What was not asked for by one of the origins is left as it is.
 */
export function letIn(request: IncomingMessage, response: ServerResponse, origins: ReadonlySet<string>): boolean {
  response.setHeader('vary', 'origin');
  const { origin } = request.headers;
  if (origin === undefined || !origins.has(origin)) return false;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-credentials', 'true');
  response.setHeader('access-control-expose-headers', 'retry-after');
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  response.writeHead(204, PREFLIGHT).end();
  return true;
}
