// FlashSale → Topology → SaleConfig, held by golden files: change one on purpose with `vitest run -u`.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nodeId, shardId } from '../../../dataplane/protocol/units.ts';
import type { FlashSale } from '../../../operator/api/flashsale.gen.ts';
import { loadFlashSale } from '../../../operator/api/load.ts';
import { type Placement, saleConfig } from '../../../operator/topology/placement.ts';
import { buildTopology } from '../../../operator/topology/topology.ts';

const root = join(import.meta.dirname, '..', '..', '..');

function load(file: string): FlashSale {
  const loaded = loadFlashSale(readFileSync(join(root, file), 'utf8'), { source: file });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.errors));
  return loaded.sale;
}

/** As a driver would place it: every part at an address of its own. */
function placementOf(sale: FlashSale, nodes = sale.spec.cache.nodes): Placement {
  const at = (port: number) => ({ host: '10.0.0.1', port });
  return {
    caches: Object.fromEntries(Array.from({ length: nodes }, (_, n) => [nodeId(n), at(6000 + n)])),
    shards: Object.fromEntries(Array.from({ length: sale.spec.shards.count }, (_, n) => [shardId(n), at(5000 + n)])),
    pool: at(4000),
    poolAgent: at(4001),
    kafka: { brokers: ['10.0.0.1:9092'], replicationFactor: 1 },
    lists: {
      ...(sale.spec.qualification.allowList?.configMapRefs ? { allow: ['/lists/allow'] } : {}),
      ...(sale.spec.qualification.denyList?.configMapRefs ? { deny: ['/lists/deny'] } : {}),
    },
  };
}

describe.each([
  ['minimal', 'docs/examples/minimal.yaml'],
  ['full', 'docs/examples/full.yaml'],
  ['shop', 'test/golden/topology/shop.yaml'],
])('%s', (name, file) => {
  const sale = load(file);
  const topology = buildTopology(sale);

  test('has this topology', async () => {
    const text = `${JSON.stringify(topology, null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(root, `test/golden/topology/${name}.topology.json`));
  });

  test('gives the roles this configuration', async () => {
    const text = `${JSON.stringify(saleConfig(topology, placementOf(sale)), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(join(root, `test/golden/topology/${name}.config.json`));
  });

  test('names no secret in what the roles are told', () => {
    const text = JSON.stringify([topology, saleConfig(topology, placementOf(sale))]);
    expect(text).not.toMatch(/s3cret|0123456789abcdef/);
  });
});

test('R33: nodes that are leaving stay in the configuration for as long as they are placed', () => {
  const sale = load('docs/examples/minimal.yaml');
  const smaller = { ...sale, spec: { ...sale.spec, cache: { ...sale.spec.cache, nodes: 2 } } };
  const config = saleConfig(buildTopology(smaller), placementOf(smaller, 12));
  expect(config.cache.nodes.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, n) => nodeId(n)));
});

test('a shard that was placed nowhere is a mistake of the driver, not a shard less', () => {
  const sale = load('docs/examples/minimal.yaml');
  const placement = placementOf(sale);
  const { s3: _, ...shards } = placement.shards;
  expect(() => saleConfig(buildTopology(sale), { ...placement, shards })).toThrow('shard s3 was placed nowhere');
});

test('the generation is the one of the resource', () => {
  const sale = load('docs/examples/minimal.yaml');
  const edited = { ...sale, metadata: { ...sale.metadata, generation: 7 } };
  expect(saleConfig(buildTopology(edited), placementOf(edited)).generation).toBe(7);
});
