// Plans for virtual stock: refills ahead of need, withdrawals, donations.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { donation, type Holding, planRefills, planWithdrawal } from '../../../dataplane/shard-agent/pool/moves.ts';

const holdings = (...amounts: number[]): Holding[] => amounts.map((virtual, i) => ({ node: nodeId(i), virtual }));
const anyHoldings = fc.array(fc.nat({ max: 5000 }), { minLength: 1, maxLength: 9 }).map((a) => holdings(...a));
const sum = (list: readonly { virtual: number }[]) => list.reduce((total, { virtual }) => total + virtual, 0);
const applied = (before: Holding[], changes: readonly { from?: string; to?: string; node?: string; units: number }[]) =>
  before.map(({ node, virtual }) => {
    let left = virtual;
    for (const { from, to, node: taken, units } of changes) {
      if (from === node || taken === node) left -= units;
      if (to === node) left += units;
    }
    return { node, virtual: left };
  });

describe('refills ahead of need', () => {
  test.each([
    ['an empty node is brought to the mean by the richest', [0, 300, 0], [100, 100, 100]],
    ['a node below a quarter of the mean is, one above is not', [10, 100, 190], [100, 100, 100]],
    ['those who differ less are left alone', [60, 100, 140], [60, 100, 140]],
    ['nobody is, at the end of a sale', [0, 0, 20], [0, 0, 20]],
    ['a single node is never', [500], [500]],
  ])('%s', (_, before, expected) => {
    const start = holdings(...before);
    expect(applied(start, planRefills(start)).map(({ virtual }) => virtual)).toEqual(expected);
  });

  test('move no unit twice, never below the mean, lose none, and leave nothing to plan', () => {
    fc.assert(
      fc.property(anyHoldings, (before) => {
        const moves = planRefills(before);
        const then = applied(before, moves);
        const mean = Math.floor(sum(before) / before.length);
        expect(sum(then)).toBe(sum(before));
        for (const { from, units } of moves) {
          expect(units).toBeGreaterThan(0);
          expect(then.find(({ node }) => node === from)?.virtual).toBeGreaterThanOrEqual(mean);
          expect(moves.some(({ to }) => to === from)).toBe(false);
        }
        expect(planRefills(then)).toEqual([]);
      }),
    );
  });
});

describe('R33: a withdrawal', () => {
  test.each([
    ['levels the richest down', [100, 60, 20], 60, [50, 50, 20]],
    ['spreads remainders one by one', [10, 10, 10], 5, [8, 8, 9]],
    ['takes everything when that is not enough', [3, 0, 5], 100, [0, 0, 0]],
  ])('%s', (_, before, excess, expected) => {
    const start = holdings(...before);
    expect(applied(start, planWithdrawal(start, excess)).map(({ virtual }) => virtual)).toEqual(expected);
  });

  test('takes exactly what is asked or all there is, and never lowers a node below one that it spared', () => {
    fc.assert(
      fc.property(anyHoldings, fc.nat({ max: 20_000 }), (before, excess) => {
        const takes = planWithdrawal(before, excess);
        const then = applied(before, takes);
        expect(sum(before) - sum(then)).toBe(Math.min(excess, sum(before)));
        const level = Math.min(...takes.map(({ node }) => then.find((h) => h.node === node)?.virtual ?? 0));
        for (const { virtual } of then) {
          expect(virtual).toBeGreaterThanOrEqual(0);
          if (takes.length > 0) expect(virtual).toBeLessThanOrEqual(level + 1);
        }
      }),
    );
  });
});

test('a donor gives half, or what is needed, and never more than it has', () => {
  expect([donation(100, 1), donation(101, 1), donation(10, 8), donation(3, 9), donation(1, 1)]).toEqual([
    50, 51, 8, 3, 1,
  ]);
});
