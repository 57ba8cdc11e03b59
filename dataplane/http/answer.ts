// Makes what goes back to a client: status, headers and body, as plain data until the last moment. Answers that never
// change are built once. This file writes to the socket and decides nothing.

import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE, problemDocument, type Refusal, retryAfterOf, statusOf } from '../protocol/problems.ts';

export interface Answer {
  status: number;
  /** Names and values in turn, the form that node:http writes without looking at it. */
  headers: string[];
  /** Text; or, where the same large body is given to many, its bytes, which are then in memory once. */
  body: string | Buffer;
}

function answer(status: number, type: string, body: string, headers: string[]): Answer {
  return {
    status,
    headers: ['content-type', type, 'content-length', String(Buffer.byteLength(body)), ...headers],
    body,
  };
}

/** Makes an answer whose `body` is JSON text already. */
export const json = (status: number, body: string, headers: string[] = []): Answer =>
  answer(status, 'application/json', body, headers);

/**
 * Makes an answer that is given to many from the bytes of another one. It is the last one on its connection: a client that
 * reads nothing could otherwise fill the kernel's buffer of each of its connections with it, which is megabytes.
 */
export const shared = (given: Answer): Answer => ({ ...given, body: Buffer.from(given.body) });

const fixed = new Map<string, Answer>();

/** Makes the answer for a refusal. Without parameters it is always the same one, and is built once. */
export function refused(refusal: Refusal, headers?: string[]): Answer {
  if (refusal.parameters !== undefined || headers !== undefined) return build(refusal, headers);
  const key = `${refusal.problem} ${refusal.retryAfter ?? ''}`;
  let known = fixed.get(key);
  if (known === undefined) {
    known = build(refusal);
    fixed.set(key, known);
  }
  return known;
}

function build(refusal: Refusal, headers: string[] = []): Answer {
  const retryAfter = retryAfterOf(refusal);
  return answer(statusOf(refusal), PROBLEM_MEDIA_TYPE, JSON.stringify(problemDocument(refusal)), [
    ...(retryAfter === undefined ? [] : ['retry-after', String(retryAfter)]),
    ...headers,
  ]);
}

/** Writes an answer. With `last`, the connection takes no further request after it. */
export function send(response: ServerResponse, { status, headers, body }: Answer, last: boolean): void {
  if (response.headersSent) return;
  if (last || typeof body !== 'string') response.shouldKeepAlive = false;
  response.writeHead(status, headers);
  response.end(body);
}
