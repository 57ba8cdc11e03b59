// What a secret must be that somebody else chose: the key of an identity provider, or what an authenticating proxy sends.
// A short one can be guessed offline from a single token, and then everybody can be any buyer. Pure.

/** An HMAC-SHA256 key must be at least as long as the hash (RFC 7518, section 3.2). */
const LEAST_BYTES = 32;

/** How a secret is used: as the key of a signature, or as the value of a request header. */
export type SecretUse = 'key' | 'header';

/** Returns what is wrong with the secret, to go on after its name, or undefined. It never says what the secret is. */
export function sharedSecretFault(secret: string, use: SecretUse): string | undefined {
  const bytes = Buffer.byteLength(secret);
  if (bytes < LEAST_BYTES)
    return `has ${bytes} bytes and must have at least ${LEAST_BYTES}; make one with: openssl rand -hex 32`;
  if (use === 'header' && !/^[!-~]+$/.test(secret))
    return 'must be visible ASCII characters, for it is the value of a header; make one with: openssl rand -hex 32';
  return undefined;
}
