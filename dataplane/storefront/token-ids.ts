// Makes random token ids of 128 bits each. The random bytes are drawn from the system for a few hundred ids at a time.

import { randomFillSync } from 'node:crypto';
import type { TokenId } from '../protocol/units.ts';

const BYTES = 16;

export function tokenIds(): () => TokenId {
  const drawn = Buffer.alloc(BYTES * 256);
  let next = drawn.length;
  return () => {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    next += BYTES;
    return drawn.toString('base64url', next - BYTES, next);
  };
}
