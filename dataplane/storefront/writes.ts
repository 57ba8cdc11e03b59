// Refuses writes that a page of another site could make a visitor's browser send, with the visitor's cookies. A page
// cannot send JSON to another origin without asking it first (CORS), and current browsers say themselves when a request is
// of another site. Pure.

import type { IncomingHttpHeaders } from 'node:http';
import type { Refusal } from '../protocol/problems.ts';

const NOT_JSON: Refusal = { problem: 'unsupported-media-type' };
const CROSS_SITE: Refusal = { problem: 'cross-site' };

/** `origins` are those whose pages may act for their visitors. */
export function refusalOfWrite(headers: IncomingHttpHeaders, origins?: ReadonlySet<string>): Refusal | undefined {
  const type = headers['content-type'];
  if (type !== 'application/json' && !/^application\/json *(;|$)/i.test(type ?? '')) return NOT_JSON;
  if (headers['sec-fetch-site'] !== 'cross-site') return undefined;
  return origins?.has(headers.origin ?? '') ? undefined : CROSS_SITE;
}
