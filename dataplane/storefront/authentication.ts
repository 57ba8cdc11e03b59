// Finds out who is buying: by a header that an authenticating proxy sets, or by a JWT. Verifying a signature costs more
// than a whole purchase, so a verified JWT is remembered, by its hash, for a few minutes and never beyond its own end.
// The buyer's id is personal data: it goes to the stores and nowhere else.

import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { createRemoteJWKSet, errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { VISIBLE } from '../http/json-body.ts';
import type { AuthConfig } from '../protocol/config.ts';
import type { Refusal } from '../protocol/problems.ts';
import type { BuyerId, Millis } from '../protocol/units.ts';

export type Identify = (request: IncomingMessage) => BuyerId | Refusal | Promise<BuyerId | Refusal>;

const REMEMBERED: Millis = 5 * 60_000;
const MOST_REMEMBERED = 50_000;
/** The algorithms accepted where the keys are public; none of them uses a shared secret. */
const PUBLIC_KEY_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
];

const unauthenticated = (what: string): Refusal => ({ problem: 'unauthenticated', parameters: { what } });

/** Makes the function that identifies buyers. `secret(name)` returns the content of a file of the secrets folder. */
export const identifier = (auth: AuthConfig, secret: (name: string) => string): Identify =>
  auth.kind === 'header' ? byHeader(auth.header) : byJwt(auth, secret);

/** Returns the value of the header WWW-Authenticate of a 401. */
export const challenge = (auth: AuthConfig): string =>
  auth.kind === 'header' ? `Header name="${auth.header}"` : 'Bearer realm="flashsale"';

function byHeader(header: string): Identify {
  const name = header.toLowerCase();
  const missing = unauthenticated(`The header ${header} is missing.`);
  const odd = unauthenticated(`The header ${header} must have 1 to 128 visible ASCII characters.`);
  return (request) => {
    const value = request.headers[name];
    if (value === undefined || value === '') return missing;
    // A header that was sent twice arrives joined by ", ", which is not visible.
    return typeof value === 'string' && VISIBLE.test(value) ? value : odd;
  };
}

function byJwt(auth: AuthConfig & { kind: 'jwt' }, secret: (name: string) => string): Identify {
  const options: JWTVerifyOptions = {
    requiredClaims: ['exp'],
    clockTolerance: 5,
    ...(auth.issuer === undefined ? {} : { issuer: auth.issuer }),
    ...(auth.audience === undefined ? {} : { audience: auth.audience }),
  };
  const check = verifier(auth, secret, options);
  const remembered = new LRUCache<string, BuyerId>({ max: MOST_REMEMBERED, ttl: REMEMBERED });

  const verify = async (token: string, key: string): Promise<BuyerId | Refusal> => {
    try {
      const { payload } = await check(token);
      const buyer = payload[auth.buyerClaim];
      if (typeof buyer !== 'string' || !VISIBLE.test(buyer))
        return unauthenticated(`The token’s claim "${auth.buyerClaim}" must have 1 to 128 visible ASCII characters.`);
      const left = (payload.exp ?? 0) * 1000 - Date.now();
      if (left > 0) remembered.set(key, buyer, { ttl: Math.min(left, REMEMBERED) });
      return buyer;
    } catch (error) {
      return refusalFor(error);
    }
  };

  return (request) => {
    const header = request.headers.authorization;
    if (header === undefined) return unauthenticated('Send a bearer token in the header Authorization.');
    const token = /^Bearer +([!-~]+)$/i.exec(header)?.[1];
    if (token === undefined) return unauthenticated('The header Authorization must be "Bearer" and a token.');
    const key = hash('sha256', token, 'base64');
    return remembered.get(key) ?? verify(token, key);
  };
}

function verifier(auth: AuthConfig & { kind: 'jwt' }, secret: (name: string) => string, options: JWTVerifyOptions) {
  if (auth.jwksUri !== undefined) {
    const keys = createRemoteJWKSet(new URL(auth.jwksUri));
    return (token: string) => jwtVerify(token, keys, { ...options, algorithms: PUBLIC_KEY_ALGORITHMS });
  }
  if (auth.secretFile === undefined) throw new Error('auth.jwt needs jwksUri or secretFile');
  const key = new TextEncoder().encode(secret(auth.secretFile));
  return (token: string) => jwtVerify(token, key, { ...options, algorithms: ['HS256'] });
}

/**
 * Makes the refusal for a failed verification. Keys that cannot be fetched are no fault of the buyer's; everything else
 * is.
 */
function refusalFor(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return unauthenticated('The bearer token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return unauthenticated(`The bearer token’s claim "${error.claim}" is not what this sale asks for.`);
  const ours =
    !(error instanceof errors.JOSEError) || error instanceof errors.JWKSTimeout || error.code === 'ERR_JOSE_GENERIC';
  return ours ? { problem: 'unavailable' } : unauthenticated('The bearer token is not valid here.');
}
