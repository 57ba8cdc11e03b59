// Which bytes of a broker are admitted.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { watchFrames } from '../../../dataplane/runtime/kafka/frames.ts';

const LONGEST = 100;

function frame(length: number, content = length): Buffer {
  const bytes = Buffer.alloc(4 + content, 7);
  bytes.writeInt32BE(length | 0);
  return bytes;
}

/** Admits the bytes piece by piece. Returns whether all were admitted. */
function admits(bytes: Buffer, cuts: number[]): boolean {
  const frames = watchFrames(LONGEST);
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].every((end, i) => frames.admit(bytes.subarray(places[i - 1] ?? 0, end)));
}

const lengths = fc.array(fc.nat(LONGEST), { maxLength: 20 });
const cuts = fc.array(fc.nat(2000), { maxLength: 30 });

test('frames that are not too long are admitted, however they are cut', () => {
  fc.assert(
    fc.property(lengths, cuts, (of, at) => {
      expect(admits(Buffer.concat(of.map((length) => frame(length))), at)).toBe(true);
    }),
  );
});

test('a frame that is too long, or of a negative length, is refused when it is announced, wherever it stands', () => {
  const tooLong = fc.oneof(
    fc.integer({ min: LONGEST + 1, max: 2 ** 31 - 1 }),
    fc.integer({ min: -(2 ** 31), max: -1 }),
  );
  fc.assert(
    fc.property(lengths, cuts, tooLong, (of, at, length) => {
      expect(admits(Buffer.concat([...of.map((each) => frame(each)), frame(length, 0)]), at)).toBe(false);
    }),
  );
});
