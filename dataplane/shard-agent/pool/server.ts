// Serves POST /refill to storefronts that have the internal bearer token. It is small on purpose: one route, one
// method, bounded bodies, and an answer even when the registry is away, because "cannot say" is an answer here.

import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Address } from '../../protocol/config.ts';
import { parseRefill, REFILL_PATH, type RefillAnswer } from '../../protocol/refill.ts';
import type { Millis } from '../../protocol/units.ts';
import type { Logger } from '../../runtime/log.ts';
import type { PoolMetrics } from '../metrics.ts';
import type { Refill } from './refill.ts';

const LONGEST_BODY = 1024;
const REQUEST_TIMEOUT: Millis = 5000;
const CANNOT_SAY: RefillAnswer = { outcome: 'unavailable', liveUnits: 0 };

interface Answer {
  status: number;
  headers?: Record<string, string>;
  body: object;
}

const refuse = (status: number, error: string, headers?: Record<string, string>): Answer => ({
  status,
  body: { error },
  ...(headers ? { headers } : {}),
});

/** Starts the server. `refill` returns undefined while another instance acts. Rejects when the server cannot listen. */
export function serveRefills(
  at: Address,
  bearer: string,
  refill: () => Refill | undefined,
  metrics: PoolMetrics,
  log: Logger,
): Promise<Server> {
  const isAllowed = bearerCheck(bearer);

  async function answer(request: IncomingMessage): Promise<Answer> {
    if (request.url !== REFILL_PATH) return refuse(404, `not here: POST ${REFILL_PATH}`);
    if (request.method !== 'POST') return refuse(405, 'use POST', { allow: 'POST' });
    if (!isAllowed(request.headers.authorization))
      return refuse(401, 'the internal bearer is missing or wrong', { 'www-authenticate': 'Bearer' });
    const text = await readBody(request);
    if (text === undefined) return refuse(413, `a request is at most ${LONGEST_BODY} bytes`, { connection: 'close' });
    const wanted = parseRefill(text);
    if (!wanted) return refuse(400, 'write {"node":"c0","quantity":1}');
    const act = refill();
    if (!act) return { status: 503, body: CANNOT_SAY };
    const began = performance.now();
    const body = await act(wanted).catch((error) => {
      log.warn({ err: error, node: wanted.node }, 'a refill failed');
      return CANNOT_SAY;
    });
    metrics.refill(body.outcome);
    metrics.refillTook(performance.now() - began);
    return { status: 200, body };
  }

  const server = createServer({ requestTimeout: REQUEST_TIMEOUT }, (request, response) => {
    answer(request).then(
      ({ status, headers, body }) =>
        response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body)),
      // The request broke off: there is nobody to answer.
      () => response.destroy(),
    );
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, () => resolve(server));
  });
}

/** Makes a check of the header Authorization that takes constant time, whatever the lengths. */
function bearerCheck(bearer: string): (header: string | undefined) => boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(`Bearer ${bearer}`);
  return (header) => header !== undefined && timingSafeEqual(digest(header), expected);
}

/** Resolves to undefined when the body is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
