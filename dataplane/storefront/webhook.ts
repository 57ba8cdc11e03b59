// Asks the merchant's own risk check (R3): POST {sale, sku, buyer, quantity} → {"allow": true|false, "reason"?: "…"}.
// It is asked once for a buyer within a short time, however often they click, and the requests are bounded in number
// and in time. What a missing or unreadable answer means is the merchant's choice.

import { LRUCache } from 'lru-cache';
import { Pool } from 'undici';
import type { QualificationConfig } from '../protocol/config.ts';
import type { Refusal } from '../protocol/problems.ts';
import type { BuyerId, Millis, Units } from '../protocol/units.ts';

export type WebhookConfig = NonNullable<QualificationConfig['webhook']>;

export interface RiskQuestion {
  sale: string;
  sku: string;
  buyer: BuyerId;
  quantity: Units;
}

type Verdict = { allow: true } | { allow: false; reason: string };

const CONNECTIONS = 64;
/**
 * How many questions may wait for a connection. With more, the check is too slow for the load, which counts as no
 * answer.
 */
const MOST_WAITING = 1024;
const REMEMBERED: Millis = 10_000;
const MOST_REMEMBERED = 20_000;
const LONGEST_REASON = 200;
const LONGEST_ANSWER = 16_384;

export class Webhook {
  readonly #policy: WebhookConfig['failurePolicy'];
  readonly #timeout: Millis;
  readonly #path: string;
  readonly #connections: Pool;
  readonly #failed: (error: unknown) => void;
  #waiting = 0;
  /** The answers of the last moments, and the questions under way. Failures are not remembered. */
  readonly #verdicts: LRUCache<string, Verdict, RiskQuestion>;

  constructor(config: WebhookConfig, failed: (error: unknown) => void) {
    const url = new URL(config.url);
    this.#policy = config.failurePolicy;
    this.#timeout = config.timeout;
    this.#path = url.pathname + url.search;
    this.#connections = new Pool(url.origin, { connections: CONNECTIONS, pipelining: 1 });
    this.#failed = failed;
    this.#verdicts = new LRUCache({
      max: MOST_REMEMBERED,
      ttl: REMEMBERED,
      fetchMethod: (_key, _stale, { context }) => this.#ask(context),
    });
  }

  /** Resolves to undefined when the buyer is allowed, and otherwise to the refusal. It never rejects. */
  async check(question: RiskQuestion): Promise<Refusal | undefined> {
    try {
      const verdict = await this.#verdicts.fetch(`${question.quantity} ${question.buyer}`, { context: question });
      if (verdict === undefined || verdict.allow) return undefined;
      return { problem: 'not-qualified', parameters: { why: verdict.reason } };
    } catch (error) {
      this.#failed(error);
      // A check that did not answer excludes nobody for good: with Deny the buyer may try again.
      return this.#policy === 'Allow' ? undefined : { problem: 'unavailable' };
    }
  }

  /** Resolves when every question under way was answered, or timed out. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  async #ask(question: RiskQuestion): Promise<Verdict> {
    if (this.#waiting >= MOST_WAITING) throw new Error('too many risk checks are under way');
    this.#waiting++;
    try {
      const { statusCode, body } = await this.#connections.request({
        method: 'POST',
        path: this.#path,
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(question),
        signal: AbortSignal.timeout(this.#timeout),
      });
      let text = '';
      body.setEncoding('utf8');
      for await (const chunk of body) {
        text += chunk;
        if (text.length > LONGEST_ANSWER) throw new Error('the risk check answered too much');
      }
      if (statusCode !== 200) throw new Error(`the risk check answered with status ${statusCode}`);
      return verdictOf(JSON.parse(text));
    } finally {
      this.#waiting--;
    }
  }
}

function verdictOf(answer: unknown): Verdict {
  const { allow, reason } = (answer ?? {}) as { allow?: unknown; reason?: unknown };
  if (typeof allow !== 'boolean') throw new Error('the risk check did not say whether it allows');
  if (allow) return { allow };
  return {
    allow,
    reason: typeof reason === 'string' && reason !== '' ? reason.slice(0, LONGEST_REASON) : 'The risk check said no.',
  };
}
