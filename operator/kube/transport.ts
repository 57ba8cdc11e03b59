// One request to the API server, and one watch: at our rate, within a time, sent again where that is harmless and the
// server says that it will soon be better. Knows HTTP, not Kubernetes' objects; what is wrong is a KubeError.

import type { Dispatcher } from 'undici';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import { type Rate, takeToken } from '../../dataplane/runtime/token-bucket.ts';
import type { Connection } from './connection.ts';
import { errorOfAnswer, KubeError } from './errors.ts';
import type { KubeMetrics } from './metrics.ts';
import { waitBeforeRetry } from './retry.ts';
import { splitLines } from './watch-lines.ts';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** The path of the request, with its query. */
  path: string;
  body?: unknown;
  /** The content type of the body, where it is not plain JSON. */
  contentType?: string;
  /** The call may be sent again, because done twice it is as done once. */
  repeatable: boolean;
}

export interface TransportOptions {
  timeout: Millis;
  rate: Rate;
  userAgent: string;
  metrics?: KubeMetrics | undefined;
}

type Answer = Dispatcher.ResponseData;

export class Transport {
  readonly #connection: Connection;
  readonly #options: TransportOptions;
  #fullAt: Millis = 0;

  constructor(connection: Connection, options: TransportOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** The answer's JSON. */
  async json(call: Call): Promise<unknown> {
    for (let sent = 1; ; sent++) {
      await this.#turn();
      try {
        return await this.#once(call);
      } catch (error) {
        const wait = error instanceof KubeError && waitBeforeRetry(error, sent, call.repeatable, Math.random());
        if (typeof wait !== 'number') throw error;
        await systemClock.sleep(wait);
      }
    }
  }

  /**
   * The answer's lines, as they come, until it ends; `idle` is the longest silence. Ends without a word when `signal`
   * does. Never begun anew: whoever watches knows from where.
   */
  async *lines(call: Call, { signal, idle }: { signal: AbortSignal; idle: Millis }): AsyncGenerator<string, void> {
    await this.#turn();
    const silence = new AbortController();
    const either = AbortSignal.any([signal, silence.signal]);
    /** Waits for `next`, but not longer than `time`. */
    const within = async <T>(time: Millis, next: Promise<T>): Promise<T> => {
      const timer = setTimeout(() => silence.abort(), time);
      try {
        return await next;
      } finally {
        clearTimeout(timer);
      }
    };
    const what = whatOf(call);
    try {
      const answer = await within(this.#options.timeout, this.#ask(call, either));
      const chunks = answer.body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      const decoder = new TextDecoder();
      let begun = '';
      for (;;) {
        const { done, value } = await within(idle, chunks.next());
        if (done) return;
        const split = splitLines(begun, decoder.decode(value, { stream: true }));
        begun = split.begun;
        yield* split.lines;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (silence.signal.aborted) throw new KubeError(`${what}: nothing was heard for too long`, 0, 'Idle');
      throw asKubeError(what, error);
    } finally {
      silence.abort();
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Requests go in the order in which they were asked for. */
  async #turn(): Promise<void> {
    const { fullAt, wait } = takeToken(this.#fullAt, performance.now(), this.#options.rate);
    this.#fullAt = fullAt;
    if (wait === 0) return;
    this.#options.metrics?.throttled(wait);
    await systemClock.sleep(wait);
  }

  async #once(call: Call): Promise<unknown> {
    const { timeout } = this.#options;
    const what = whatOf(call);
    const signal = AbortSignal.timeout(timeout);
    try {
      const { body } = await this.#ask(call, signal);
      return await body.json();
    } catch (error) {
      if (signal.aborted) throw new KubeError(`${what}: no answer within ${timeout} ms`, 0, 'Timeout');
      throw asKubeError(what, error);
    }
  }

  /** Answers with status 2xx only; the body is still to be read. */
  async #ask(call: Call, signal: AbortSignal): Promise<Answer> {
    const { metrics, userAgent } = this.#options;
    const begun = performance.now();
    const count = (status: number) => metrics?.requested(call.method, status, performance.now() - begun);
    let answer: Answer;
    try {
      const { origin, prefix, headers, dispatcher } = await this.#connection.way();
      answer = await dispatcher.request({
        origin,
        path: prefix + call.path,
        method: call.method,
        headers: {
          ...headers,
          accept: 'application/json',
          'user-agent': userAgent,
          ...(call.body === undefined ? {} : { 'content-type': call.contentType ?? 'application/json' }),
        },
        body: call.body === undefined ? null : JSON.stringify(call.body),
        signal,
      });
      // Whoever reads it hears of an error anyway; one that ends while nobody reads is nobody's.
      answer.body.on('error', () => undefined);
    } catch (error) {
      count(0);
      throw error;
    }
    const { statusCode, headers, body } = answer;
    count(statusCode);
    if (statusCode < 300) return answer;
    const retryAfter = headers['retry-after'];
    throw errorOfAnswer(
      whatOf(call),
      statusCode,
      await body.text(),
      typeof retryAfter === 'string' ? retryAfter : undefined,
    );
  }
}

/** The name of a request in messages: its method and its path, without the query. */
const whatOf = ({ method, path }: Call): string => `${method} ${path.split('?', 1)[0]}`;

/** The codes of undici and Node for errors after which nothing can have reached the server. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const CLOSED = new Set(['UND_ERR_DESTROYED', 'UND_ERR_CLOSED']);
const CUT = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

function asKubeError(what: string, error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const { code = '', message = String(error) } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const reason = CLOSED.has(code) ? 'Closed' : CUT.has(code) ? 'Disconnected' : 'Unreachable';
  const words = NOT_SENT.has(code) ? `cannot be reached (${code})` : message;
  return new KubeError(`${what}: ${words}`, 0, error instanceof SyntaxError ? 'Malformed' : reason, { cause: error });
}
