// The one fingerprint by which the project notices that something is not what it was: a configuration, a secret, an
// object that was applied. It is no protection against somebody who looks for a second text with the same one.

import { createHash } from 'node:crypto';

/** Returns 16 hexadecimal digits (64 bits of SHA-256) that differ when the texts do. */
export const fingerprint = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
