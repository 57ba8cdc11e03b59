import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ownerNode, ownerNumber } from '../../../dataplane/protocol/owner-node.ts';

const buyer = fc.string({ minLength: 1, maxLength: 128 });
const count = fc.integer({ min: 1, max: 64 });

describe('R4: the owner node of a buyer', () => {
  test('is one of the layout’s, and always the same', () => {
    fc.assert(
      fc.property(buyer, count, (b, n) => {
        const owner = ownerNumber(b, n);
        expect(owner).toBeGreaterThanOrEqual(0);
        expect(owner).toBeLessThan(n);
        expect(ownerNode(b, n)).toBe(`c${ownerNumber(b, n)}`);
      }),
    );
  });

  test('only moves to the new node when one is added', () => {
    fc.assert(
      fc.property(buyer, count, (b, n) => {
        expect([ownerNumber(b, n), n]).toContain(ownerNumber(b, n + 1));
      }),
    );
  });

  test.each([2, 3, 7, 16])('is spread evenly over %i nodes', (n) => {
    const buyers = 20_000;
    const owned = new Array<number>(n).fill(0);
    for (let i = 0; i < buyers; i++) {
      const owner = ownerNumber(`buyer-${i}`, n);
      owned[owner] = (owned[owner] ?? 0) + 1;
    }
    for (const held of owned) expect(Math.abs(held - buyers / n)).toBeLessThan((buyers / n) * 0.1);
  });

  test('is the same in every version of the program: these are part of the protocol', () => {
    expect(['alice', 'bob', 'buyer-1', '0', 'ü'].map((b) => ownerNode(b, 5))).toMatchInlineSnapshot(`
      [
        "c2",
        "c2",
        "c1",
        "c1",
        "c2",
      ]
    `);
  });
});
