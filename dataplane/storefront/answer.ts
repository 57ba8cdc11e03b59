// What goes back to a buyer, as plain data until the last moment: status, headers, body. Answers that never change
// are built once. Writes to the socket and decides nothing.

import type { ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE, problemDocument, type Refusal, retryAfterOf, statusOf } from '../protocol/problems.ts';

export interface Answer {
  status: number;
  /** Name, value, name, value, …: the form that node:http writes without looking at it. */
  headers: string[];
  body: string;
}

function answer(status: number, type: string, body: string, headers: string[]): Answer {
  return {
    status,
    headers: ['content-type', type, 'content-length', String(Buffer.byteLength(body)), ...headers],
    body,
  };
}

/** `body` is JSON text already. */
export const json = (status: number, body: string, headers: string[] = []): Answer =>
  answer(status, 'application/json', body, headers);

const fixed = new Map<string, Answer>();

/** A refusal without parameters is always the same answer, and is built once. */
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

/** `last`: no further request on this connection. */
export function send(response: ServerResponse, { status, headers, body }: Answer, last: boolean): void {
  if (response.headersSent) return;
  if (last) response.shouldKeepAlive = false;
  response.writeHead(status, headers);
  response.end(body);
}
