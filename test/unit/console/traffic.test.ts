import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { storefrontMetrics } from '../../../dataplane/storefront/metrics.ts';
import { parseMetrics } from '../../../operator/console/prometheus-text.ts';
import { trafficOf } from '../../../operator/console/traffic.ts';

/** What a storefront shows that gave these answers. */
async function shown(tokens: number, soldOut: number, took: number) {
  const registry = new Registry();
  const metrics = storefrontMetrics(registry, { queued: () => [], purchasing: () => 0, connections: () => 0 });
  metrics.purchase('fresh', tokens);
  metrics.purchase('sold-out', soldOut);
  metrics.checkout('sold', tokens);
  for (let i = 0; i < tokens + soldOut; i++) metrics.purchaseTook(took);
  return parseMetrics(await registry.metrics());
}

test('the answers of all storefronts are added up, by outcome and by how long they took', async () => {
  const { storefronts, purchases, checkouts } = trafficOf([await shown(3, 1, 4), undefined, await shown(5, 2, 40)]);

  expect(storefronts).toEqual({ read: 2, of: 3 });
  expect(purchases.outcomes).toMatchObject({ fresh: 8, 'sold-out': 3, unavailable: 0 });
  expect(checkouts.outcomes).toMatchObject({ sold: 8 });
  const { seconds } = purchases;
  expect(seconds.map(({ upTo }) => upTo)).toEqual([
    0.001,
    0.002,
    0.005,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    undefined,
  ]);
  expect(seconds.map(({ count }) => count)).toEqual([0, 0, 4, 4, 4, 11, 11, 11, 11, 11, 11, 11, 11]);
  expect(JSON.parse(JSON.stringify(purchases))).toEqual(purchases);
});

test('storefronts that say nothing leave nothing, not zeros', () => {
  expect(trafficOf([undefined])).toEqual({
    storefronts: { read: 0, of: 1 },
    purchases: { outcomes: {}, seconds: [] },
    checkouts: { outcomes: {}, seconds: [] },
  });
});
