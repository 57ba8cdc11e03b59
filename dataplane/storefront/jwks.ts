// The public keys of an identity provider (JWKS), fetched so that neither the provider nor whoever sends invented tokens
// can hurt the storefront: one fetch at a time, bounded in size and in time; after a failure the next one waits longer
// and longer; an unknown key is looked for seldom; and while the provider is away, the keys it gave last go on.

import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { request } from 'undici';
import type { Millis } from '../protocol/units.ts';
import { backoff } from '../runtime/backoff.ts';

/** Keys older than this are fetched anew, beside the buyers. */
const FRESH_FOR: Millis = 10 * 60_000;
/** Keys that cannot be renewed are used so long: a provider that is away must not end the sale, nor a revoked key live for ever. */
const STALE_FOR: Millis = 24 * 3_600_000;
/** A key that the set lacks may be a new one, or invented: it is looked for at most so often. */
const LOOK_AGAIN_AFTER: Millis = 30_000;
const FETCH_WITHIN: Millis = 5000;
/** A key is a kilobyte or two. */
const MOST_BYTES = 256 * 1024;
const RETRY = { first: 1000, longest: 60_000 };

/** Is thrown when no keys are there to verify with. It is no fault of the buyer's. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

export interface KeySetOptions {
  /** Fetches the document. Rejects when it cannot. */
  fetch?(uri: string): Promise<unknown>;
  /** The time of a clock that never goes back. */
  now?(): Millis;
}

interface Keys {
  find: JWTVerifyGetKey;
  at: Millis;
}

export class KeySet {
  readonly #uri: string;
  readonly #fetch: (uri: string) => Promise<unknown>;
  readonly #now: () => Millis;
  #keys: Keys | undefined;
  #fetching: Promise<void> | undefined;
  #failures = 0;
  /** Nothing is fetched before. */
  #nextAt: Millis = Number.NEGATIVE_INFINITY;

  constructor(uri: string, { fetch = fetchJson, now = () => performance.now() }: KeySetOptions = {}) {
    this.#uri = uri;
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Finds the key that a token names. Rejects with KeysUnavailable, or with jose's error for a key that is not there. */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const held = this.#usable();
    if (held === undefined) {
      await this.#refresh();
      const keys = this.#usable();
      if (keys === undefined) throw new KeysUnavailable('the identity provider’s keys cannot be read');
      return keys.find(header, token);
    }
    const isStale = this.#now() - held.at >= FRESH_FOR;
    if (isStale) void this.#refresh();
    try {
      return await held.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.#now() - held.at < LOOK_AGAIN_AFTER) throw error;
      await this.#refresh();
      const keys = this.#usable();
      if (keys !== undefined && keys !== held) return keys.find(header, token);
      // The provider may have a new key, and cannot be asked.
      throw new KeysUnavailable('the identity provider’s keys cannot be renewed');
    }
  };

  #usable(): Keys | undefined {
    const keys = this.#keys;
    return keys !== undefined && this.#now() - keys.at < STALE_FOR ? keys : undefined;
  }

  /** Fetches the keys unless it is too early after a failure; calls share one fetch. It never rejects. */
  #refresh(): Promise<void> {
    if (this.#fetching === undefined && this.#now() < this.#nextAt) return Promise.resolve();
    this.#fetching ??= this.#take().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #take(): Promise<void> {
    try {
      const find = createLocalJWKSet((await this.#fetch(this.#uri)) as JSONWebKeySet);
      this.#keys = { find, at: this.#now() };
      this.#failures = 0;
    } catch {
      this.#nextAt = this.#now() + backoff(++this.#failures, RETRY);
    }
  }
}

async function fetchJson(uri: string): Promise<unknown> {
  const { statusCode, body } = await request(uri, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    signal: AbortSignal.timeout(FETCH_WITHIN),
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop ends the connection, so that no more is read than this.
  for await (const part of body) {
    bytes += (part as Buffer).length;
    if (bytes > MOST_BYTES) throw new Error('the identity provider’s keys are too large');
    parts.push(part as Buffer);
  }
  if (statusCode !== 200) throw new Error(`the identity provider answered with status ${statusCode}`);
  return JSON.parse(Buffer.concat(parts).toString());
}
