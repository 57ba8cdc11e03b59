// R33: the steps of changing the number of cache nodes.

import { describe, expect, test } from 'vitest';
import { decideResize } from '../../../dataplane/shard-agent/pool/decide-resize.ts';
import type { HeldUnits, RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { look, type NodeSketch } from './look.ts';

const decide = (nodes: NodeSketch[], view: Partial<RegistryView>, absent = 0, fenced?: number) =>
  decideResize(
    look(nodes, view),
    () => absent,
    () => fenced,
  );
const waits = (actions: ReturnType<typeof decide>) => actions.map((a) => (a.kind === 'wait' ? a.reason : a.kind));

describe('R33: nothing happens', () => {
  test('when nothing else is wanted', () => {
    expect(decide([{}, {}], { count: 2, wantedCount: 2 })).toEqual([]);
  });
  test('before the first layout', () => {
    expect(decide([{}, {}], { count: 0, wantedCount: 2 })).toEqual([]);
  });
  test('until all wanted nodes are up, for purchases would pause meanwhile', () => {
    expect(waits(decide([{}, { fit: false }], { count: 1, wantedCount: 2 }))).toEqual(['waits for c1 to come up']);
    expect(waits(decide([{ fit: false }, {}], { count: 2, wantedCount: 1 }))).toEqual(['waits for c0 to come up']);
  });
});

test('R33: draining begins when all wanted nodes are up, whatever became of those that are to leave', () => {
  const begin = [{ kind: 'step', layout: 1, from: 'none', to: 'draining', held: {} }];
  expect(decide([{}, {}], { count: 1, wantedCount: 2 })).toEqual(begin);
  expect(decide([{}, { fit: false }], { count: 2, wantedCount: 1 })).toEqual(begin);
});

describe('R33: draining', () => {
  const shrink: Partial<RegistryView> = { count: 2, wantedCount: 1, resize: 'draining' };
  const done: NodeSketch = { draining: true };
  /** With what the leaving nodes still account for, so that a grant that came between refuses it. */
  const rebuild = (held: HeldUnits) => ({ kind: 'step', layout: 1, from: 'draining', to: 'rebuilding', held });

  test('ends when every node has paused, no token is live and the leaving ones are empty', () => {
    expect(decide([{ ...done, virtual: 50 }, done], shrink)).toEqual([rebuild({ c1: 900 })]);
  });
  test.each<[string, NodeSketch[], string]>([
    ['a node still sells', [{}, done], 'waits for c0 to pause'],
    ['a token is live', [done, { ...done, live: 1 }], 'waits for c1 until its live tokens end'],
    ['a staying node cannot be asked', [{ fit: false }, done], 'waits for c0 to be fit'],
    ['a leaving node cannot be asked', [done, { fit: false }], 'waits for c1 to be found again'],
    [
      'a leaving node has a grant to apply',
      [done, { ...done, unapplied: 1 }],
      'waits for c1 to be balanced with the registry',
    ],
    [
      'a leaving node’s units are not booked',
      [done, { ...done, unbooked: 1 }],
      'waits for c1 to be balanced with the registry',
    ],
  ])('goes on while %s', (_, nodes, reason) => {
    expect(waits(decide(nodes, shrink))).toEqual([reason]);
  });
  test('empties a leaving node once its tokens have ended', () => {
    expect(decide([done, { ...done, virtual: 7 }], shrink)).toEqual([{ kind: 'empty', node: 'c1', units: 7 }]);
    expect(waits(decide([done, { ...done, virtual: 7, live: 1 }], shrink))).toHaveLength(1);
  });
  test('fences a leaving node that stays away, once', () => {
    expect(decide([done, { fit: false }], shrink, 5000)).toEqual([{ kind: 'fence', node: 'c1', epoch: 3 }]);
    expect(decide([done, { fit: false }], shrink, 5000, 40)).toEqual([rebuild({ c1: 40 })]);
  });
  test('does not wait for new nodes, which take no purchases yet', () => {
    expect(decide([done, { fit: false }], { count: 1, wantedCount: 2, resize: 'draining' })).toEqual([rebuild({})]);
  });
});

test('R33: rebuilding ends when every node of the new layout has taken it', () => {
  const view: Partial<RegistryView> = { layout: 2, resize: 'rebuilding' };
  expect(waits(decide([{ layout: 2 }, { layout: 1 }], view))).toEqual(['waits for c1 to take the new layout']);
  expect(waits(decide([{ layout: 2 }, { fit: false }], view))).toEqual(['waits for c1 to take the new layout']);
  expect(decide([{ layout: 2 }, { layout: 2 }], view)).toEqual([
    { kind: 'step', layout: 2, from: 'rebuilding', to: 'none', held: {} },
  ]);
});
