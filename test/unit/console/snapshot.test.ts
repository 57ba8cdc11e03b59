import { expect, test } from 'vitest';
import type { Delta, Level } from '../../../dataplane/protocol/messages.ts';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import type { NodeId, StockHolderId } from '../../../dataplane/protocol/units.ts';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { loadFlashSale } from '../../../operator/api/load.ts';
import { snapshotOf, summaryOf } from '../../../operator/console/snapshot.ts';
import { figures, type Readings } from '../../../operator/topology/status.ts';
import { buildTopology } from '../../../operator/topology/topology.ts';
import { deltaOf } from '../../harness/delta.ts';

const NOW = Date.parse('2026-12-01T12:30:00Z');

function sale(window = ''): FlashSale {
  const loaded = loadFlashSale(
    `{apiVersion: flashsale.dev/v1alpha1, kind: FlashSale, metadata: {name: launch, namespace: shop},
      spec: {sku: P-1, stock: 100, cache: {nodes: 2}, shards: {count: 2}, auth: {trustedHeader: {name: X-Buyer-Id, insecure: true}}, storefront: {replicas: 3}, window: {${window}}}}`,
    { source: 'sale.yaml' },
  );
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  return loaded.sale;
}

const delta = (peer: StockHolderId, patch: Partial<Delta>): Delta => deltaOf(peer, { incarnation: 'i', ...patch });

const level = (node: NodeId, patch: Partial<Level>): Level => ({
  incarnation: 'i',
  node,
  epoch: 2,
  sequence: 1,
  layout: 1,
  paused: false,
  virtual: 0,
  liveTokens: 0,
  liveUnits: 0,
  pinned: {},
  granted: 50,
  revoked: 0,
  issued: 0,
  settledUnits: 0,
  returnedUnits: 0,
  ...patch,
});

function soldForAWhile(): ResourceTable {
  const table = new ResourceTable('i');
  table.applyDelta(
    delta('pool', { sent: { s0: 50, s1: 50 }, pool: { owed: 4, allocatable: 0, supplied: 100, target: 96 } }),
    0,
  );
  table.applyDelta(delta('s0', { available: 20, sold: 20, received: 50, sent: { s1: 10 } }), 0);
  table.applyDelta(delta('s1', { available: 45, sold: 8, received: 53 }), 0);
  table.applyLevel(level('c0', { virtual: 40, liveUnits: 5, pinned: { s0: 5 } }), 0);
  table.applyLevel(level('c1', { virtual: 20, paused: true }), 0);
  return table;
}

const readings = (table: ResourceTable | undefined): Readings => ({
  registry: {
    incarnation: 'i',
    generation: 1,
    target: 100,
    supplied: 100,
    owed: 0,
    count: 2,
    wantedCount: 2,
    resize: 'none',
    paused: false,
  },
  table,
  readyCaches: new Set(['c0']),
  readyShards: new Set(['s0', 's1', 'pool']),
  readyStorefronts: 2,
});

test('a sale that sells is shown with every shard, node and transfer', () => {
  const [resource, table] = [sale(), soldForAWhile()];
  const status = figures(buildTopology(resource), readings(table), NOW);
  expect(snapshotOf({ sale: resource, status, table, openSince: 5 }, NOW)).toEqual({
    namespace: 'shop',
    name: 'launch',
    sku: 'P-1',
    stock: 100,
    at: NOW,
    phase: 'Selling',
    window: {},
    openSince: 5,
    supplied: 100,
    sold: 28,
    available: 65,
    virtual: 60,
    tokensLive: 5,
    inTransfer: 7,
    shards: [
      { id: 's0', ready: true, available: 20, pinned: 5, sold: 20, inFlight: 0 },
      { id: 's1', ready: true, available: 45, pinned: 0, sold: 8, inFlight: 7 },
    ],
    pool: { ready: true, available: 0, inFlight: 0, owed: 4 },
    nodes: [
      { id: 'c0', ready: true, epoch: 2, virtual: 40, tokensLive: 5, paused: false },
      { id: 'c1', ready: false, epoch: 2, virtual: 20, tokensLive: 0, paused: true },
    ],
    dispersion: { coefficientOfVariation: expect.closeTo(0.385, 3), min: 20, max: 45, mean: 32.5 },
    flows: [
      { from: 'pool', to: 's0', units: 50 },
      { from: 'pool', to: 's1', units: 50 },
      { from: 's0', to: 's1', units: 10 },
    ],
    storefronts: { ready: 2, wanted: 3 },
  });
});

test('what is not known is not there, rather than zero', () => {
  const resource = sale();
  expect(snapshotOf({ sale: resource, status: {}, waitingFor: 'Kafka' }, NOW)).toEqual({
    namespace: 'shop',
    name: 'launch',
    sku: 'P-1',
    stock: 100,
    at: NOW,
    waitingFor: 'Kafka',
    window: {},
  });
  expect(summaryOf({ sale: resource, status: {} })).toEqual({
    namespace: 'shop',
    name: 'launch',
    sku: 'P-1',
    stock: 100,
  });
});

test('a sale with a window is open since the window opened', () => {
  const resource = sale('opensAt: 2026-12-01T12:00:00Z, closesAt: 2026-12-01T14:00:00Z');
  const { window, openSince } = snapshotOf({ sale: resource, status: {}, openSince: 5 }, NOW);
  expect(window).toEqual({ opensAt: Date.parse('2026-12-01T12:00:00Z'), closesAt: Date.parse('2026-12-01T14:00:00Z') });
  expect(openSince).toBe(window.opensAt);
});

test('a snapshot names no buyer, address or secret: it has these fields and no other', () => {
  const [resource, table] = [sale(), soldForAWhile()];
  const status = { ...figures(buildTopology(resource), readings(table), NOW), selector: 'x', incarnation: 'i' };
  expect(Object.keys(snapshotOf({ sale: resource, status, table }, NOW)).sort()).toEqual([
    ...[
      'at',
      'available',
      'dispersion',
      'flows',
      'inTransfer',
      'name',
      'namespace',
      'nodes',
      'phase',
      'pool',
      'shards',
    ],
    ...['sku', 'sold', 'stock', 'storefronts', 'supplied', 'tokensLive', 'virtual', 'window'],
  ]);
});
