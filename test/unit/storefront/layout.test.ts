import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Layout, layoutOf } from '../../../dataplane/storefront/layout.ts';
import type { NodeIdentity } from '../../../dataplane/stores/cache-node/cache-node.ts';

const identity = (layout: number, incarnation = 'a'): NodeIdentity => ({
  incarnation,
  node: 'c0',
  epoch: 1,
  layout,
  count: layout + 1,
  paused: false,
});

describe('the layout in force', () => {
  test('is unknown until a node has shown an identity', () => {
    expect(layoutOf(undefined, [])).toBeUndefined();
  });

  test('R33: is the highest number any identity shows, and never falls', () => {
    const identities = fc.array(
      fc.integer({ min: 1, max: 9 }).map((n) => identity(n)),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.array(identities, { maxLength: 6 }), (heard) => {
        let layout: Layout | undefined;
        let highest = 0;
        for (const seen of heard) {
          highest = Math.max(highest, ...seen.map((s) => s.layout));
          layout = layoutOf(layout, seen);
          expect(layout?.number ?? 0).toBe(highest);
          if (layout) expect(layout.count).toBe(highest + 1);
        }
      }),
    );
  });

  test('stays with its incarnation while any node has it, and follows when none has', () => {
    const known = layoutOf(undefined, [identity(7)]);
    expect(layoutOf(known, [identity(9, 'b'), identity(7)])).toEqual(known);
    expect(layoutOf(known, [identity(1, 'b')])).toEqual({ incarnation: 'b', number: 1, count: 2 });
    expect(layoutOf(known, [])).toEqual(known);
  });
});
