// Finds out who is buying: by a header that an authenticating proxy sets, or by a JWT. The proxy shows a secret beside
// the header, because without one whoever reaches a storefront past the proxy could buy as anybody. Verifying a signature costs more
// than a whole purchase, so a verified JWT is remembered, by its hash, for a few minutes and never beyond its own end.
// The buyer's id is personal data: it goes to the stores and nowhere else.

import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { errors, type JWTVerifyOptions, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { VISIBLE } from '../http/json-body.ts';
import type { AuthConfig } from '../protocol/config.ts';
import type { Refusal } from '../protocol/problems.ts';
import { type SecretUse, sharedSecretFault } from '../protocol/shared-secret.ts';
import type { BuyerId, Millis } from '../protocol/units.ts';
import { KeySet, KeysUnavailable } from './jwks.ts';

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

/** Lets nobody in: for a sale that says no way to know a buyer, or one that cannot be set up here. */
export const nobody: Identify = () => ({ problem: 'unavailable' });

/**
 * Makes the function that identifies buyers. `secret(name)` returns the content of a file of the secrets folder. Throws
 * when that is missing or too weak.
 */
export function identifier(auth: AuthConfig, secret: (name: string) => string): Identify {
  if (auth.kind === 'none') return nobody;
  return auth.kind === 'header' ? byHeader(auth, secret) : byJwt(auth, secret);
}

/** Returns the value of the header WWW-Authenticate of a 401. */
export const challenge = (auth: AuthConfig): string =>
  auth.kind === 'header' ? `Header name="${auth.header}"` : 'Bearer realm="flashsale"';

function strong(secret: (name: string) => string, name: string, use: SecretUse): string {
  const value = secret(name);
  const fault = sharedSecretFault(value, use);
  if (fault !== undefined) throw new Error(`the secret ${name} ${fault}`);
  return value;
}

function byHeader({ header, proxy }: AuthConfig & { kind: 'header' }, secret: (name: string) => string): Identify {
  const named = byName(header);
  if (proxy === undefined) return named;
  const proxyHeader = proxy.header.toLowerCase();
  const expected = Buffer.from(strong(secret, proxy.secretFile, 'header'), 'latin1');
  const stranger = unauthenticated('This request did not come by way of the shop’s own login.');
  return (request) => {
    const given = request.headers[proxyHeader];
    return typeof given === 'string' && equal(Buffer.from(given, 'latin1'), expected) ? named(request) : stranger;
  };
}

/** Compares in a time that tells nothing but whether the lengths are the same. */
const equal = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

function byName(header: string): Identify {
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
    ...(auth.typ === undefined ? {} : { typ: auth.typ }),
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
    const keys = new KeySet(auth.jwksUri);
    return (token: string) => jwtVerify(token, keys.find, { ...options, algorithms: PUBLIC_KEY_ALGORITHMS });
  }
  if (auth.secretFile === undefined) throw new Error('auth.jwt needs jwksUri or secretFile');
  const key = new TextEncoder().encode(strong(secret, auth.secretFile, 'key'));
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
  const ours = error instanceof KeysUnavailable || !(error instanceof errors.JOSEError);
  return ours ? { problem: 'unavailable' } : unauthenticated('The bearer token is not valid here.');
}
