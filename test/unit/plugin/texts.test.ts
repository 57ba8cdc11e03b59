// What people read of the sales of a cluster.

import { expect, test } from 'vitest';
import type { FlashSale, FlashSaleStatus } from '../../../operator/api/flashsale.gen.ts';
import { validate } from '../../../operator/api/validate.ts';
import { type Plan, planText } from '../../../operator/plugin/plan.ts';
import { podReports } from '../../../operator/plugin/pods.ts';
import { salesTable, saleText } from '../../../operator/plugin/sale-text.ts';
import { topRows, topTable } from '../../../operator/plugin/top.ts';
import { changesBetween } from '../../../operator/topology/changes.ts';

const SINCE = '2026-12-01T12:00:00Z';
const NOW = Date.parse('2026-12-01T12:07:30Z');

function sale(name: string, spec: Record<string, unknown> = {}, status?: FlashSaleStatus): FlashSale {
  const validation = validate({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name, namespace: 'shop', generation: 3, uid: `uid-${name}` },
    spec: {
      sku: 'PHONE',
      stock: 20_000,
      cache: { nodes: 2 },
      shards: { count: 2 },
      auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      ...spec,
    },
  });
  if (!validation.ok) throw new Error(JSON.stringify(validation.findings));
  return { ...validation.sale, ...(status ? { status } : {}) };
}

const condition = (type: string, status: 'True' | 'False' | 'Unknown', reason: string, message: string) => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: SINCE,
  observedGeneration: 3,
});

const SELLING: FlashSaleStatus = {
  observedGeneration: 3,
  phase: 'Selling',
  conditions: [
    condition('Ready', 'True', 'Selling', 'Buyers are served'),
    condition('Degraded', 'True', 'PartlyReady', 'c1 is down'),
  ],
  supplied: 20_000,
  sold: 12_345,
  available: 7_655,
  virtualAvailable: 7_500,
  tokensLive: 155,
  inTransfer: 0,
  dispersion: { coefficientOfVariation: 0.031 },
  caches: [
    { id: 'c0', ready: true, epoch: 1, virtualAvailable: 3_700, tokensLive: 80 },
    { id: 'c1', ready: false, epoch: 2, virtualAvailable: 3_800, tokensLive: 75 },
  ],
  shards: [
    { id: 's0', ready: true, available: 3_800, pinned: 80, sold: 6_200 },
    { id: 'pool', ready: true, available: 0, pinned: 0, sold: 0 },
  ],
};

const pod = (name: string, component: string, status: Record<string, unknown>, deleted?: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    labels: { 'app.kubernetes.io/component': component },
    ...(deleted ? { deletionTimestamp: deleted } : {}),
  },
  spec: { nodeName: 'node-1' },
  status,
});
const READY = { phase: 'Running', startTime: SINCE, conditions: [{ type: 'Ready', status: 'True' }] };

const PODS = [
  pod('phone-shard-0', 'shard', {
    ...READY,
    containerStatuses: [
      { name: 'postgres', ready: true, restartCount: 1 },
      { name: 'agent', ready: true, restartCount: 2 },
    ],
  }),
  pod('phone-cache-1', 'cache', {
    phase: 'Running',
    startTime: SINCE,
    containerStatuses: [
      { name: 'redis', ready: true, restartCount: 0, state: { running: {} } },
      { name: 'agent', ready: false, restartCount: 4, state: { waiting: { reason: 'CrashLoopBackOff' } } },
    ],
  }),
  { ...pod('phone-storefront-x', 'storefront', { phase: 'Pending' }), spec: {} },
];

test('status of a sale shows conditions, stock, every node, shard and pod', () => {
  expect(saleText(sale('phone', {}, SELLING), podReports(PODS), NOW)).toBe(`shop/phone  Selling

CONDITION  STATUS  REASON       FOR    MESSAGE
Ready      True    Selling      7 min  Buyers are served
Degraded   True    PartlyReady  7 min  c1 is down

SUPPLIED    SOLD  AVAILABLE  VIRTUAL  LIVE TOKENS  IN TRANSFER  DISPERSION
  20,000  12,345      7,655    7,500          155            0        0.03

CACHE  READY  EPOCH  VIRTUAL  LIVE TOKENS
c0     yes        1    3,700           80
c1     no         2    3,800           75

SHARD  READY  AVAILABLE  PINNED   SOLD
s0     yes        3,800      80  6,200
pool   yes            0       0      0

POD                 STATE                    UPTIME  RESTARTS  NODE
phone-storefront-x  Pending                  –              0  –
phone-cache-1       agent: CrashLoopBackOff  7 min          4  node-1
phone-shard-0       ready                    7 min          3  node-1`);
});

test('status of a sale that nobody has looked at yet makes nothing up', () => {
  const text = saleText(sale('phone'), undefined, NOW);
  expect(text).toContain('shop/phone  Pending\nwaiting for the operator to look at the newest edit');
  expect(text).toContain('its pods may not be seen by you');
  expect(text).not.toContain('CONDITION');
});

const SALES = [
  sale('phone', {}, SELLING),
  sale('boots', {}, { observedGeneration: 2, phase: 'Paused', supplied: 10, sold: 3 }),
  sale('new'),
  sale(
    'shoes',
    {},
    {
      observedGeneration: 3,
      phase: 'Pending',
      conditions: [condition('Ready', 'False', 'MissingReference', 'Secret login does not exist')],
    },
  ),
  sale('end', {}, { observedGeneration: 3, phase: 'SoldOut', supplied: 20_000, sold: 20_000 }),
];

test('several sales are one line each, with what somebody should know', () => {
  expect(salesTable(SALES, true)).toBe(
    `SALE        PHASE    READY    SUPPLIED    SOLD  AVAILABLE  LIVE TOKENS
shop/phone  Selling  True       20,000  12,345      7,655          155  PartlyReady: c1 is down
shop/boots  Paused   Unknown        10       3          –            –  waiting for the operator to look at the newest edit
shop/new    Pending  Unknown         –       –          –            –  waiting for the operator to look at the newest edit
shop/shoes  Pending  False           –       –          –            –  MissingReference: Secret login does not exist
shop/end    SoldOut  Unknown    20,000  20,000          –            –`,
  );
});

test('top shows the fastest first, and no rate that is not known', () => {
  const before = { at: 1_000, sales: [sale('phone', {}, { ...SELLING, sold: 10_345 }), ...SALES.slice(3)] };
  const rows = topRows(before, { at: 3_000, sales: [...SALES].reverse() });
  expect(topTable(rows, false)).toBe(
    `SALE   PHASE    SOLD/S    SOLD      OF    %  AVAILABLE  VIRTUAL  LIVE TOKENS  IN TRANSFER  DISPERSION
phone  Selling   1,000  12,345  20,000   61      7,655    7,500          155            0        0.03  PartlyReady: c1 is down
boots  Paused        –       3      10   30          –        –            –            –           –  waiting for the operator to look at the newest edit
end    SoldOut       0  20,000  20,000  100          –        –            –            –           –
new    Pending       –       –       –    –          –        –            –            –           –  waiting for the operator to look at the newest edit
shoes  Pending       –       –       –    –          –        –            –            –           –  MissingReference: Secret login does not exist`,
  );
});

test('more cancellations than orders between two readings are no sales', () => {
  const reading = (at: number, sold: number) => ({ at, sales: [sale('phone', {}, { ...SELLING, sold })] });
  expect(topRows(reading(0, 100), reading(1000, 90))).toMatchObject([{ soldPerSecond: 0 }]);
  // A sale deleted and made again is another one.
  const again = {
    at: 1000,
    sales: [{ ...sale('phone', {}, SELLING), metadata: { ...sale('phone').metadata, uid: 'b' } }],
  };
  expect(topRows(reading(0, 100), again)[0]).not.toHaveProperty('soldPerSecond');
});

const plan = (live: FlashSale | undefined, after: FlashSale | undefined, more: Partial<Plan> = {}): string =>
  planText({
    sale: 'shop/phone',
    file: 'sale.yaml',
    ...(live ? { live } : {}),
    ...(after ? { after } : {}),
    changes: live && after ? changesBetween(live, after, live.status) : [],
    complaints: [],
    mistakes: [],
    ...more,
  });

test('a plan says what changes, what moves, and how to make it so', () => {
  const edited = sale('phone', { stock: 25_000, paused: true });
  expect(plan(sale('phone', {}, SELLING), edited)).toBe(`shop/phone  Selling, 12,345 of 20,000 units sold

spec.stock:   20000 → 25000  restocks 5,000 units, split over 2 cache nodes, allocated to the shards
spec.paused:  false → true   purchases stop at once; tokens already handed out can still be checked out
INSECURE: whoever reaches a storefront can buy as anybody (spec.auth.trustedHeader.insecure is true)

The API server accepts it. To make it so: kubectl apply -f sale.yaml`);
});

test('a plan that changes nothing asks for nothing', () => {
  expect(plan(sale('phone', {}, SELLING), sale('phone'))).toBe(
    `shop/phone  Selling, 12,345 of 20,000 units sold

nothing to change
INSECURE: whoever reaches a storefront can buy as anybody (spec.auth.trustedHeader.insecure is true)

The API server accepts it.`,
  );
});

test('a plan of a new sale says what it would consist of', () => {
  expect(
    plan(undefined, sale('phone')),
  ).toBe(`shop/phone is new: 2 cache nodes, 2 shards and the pool, 2 storefronts, the operator’s Kafka
INSECURE: whoever reaches a storefront can buy as anybody (spec.auth.trustedHeader.insecure is true)

The API server accepts it. To make it so: kubectl apply -f sale.yaml`);
});

test('a plan that the API server refuses shows its words, with the line where it is known, and what is next', () => {
  expect(
    plan(sale('phone', {}, SELLING), undefined, {
      complaints: [{ field: 'spec.shards.count', message: 'got 1: cannot shrink' }],
      mistakes: [
        { source: 'sale.yaml', line: 9, path: 'spec.shards.count', message: 'cannot shrink' },
        { source: 'sale.yaml', line: 12, path: 'spec.token.ttl', message: 'must be a duration' },
      ],
    }),
  ).toBe(`shop/phone  Selling, 12,345 of 20,000 units sold

The API server refuses it:
  sale.yaml:9: spec.shards.count: got 1: cannot shrink

Once that is right, these are next:
  sale.yaml:12: spec.token.ttl: must be a duration`);
});

test('fields that somebody else has set are named beside what would change', () => {
  const text = plan(sale('phone', {}, SELLING), sale('phone', { stock: 30_000 }), {
    complaints: [{ field: 'spec.stock', message: 'is set by kubectl-edit' }],
  });
  expect(text).toContain('restocks 10,000 units');
  expect(text).toContain('The API server refuses it:\n  spec.stock: is set by kubectl-edit');
});
