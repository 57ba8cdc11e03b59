import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type TokenClaims, tokenSigner } from '../../../dataplane/protocol/token.ts';

const key = randomBytes(32).toString('base64');
const signer = tokenSigner(key);

const visible = (most: number) =>
  fc
    .array(fc.integer({ min: 0x21, max: 0x7e }), { minLength: 1, maxLength: most })
    .map((codes) => String.fromCharCode(...codes));
const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url'));

const claims: fc.Arbitrary<TokenClaims> = fc.record({
  incarnation: fc.uuid(),
  id,
  buyer: visible(128),
  quantity: fc.integer({ min: 1, max: 1_000_000 }),
  node: fc.integer({ min: 0, max: 999 }).map((n) => `c${n}` as const),
  epoch: fc.integer({ min: 0, max: 1_000_000 }),
  sequence: fc.integer({ min: 1, max: 2 ** 40 }),
  shard: fc.integer({ min: 0, max: 999 }).map((n) => `s${n}` as const),
  due: fc.integer({ min: 0, max: 2 ** 43 }),
});

const example: TokenClaims = {
  incarnation: '0193b1c2-0000-7000-8000-000000000001',
  id: 'AAAAAAAAAAAAAAAAAAAAAA',
  buyer: 'alice',
  quantity: 1,
  node: 'c0',
  epoch: 1,
  sequence: 7,
  shard: 's2',
  due: 1_790_000_000_000,
};

describe('R6: a token', () => {
  test('says what was signed', () => {
    fc.assert(
      fc.property(claims, (c) => {
        expect(signer.verify(signer.sign(c))).toEqual({ valid: true, claims: c });
      }),
    );
  });

  test('R27: is the same, character by character, for the same claims', () => {
    fc.assert(
      fc.property(claims, (c) => {
        expect(signer.sign({ ...c })).toBe(tokenSigner(key).sign(c));
      }),
    );
  });

  test('is refused with any one character changed, missing or added', () => {
    const token = signer.sign(example);
    const characters = 'ABab01-_.=/+ é\ud800\u0000';
    for (let i = 0; i <= token.length; i++) {
      for (const c of characters) {
        if (token[i] !== c) expect(signer.verify(token.slice(0, i) + c + token.slice(i + 1)).valid).toBe(false);
        expect(signer.verify(token.slice(0, i) + c + token.slice(i)).valid).toBe(false);
      }
      if (i < token.length) expect(signer.verify(token.slice(0, i) + token.slice(i + 1)).valid).toBe(false);
    }
  });

  test('is refused when it carries another sale’s signature', () => {
    const other = tokenSigner(randomBytes(32).toString('base64'));
    expect(signer.verify(other.sign(example))).toEqual({ valid: false, reason: 'signature' });
  });

  test('never throws, whatever is sent instead', () => {
    const tokenish = fc.array(fc.oneof(fc.string(), fc.constantFrom('fs1', '.', 'c0', 's1', '1')), { maxLength: 14 });
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 2000 }),
      tokenish.map((parts) => `fs1.${parts.join('.')}`),
      tokenish.map((parts) => `fs1.${parts.join('.')}.${'A'.repeat(43)}`),
    );
    fc.assert(
      fc.property(text, (t) => {
        expect(signer.verify(t).valid).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('is refused when it is rightly signed but is no token of this version', () => {
    const odd = { ...example, shard: 's1.s2' } as unknown as TokenClaims;
    expect(signer.verify(signer.sign(odd))).toEqual({ valid: false, reason: 'form' });
    expect(signer.verify(signer.sign({ ...example, quantity: 0 }))).toEqual({ valid: false, reason: 'form' });
    expect(signer.verify(signer.sign({ ...example, sequence: 1.5 }))).toEqual({ valid: false, reason: 'form' });
    expect(signer.verify(signer.sign({ ...example, node: 'x' as 'c0' }))).toEqual({ valid: false, reason: 'form' });
  });

  test('needs no escaping in JSON or a URL', () => {
    fc.assert(
      fc.property(claims, (c) => {
        expect(signer.sign(c)).toMatch(/^[A-Za-z0-9._-]+$/);
      }),
    );
  });
});

test('a key that is too short is refused', () => {
  expect(() => tokenSigner(Buffer.alloc(31).toString('base64'))).toThrow('at least 32 bytes');
});
