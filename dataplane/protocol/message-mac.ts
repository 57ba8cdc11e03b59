// Signs and verifies what travels on the topics, because whoever may write to Kafka is not to be believed for that
// alone. The code of a message is HMAC-SHA256 over
//
//   <full name of the topic> LF <key of the record> LF <value of the record>
//
// and travels beside it, in the record's header `flashsale-mac`, as `<key id>.<code in hex>`. So a message cannot be
// altered, nor moved to another topic or sale; to send it again as it is does nothing, which the protocol sees to.
//
// A ring holds one key or several: the first signs, all are accepted. That is how a key is exchanged while a sale runs.

import { createHash, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

export const MAC_HEADER = 'flashsale-mac';

/** `unknown-key` is what a key that this ring does not hold has signed; a `wrong-mac` does not fit the message. */
export type MacVerdict = 'valid' | 'unsigned' | 'unknown-key' | 'wrong-mac';

export interface KeyRing {
  /** Returns the header's text. `topic` is the full name, with the sale's prefix. */
  sign(topic: string, key: string, value: string): string;
  /** Never throws, whatever the header says. */
  verify(topic: string, key: string, value: Buffer, header: string | undefined): MacVerdict;
}

const LEAST_BYTES = 32;
const HEADER = /^([0-9a-f]{8})\.([0-9a-f]{64})$/;

/** Names a key by the beginning of its SHA-256, so that nobody has to give it a name. */
const idOf = (key: Buffer): string => createHash('sha256').update(key).digest('hex').slice(0, 8);

/**
 * Makes a ring of the keys in `text`: base64 of at least 32 bytes each, one on a line, the signing one first. Throws,
 * without naming any key, when there is none or one is shorter.
 */
export function keyRing(text: string): KeyRing {
  const keys = new Map<string, KeyObject>();
  for (const line of text.split(/\s+/).filter((each) => each !== '')) {
    const bytes = Buffer.from(line, 'base64');
    if (bytes.length < LEAST_BYTES)
      throw new Error(
        'each line of a message key must be base64 of at least 32 bytes, as `openssl rand -base64 32` prints',
      );
    keys.set(idOf(bytes), createSecretKey(bytes));
  }
  const [first] = keys;
  if (first === undefined)
    throw new Error('a message key must be base64 of at least 32 bytes, as `openssl rand -base64 32` prints');
  const [signingId, signingKey] = first;
  const mac = (secret: KeyObject, topic: string, key: string, value: string | Buffer) =>
    createHmac('sha256', secret).update(`${topic}\n${key}\n`).update(value);

  return {
    sign: (topic, key, value) => `${signingId}.${mac(signingKey, topic, key, value).digest('hex')}`,
    verify(topic, key, value, header) {
      if (header === undefined) return 'unsigned';
      const [, id, code] = HEADER.exec(header) ?? [];
      if (id === undefined || code === undefined) return 'unsigned';
      const secret = keys.get(id);
      if (secret === undefined) return 'unknown-key';
      return timingSafeEqual(mac(secret, topic, key, value).digest(), Buffer.from(code, 'hex')) ? 'valid' : 'wrong-mac';
    },
  };
}
