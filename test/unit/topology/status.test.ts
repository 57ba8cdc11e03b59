// The status figures and the phase: the first that applies.

import { describe, expect, test } from 'vitest';
import type { Delta, Level } from '../../../dataplane/protocol/messages.ts';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import type { NodeId, StockHolderId } from '../../../dataplane/protocol/units.ts';
import { validate } from '../../../operator/api/validate.ts';
import { figures, type Readings, type RegistryFigures } from '../../../operator/topology/status.ts';
import { buildTopology, type Topology } from '../../../operator/topology/topology.ts';
import { deltaOf } from '../../harness/delta.ts';

const INCARNATION = 'i';
const NOON = Date.parse('2026-12-01T12:00:00Z');

function topology(spec: Record<string, unknown> = {}): Topology {
  const validation = validate({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'x', generation: 3 },
    spec: {
      sku: 'A',
      stock: 100,
      cache: { nodes: 2 },
      shards: { count: 2 },
      auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      ...spec,
    },
  });
  if (!validation.ok) throw new Error(JSON.stringify(validation.findings));
  return buildTopology(validation.sale);
}

const registry = (patch: Partial<RegistryFigures> = {}): RegistryFigures => ({
  incarnation: INCARNATION,
  generation: 3,
  target: 100,
  supplied: 100,
  owed: 0,
  count: 2,
  wantedCount: 2,
  resize: 'none',
  paused: false,
  ...patch,
});

const delta = (peer: StockHolderId, patch: Partial<Delta> = {}): Delta =>
  deltaOf(peer, {
    incarnation: INCARNATION,
    ...(peer === 'pool' ? { pool: { owed: 0, allocatable: 0, supplied: 100, target: 100 } } : {}),
    ...patch,
  });

const level = (node: NodeId, patch: Partial<Level> = {}): Level => ({
  incarnation: INCARNATION,
  node,
  epoch: 1,
  sequence: 1,
  layout: 1,
  paused: false,
  virtual: 0,
  liveTokens: 0,
  liveUnits: 0,
  pinned: {},
  granted: 0,
  revoked: 0,
  issued: 0,
  settledUnits: 0,
  returnedUnits: 0,
  ...patch,
});

function table(deltas: Delta[], levels: Level[]): ResourceTable {
  const result = new ResourceTable(INCARNATION);
  for (const message of deltas) result.applyDelta(message, 0);
  for (const message of levels) result.applyLevel(message, 0);
  return result;
}

/** 40 sold, 5 in transfer, 3 reserved. */
const selling = () =>
  table(
    [
      delta('s0', { available: 30, sold: 25, sent: { s1: 5 } }),
      delta('s1', { available: 20, sold: 15 }),
      delta('pool', { available: 5, sent: { s0: 30, s1: 20 } }),
    ],
    [level('c1', { virtual: 27 }), level('c0', { virtual: 30, liveUnits: 3, liveTokens: 3, pinned: { s1: 3 } })],
  );

const readings = (patch: Partial<Readings> = {}): Readings => ({
  registry: registry(),
  table: selling(),
  readyCaches: new Set(['c0', 'c1']),
  readyShards: new Set(['s0', 'pool']),
  readyStorefronts: 2,
  ...patch,
});

const soldOut = () => table([delta('s0', { sold: 60 }), delta('s1', { sold: 40 }), delta('pool')], [level('c0')]);

describe('figures', () => {
  test('come from the table, node by node and shard by shard', () => {
    expect(figures(topology(), readings(), NOON)).toMatchObject({
      observedGeneration: 3,
      incarnation: INCARNATION,
      supplied: 100,
      sold: 40,
      available: 55,
      virtualAvailable: 57,
      tokensLive: 3,
      storefrontReplicas: 2,
      caches: [
        { id: 'c0', ready: true, epoch: 1, virtualAvailable: 30, tokensLive: 3 },
        { id: 'c1', ready: true, epoch: 1, virtualAvailable: 27, tokensLive: 0 },
      ],
      shards: [
        { id: 's0', ready: true, available: 30, pinned: 0, sold: 25 },
        { id: 's1', ready: false, available: 20, pinned: 3, sold: 15 },
        { id: 'pool', ready: true, available: 5, pinned: 0, sold: 0 },
      ],
      dispersion: { min: 20, max: 30, mean: 25, coefficientOfVariation: 0.2 },
    });
  });

  test('a node that has left is listed only while it holds something', () => {
    const left = table([delta('pool')], [level('c0'), level('c2'), level('c3', { virtual: 1 })]);
    const { caches } = figures(topology(), readings({ table: left }), NOON);
    expect(caches?.map(({ id }) => id)).toEqual(['c0', 'c3']);
  });

  test('nothing is made up where nothing is known', () => {
    const unknown = { registry: undefined, table: undefined, readyStorefronts: 0 };
    expect(figures(topology(), readings(unknown), NOON)).toEqual({
      observedGeneration: 3,
      phase: 'Pending',
      storefrontReplicas: 0,
    });
  });
});

test.each<[string, Record<string, unknown>, Partial<Readings>, string]>([
  ['nobody serves buyers', {}, { readyStorefronts: 0 }, 'Pending'],
  ['no supply was set', {}, { registry: registry({ generation: 0 }) }, 'Pending'],
  ['the nodes change', { paused: true }, { registry: registry({ resize: 'draining' }) }, 'Resizing'],
  ['the nodes are to change', {}, { registry: registry({ wantedCount: 3 }) }, 'Resizing'],
  ['after the end', { paused: true, window: { closesAt: '2026-12-01T12:00:00Z' } }, {}, 'Closed'],
  ['paused before it opens', { paused: true, window: { opensAt: '2026-12-01T12:00:01Z' } }, {}, 'Paused'],
  ['before it opens', { window: { opensAt: '2026-12-01T12:00:01Z' } }, {}, 'Scheduled'],
  ['all is sold', {}, { table: soldOut() }, 'SoldOut'],
  [
    'all is sold, but for what a lowered supply is owed',
    {},
    { registry: registry({ owed: 5 }), table: table([delta('s0', { available: 5 }), delta('pool')], []) },
    'SoldOut',
  ],
  [
    'a token still holds the last unit',
    {},
    { table: table([delta('s0', { available: 1 }), delta('pool')], [level('c0', { liveUnits: 1 })]) },
    'Selling',
  ],
  ['all is sold, and more was supplied', { stock: 200 }, { table: soldOut() }, 'Selling'],
  ['nothing was heard yet', {}, { table: table([], []) }, 'Selling'],
  ['buyers are served', {}, {}, 'Selling'],
])('phase: %s', (_, spec, patch, phase) => {
  expect(figures(topology(spec), readings(patch), NOON).phase).toBe(phase);
});
