// What `plan` says an edit does.

import { expect, test } from 'vitest';
import type { FlashSale, FlashSaleStatus } from '../../../operator/api/flashsale.gen.ts';
import { validate } from '../../../operator/api/validate.ts';
import { changesBetween } from '../../../operator/topology/changes.ts';

type Spec = Record<string, unknown>;

function sale(spec: Spec = {}): FlashSale {
  const validation = validate({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'x' },
    spec: {
      sku: 'A',
      stock: 1000,
      cache: { nodes: 3 },
      shards: { count: 4 },
      auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      ...spec,
    },
  });
  if (!validation.ok) throw new Error(JSON.stringify(validation.findings));
  return validation.sale;
}

const effects = (before: Spec, after: Spec, status?: FlashSaleStatus) =>
  changesBetween(sale(before), sale(after), status).map(({ field, effect }) => `${field}: ${effect}`);

test('an edit that changes nothing has no changes', () => {
  expect(changesBetween(sale(), sale({ token: { ttl: '120s' } }))).toEqual([]);
});

test.each<[string, Spec, Spec, FlashSaleStatus | undefined, string[]]>([
  [
    'restock',
    {},
    { stock: 2500 },
    undefined,
    ['spec.stock: restocks 1,500 units, split over 3 cache nodes, allocated to the shards'],
  ],
  [
    'restock of one',
    {},
    { stock: 1001 },
    undefined,
    ['spec.stock: restocks 1 unit, split over 3 cache nodes, allocated to the shards'],
  ],
  ['withdrawal', {}, { stock: 400 }, undefined, ['spec.stock: withdraws 600 units, as far as they are not sold']],
  [
    'withdrawal while it sells',
    {},
    { stock: 400 },
    { supplied: 1000, sold: 900 },
    ['spec.stock: withdraws 600 units, as far as they are not sold; 100 units are unsold now'],
  ],
  [
    'more nodes',
    {},
    { cache: { nodes: 4 } },
    undefined,
    [
      'spec.cache.nodes: adds c3; purchases pause until the live tokens have ended (at most 120s); 25 % of the buyers get another owner node',
    ],
  ],
  [
    'fewer nodes',
    {},
    { cache: { nodes: 1 } },
    {
      caches: [
        { id: 'c0', virtualAvailable: 5 },
        { id: 'c1', virtualAvailable: 7 },
        { id: 'c2', virtualAvailable: 9 },
      ],
    },
    [
      'spec.cache.nodes: removes c1, c2, with 16 units to hand over; purchases pause until the live tokens have ended (at most 120s); 67 % of the buyers get another owner node',
    ],
  ],
  [
    'more shards',
    {},
    { shards: { count: 6 } },
    undefined,
    ['spec.shards.count: adds s4, s5, empty; the balancer fills them'],
  ],
  [
    'pause',
    {},
    { paused: true },
    undefined,
    ['spec.paused: purchases stop at once; tokens already handed out can still be checked out'],
  ],
  ['resume', { paused: true }, {}, undefined, ['spec.paused: purchases go on']],
  [
    'durability',
    {},
    { cache: { nodes: 3, durability: 'EverySecond' } },
    undefined,
    [
      'spec.cache.durability: cache nodes are restarted one after the other; a node restarted from then on voids its live tokens, whose buyers purchase again',
    ],
  ],
])('R33: %s', (_, before, after, status, expected) => {
  expect(effects(before, after, status)).toEqual(expected);
});

test('every field of the resource has an effect in words', () => {
  const after = sale({
    window: { opensAt: '2026-12-01T12:00:00Z' },
    storefront: {
      replicas: 5,
      autoscaling: { maxReplicas: 9 },
      connections: { perAddress: 50 },
      resources: { limits: { cpu: 1 } },
    },
    qualification: { perBuyer: 3, denyList: { ids: ['x'] } },
    auth: { trustedHeader: { name: 'X-Other', insecure: true } },
    orders: { paymentDeadline: '15m' },
    balancer: { rule: 'Average' },
    kafka: { bootstrapServers: ['a:1'] },
    deletionPolicy: 'Delete',
  });
  const changes = changesBetween(sale(), after);
  expect(new Set(changes.map(({ field }) => field))).toEqual(
    new Set([
      'spec.window.opensAt',
      'spec.storefront.replicas',
      'spec.storefront.autoscaling',
      'spec.storefront.connections.perAddress',
      'spec.storefront.resources',
      'spec.qualification.perBuyer',
      'spec.qualification.denyList',
      'spec.auth.trustedHeader.name',
      'spec.orders.paymentDeadline',
      'spec.balancer.rule',
      'spec.kafka.bootstrapServers',
      'spec.deletionPolicy',
    ]),
  );
  for (const { effect } of changes) expect(effect.length).toBeGreaterThan(10);
});

test('an edit that lets anybody buy as anybody is called by its name', () => {
  const jwt = { jwt: { jwksUri: 'https://id.example.com/jwks.json' } };
  const changes = (before: object, after: object) => changesBetween(sale({ auth: before }), sale({ auth: after }));
  const insecure = { trustedHeader: { name: 'X-Buyer-Id', insecure: true } };
  expect(changes(jwt, insecure).map(({ effect }) => effect)).toEqual(
    Array(2).fill(expect.stringContaining('INSECURE: whoever reaches a storefront can buy as anybody')),
  );
  expect(changes(insecure, jwt).map(({ effect }) => effect)).toEqual(
    Array(2).fill('storefronts take it over while they run, and let nobody in where they cannot'),
  );
});

test('what only a cluster has is nothing in local mode, and each driver tells of its own restarts', () => {
  const after = sale({ deletionPolicy: 'Delete', kafka: { bootstrapServers: ['a:1'] } });
  const effectsBy = (driver: 'machine' | 'cluster') =>
    changesBetween(sale(), after, {}, driver).map(({ effect }) => effect);
  expect(effectsBy('cluster')).toEqual([
    'shards, cache nodes and storefronts are restarted, one after the other; no order is lost',
    'what becomes of the volumes and the topic of order events when the resource is deleted',
  ]);
  expect(effectsBy('machine')).toEqual([
    'agents and balancer are restarted, storefronts one after the other; no order is lost',
    'what becomes of the volumes and the topic of order events when the resource is deleted; nothing in local mode',
  ]);
});
