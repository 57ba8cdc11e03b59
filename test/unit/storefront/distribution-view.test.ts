import { expect, test } from 'vitest';
import type { Delta, Level } from '../../../dataplane/protocol/messages.ts';
import { DistributionView } from '../../../dataplane/storefront/distribution-view.ts';
import { deltaOf } from '../../harness/delta.ts';

const delta = (peer: Delta['peer'], version: number, available: number): Delta =>
  deltaOf(peer, { incarnation: 'a', version, fromVersion: version - 1, available });
const level = (node: Level['node'], sequence: number, virtual: number, pinned: Level['pinned'] = {}): Level => ({
  incarnation: 'a',
  node,
  epoch: 1,
  sequence,
  layout: 1,
  paused: false,
  virtual,
  liveTokens: 0,
  liveUnits: 0,
  pinned,
  granted: 0,
  revoked: 0,
  issued: 0,
  settledUnits: 0,
  returnedUnits: 0,
});

function view() {
  const told: unknown[] = [];
  const made = new DistributionView({
    stocked: (shard, available) => told.push([shard, available]),
    restocked: () => told.push('virtual'),
  });
  return { view: made, told };
}

test('R8: is of this moment while anything was heard in the last five seconds', () => {
  const { view: v } = view();
  expect(v.isFresh(0)).toBe(false);
  v.apply(delta('s0', 1, 10), 'a', 100);
  expect([v.isFresh(100), v.isFresh(5099), v.isFresh(5100)]).toEqual([true, true, false]);
  v.apply(delta('s0', 1, 10), 'a', 6000);
  expect(v.isFresh(6000)).toBe(true);
});

test('R8, R14: the view weighs a shard by what is available and not pinned by tokens of any node', () => {
  const { view: v } = view();
  expect(v.weight('s0')).toBe(0);
  v.apply(delta('s0', 1, 10), 'a', 0);
  expect(v.weight('s0')).toBe(10);
  v.apply(level('c0', 1, 5, { s0: 3 }), 'a', 0);
  v.apply(level('c1', 1, 5, { s0: 4 }), 'a', 0);
  expect(v.weight('s0')).toBe(3);
  v.apply(level('c1', 2, 5, { s0: 9 }), 'a', 0);
  expect(v.weight('s0')).toBe(0);
});

test('it tells whom stock may help, once for each report that is news', () => {
  const { view: v, told } = view();
  v.apply(delta('s1', 1, 0), 'a', 0);
  v.apply(delta('s1', 2, 7), 'a', 0);
  v.apply(delta('s1', 2, 7), 'a', 0);
  v.apply(delta('s1', 1, 9), 'a', 0);
  v.apply(delta('pool', 1, 7), 'a', 0);
  v.apply(level('c0', 1, 0), 'a', 0);
  v.apply(level('c0', 2, 1), 'a', 0);
  expect(told).toEqual([['s1', 7], 'virtual']);
});

test('it knows the virtual stock only when every node of the layout has been heard', () => {
  const { view: v } = view();
  v.apply(level('c0', 1, 5), 'a', 0);
  expect(v.virtual(2)).toBeUndefined();
  v.apply(level('c1', 1, 2), 'a', 0);
  expect(v.virtual(2)).toBe(7);
});

test('it drops another life of the sale, and starts anew with a new one', () => {
  const { view: v } = view();
  v.apply(delta('s0', 5, 10), 'a', 0);
  const { revision } = v;
  v.apply({ ...delta('s0', 9, 99), incarnation: 'b' }, 'a', 0);
  expect([v.weight('s0'), v.revision]).toEqual([10, revision]);
  v.apply({ ...delta('s0', 1, 3), incarnation: 'b' }, 'b', 0);
  expect(v.weight('s0')).toBe(3);
  expect(v.revision).toBeGreaterThan(revision);
});
