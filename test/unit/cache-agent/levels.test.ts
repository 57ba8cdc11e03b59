import { describe, expect, test } from 'vitest';
import { levelOf, shouldReport } from '../../../dataplane/cache-agent/levels.ts';
import { parseState } from '../../../dataplane/stores/cache-node/replies.ts';

const reply = (node: Record<string, string | number>, pinned: Record<string, number> = {}, issued = 0) => [
  Object.entries({ identity: 'i1 2 3 selling', node: 'c0', count: 2, ...node })
    .flat()
    .map(String),
  Object.entries(pinned).flat().map(String),
  issued,
];
const level = (...args: Parameters<typeof reply>) => {
  const state = parseState(reply(...args));
  if (state === undefined) throw new Error('no identity');
  return levelOf(state);
};

describe('a level', () => {
  test('is the node’s own account: live tokens and units, pins without the zeros', () =>
    expect(
      level(
        { virtual: 7, granted: 20, revoked: 3, settledTokens: 2, settledUnits: 5, returnedTokens: 1, returnedUnits: 4 },
        { s0: 3, s1: 0, s2: 2 },
        6,
      ),
    ).toMatchObject({
      epoch: 2,
      layout: 3,
      paused: false,
      virtual: 7,
      liveTokens: 3,
      liveUnits: 5,
      pinned: { s0: 3, s2: 2 },
    }));

  test.each([
    ['a purchase', {}, {}, 1],
    ['a settle', { settledTokens: 1, settledUnits: 2 }, {}, 0],
    ['a return', { returnedTokens: 1, returnedUnits: 1, virtual: 1 }, {}, 0],
    ['a grant', { granted: 1, virtual: 1 }, {}, 0],
    ['a revocation', { revoked: 1 }, {}, 0],
    ['a pause', { modeChanges: 1, identity: 'i1 2 3 paused' }, {}, 0],
  ])('has a higher sequence after %s', (_, node, pins, issued) =>
    expect(level(node, pins, issued).sequence).toBeGreaterThan(level({}).sequence),
  );

  test('is reported when it changed, when the epoch did, and after a second', () => {
    const first = level({});
    const last = { level: first, at: 1000 };
    expect(shouldReport(undefined, first, 0)).toBe(true);
    expect(shouldReport(last, first, 1999)).toBe(false);
    expect(shouldReport(last, first, 2000)).toBe(true);
    expect(shouldReport(last, level({}, {}, 1), 1001)).toBe(true);
    expect(shouldReport(last, level({ identity: 'i1 3 3 selling' }), 1001)).toBe(true);
  });
});

test('a node without an identity has no state', () =>
  expect(parseState([['recovering', 'i1 2'], [], 0])).toBeUndefined());
