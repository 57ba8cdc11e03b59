// What a new leader says before it has heard anything itself.

import { expect, test } from 'vitest';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import type { FlashSaleStatus } from '../../../operator/api/flashsale.gen.ts';
import { topologyOf } from '../../../operator/reconcile/adopt.ts';
import { tooFewShards } from '../../../operator/reconcile/degraded-reasons.ts';
import { type Found, statusOf } from '../../../operator/reconcile/status.ts';
import { load } from '../../harness/manifests.ts';
import { cluster } from './fixture.ts';

const sale = load('docs/examples/minimal.yaml');
const topology = topologyOf(sale);
const registry: RegistryView = {
  incarnation: 'i',
  ...{ generation: 5, target: topology.settings.stock, supplied: topology.settings.stock, owed: 0, layout: 1 },
  ...{
    count: topology.caches.nodes.length,
    wantedCount: topology.caches.nodes.length,
    resize: 'none',
    resizingTo: null,
    term: 0,
    paused: false,
  },
  ...{ nodes: [], shards: [] },
};
const last: FlashSaleStatus = {
  ...{ phase: 'SoldOut', incarnation: 'i', supplied: topology.settings.stock, observedGeneration: 1 },
  ...{ sold: topology.settings.stock, available: 0, virtualAvailable: 0, tokensLive: 0, inTransfer: 0 },
  conditions: [],
};
const said = (change: Partial<Found>) => {
  const found = { sale, last, topology, observed: cluster(), registry, table: undefined, period: undefined };
  const { conditions, ...status } = statusOf(
    { ...found, degradedReasons: [], progress: undefined, ...change },
    Date.now(),
  );
  const ready = conditions?.find(({ type }) => type === 'Ready');
  return { ...status, ready: `${ready?.status} ${ready?.reason}` };
};

test('figures and phase stay as they were told until there are reports', () => {
  expect(said({})).toMatchObject({ phase: 'SoldOut', sold: last.sold, available: 0, ready: 'True SoldOut' });
});

test('without the pool, too, a sale that serves buyers is ready', () => {
  expect(said({ registry: undefined })).toMatchObject({ phase: 'SoldOut', sold: last.sold, ready: 'True SoldOut' });
});

test('another supply is not sold out because the one before was', () => {
  expect(said({ registry: { ...registry, supplied: registry.supplied + 1 } }).phase).toBe('Selling');
});

test('nothing is said of another life of the sale, nor of one that was never told of', () => {
  expect(said({ registry: { ...registry, incarnation: 'another' } })).not.toHaveProperty('sold');
  expect(said({ last: undefined, registry: undefined })).toMatchObject({ phase: 'Pending', ready: 'False Starting' });
});

test('a sale without storefronts is not said to serve', () => {
  const observed = cluster({ without: ['phone-storefront-0'] });
  expect(said({ registry: undefined, observed })).toMatchObject({ phase: 'Pending', storefrontReplicas: 0 });
});

test('volumes of more shards than the resource asks for are told, with the number to write', () => {
  const shard = { shardIncarnation: 'life', joined: true, cancelled: 0, credited: 0 };
  const many = topology.shards.members.length + 2;
  const shards = Array.from({ length: many }, (_, n) => ({ id: `s${n}` as const, ...shard }));
  expect(tooFewShards({ shards }, topology)).toMatchObject([
    { blocks: true, message: expect.stringContaining(`set spec.shards.count to ${many} or more`) },
  ]);
  expect(tooFewShards({ shards: shards.slice(2) }, topology)).toEqual([]);
  expect(tooFewShards(undefined, topology)).toEqual([]);
});
