// The seam between bare node:http and the hot routes. express costs half of what one request costs in all, so a
// purchase and a checkout pass through here instead: body in, one handler, answer out. It knows no rule of the sale.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, refused, send } from './answer.ts';

/** The most bytes a body may have. The largest legal one, a checkout with the longest buyer id, is well below. */
const BODY_LIMIT = 4096;
/** A larger body is read and forgotten up to here, so that the client reads our answer instead of a reset. */
const MAX_DRAIN_BYTES = 1024 * 1024;

const TOO_LARGE = refused({ problem: 'too-large', parameters: { limit: BODY_LIMIT } });

/**
 * Reads the body as text, then calls `done` once: with undefined when it was too large, and never when the client went
 * away.
 */
function readBody(request: IncomingMessage, done: (body: string | undefined) => void): void {
  let size = 0;
  let first: Buffer | undefined;
  let whole: Buffer | undefined;
  let over = false;
  request.on('data', (chunk: Buffer) => {
    const start = size;
    size += chunk.length;
    if (over) return;
    if (size > MAX_DRAIN_BYTES) {
      over = true;
      done(undefined);
    } else if (size > BODY_LIMIT) first = whole = undefined;
    else if (start === 0) first = chunk;
    else {
      // One buffer for all further pieces: kept one by one, a body in pieces of a byte would cost hundreds of times its size.
      whole ??= startOf(first);
      chunk.copy(whole, start);
    }
  });
  request.on('end', () => {
    if (over) return;
    if (size > BODY_LIMIT) done(undefined);
    else if (whole !== undefined) done(whole.toString('utf8', 0, size));
    else done(first === undefined ? '' : first.toString());
  });
}

/** Makes room for a whole body, with the first piece of it. */
function startOf(first: Buffer | undefined): Buffer {
  const whole = Buffer.allocUnsafeSlow(BODY_LIMIT);
  first?.copy(whole);
  return whole;
}

/** Answers one request. It must not throw and must not reject: a refusal is an answer, too. */
export type Handler = (request: IncomingMessage, body: string) => Answer | Promise<Answer>;

/**
 * Serves one request. `draining` is asked when the answer is ready; when it returns true, the answer is the last one on
 * its connection.
 */
export function hot(
  request: IncomingMessage,
  response: ServerResponse,
  handle: Handler,
  draining: () => boolean,
): void {
  readBody(request, (body) => {
    if (body === undefined) return send(response, TOO_LARGE, draining() || !request.complete);
    const answer = handle(request, body);
    if (answer instanceof Promise) answer.then((ready) => send(response, ready, draining()));
    else send(response, answer, draining());
  });
}
