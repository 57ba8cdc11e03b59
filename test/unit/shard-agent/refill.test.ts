// What a node that ran short is told, from one look at the cache tier; and what counts as a question.

import { describe, expect, test } from 'vitest';
import { parseRefill } from '../../../dataplane/protocol/refill.ts';
import { nodeId } from '../../../dataplane/protocol/units.ts';
import { classify, liveUnits } from '../../../dataplane/shard-agent/pool/classify.ts';
import type { NodeState } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { look, type NodeSketch } from './look.ts';

const verdict = (
  nodes: NodeSketch[],
  quantity = 1,
  view: Partial<RegistryView> = {},
  states: Partial<NodeState> = {},
) => classify(look(nodes, view, states), { node: nodeId(0), quantity });

describe('R29: sold out is said', () => {
  test('when no node has stock', () => {
    expect(verdict([{ virtual: 0 }, { virtual: 0 }])).toEqual({ kind: 'sold-out' });
  });
  test('when all have too little together for the quantity', () => {
    expect(verdict([{ virtual: 1 }, { virtual: 2 }], 4)).toEqual({ kind: 'sold-out' });
  });
  test.each<[string, NodeSketch[], Partial<RegistryView>]>([
    ['a node could not be asked', [{ virtual: 0 }, { fit: false }], {}],
    ['something is revoked and not booked', [{ virtual: 0 }, { virtual: 0, unbooked: 1 }], {}],
    ['something is granted and not applied', [{ virtual: 0 }, { virtual: 0, unapplied: 1 }], {}],
    [
      'a node that left has something unbooked',
      [{ virtual: 0 }, { virtual: 0, unbooked: 1 }],
      { count: 1, wantedCount: 1 },
    ],
    ['the number of nodes is being changed', [{ virtual: 0 }, { virtual: 0 }], { resize: 'draining' }],
    ['the registry expects more nodes than were seen', [{ virtual: 0 }], { count: 2, wantedCount: 2 }],
  ])('but not when %s', (_, nodes, view) => {
    expect(verdict(nodes, 1, view)).toEqual({ kind: 'unavailable' });
  });
  test('and not by a node that is not in the layout, or not fit itself', () => {
    expect(verdict([{ fit: false }, { virtual: 5 }])).toEqual({ kind: 'unavailable' });
    expect(
      classify(look([{ virtual: 9 }, { virtual: 9 }], { count: 1, wantedCount: 1 }), { node: 'c1', quantity: 1 }),
    ).toEqual({
      kind: 'unavailable',
    });
  });
});

describe('stock is', () => {
  test('there already when somebody else brought it', () => {
    expect(verdict([{ virtual: 2 }, { virtual: 0 }], 2)).toEqual({ kind: 'granted' });
  });
  test('gathered from the richest first, several when one has too little', () => {
    expect(verdict([{ virtual: 1 }, { virtual: 2 }, { virtual: 3 }], 4)).toMatchObject({
      kind: 'gather',
      needed: 3,
      donors: [{ node: { id: 'c2' } }, { node: { id: 'c1' } }],
    });
  });
  test('gathered from those who answer, even when others do not', () => {
    expect(verdict([{ virtual: 0 }, { fit: false }, { virtual: 3 }])).toMatchObject({ kind: 'gather' });
  });
});

test('live units are those of the layout’s nodes that answered', () => {
  const seen = look([{ virtual: 0, live: 3 }, { fit: false }, { virtual: 0, live: 4 }, { virtual: 0, live: 50 }], {
    count: 3,
    wantedCount: 3,
  });
  expect(liveUnits(seen)).toBe(7);
});

describe('a question', () => {
  test('names a node and a quantity', () => {
    expect(parseRefill('{"node":"c12","quantity":3}')).toEqual({ node: 'c12', quantity: 3 });
  });
  test.each([
    '',
    'null',
    '[]',
    '"c0"',
    '{"node":"c0"}',
    '{"quantity":1}',
    '{"node":"s0","quantity":1}',
    '{"node":"c01","quantity":1}',
    '{"node":"c-1","quantity":1}',
    '{"node":"c0","quantity":0}',
    '{"node":"c0","quantity":-1}',
    '{"node":"c0","quantity":1.5}',
    '{"node":"c0","quantity":"1"}',
    '{"node":"c0","quantity":1e12}',
    '{"node":"c0","quantity":1',
  ])('is not %s', (text) => {
    expect(parseRefill(text)).toBeUndefined();
  });
});
