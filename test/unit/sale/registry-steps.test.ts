// What is written into the registry, and how long leaving cache nodes are kept.

import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { nodesToRun, registrySteps, unsettled, type Wanted } from '../../../operator/sale/registry-steps.ts';

const view = (patch: Partial<RegistryView> = {}): RegistryView => ({
  incarnation: 'i',
  generation: 2,
  target: 100,
  supplied: 100,
  owed: 0,
  layout: 1,
  count: 3,
  wantedCount: 3,
  resize: 'none',
  resizingTo: null,
  term: 0,
  paused: false,
  nodes: [],
  shards: [],
  ...patch,
});
/** Every step names the sale and the generation. */
const by = { incarnation: 'i', generation: 2 };
const wanted: Wanted = { generation: 2, stock: 100, nodes: 3, paused: false };

test('a registry that agrees is told nothing', () => {
  expect(registrySteps(view(), wanted)).toEqual([]);
  expect(unsettled(view(), wanted)).toBeUndefined();
});

test('R1: a new registry is told the nodes before the supply that is split over them', () => {
  const fresh = view({ generation: 0, target: 0, supplied: 0, count: 0, wantedCount: 0 });
  expect(registrySteps(fresh, wanted)).toEqual([
    { ...by, kind: 'want-nodes', count: 3 },
    { ...by, kind: 'set-supply', target: 100 },
  ]);
});

test('R33: a number that was wanted meanwhile is taken back, also while a resize runs', () => {
  const running = view({ count: 2, resize: 'draining', resizingTo: 3, wantedCount: 4 });
  expect(registrySteps(running, wanted)).toEqual([{ ...by, kind: 'want-nodes', count: 3 }]);
  expect(registrySteps({ ...running, wantedCount: 3 }, wanted)).toEqual([]);
});

test('R33: pausing is told, and supply only with a newer generation', () => {
  expect(registrySteps(view(), { ...wanted, paused: true, stock: 50 })).toEqual([
    { ...by, kind: 'set-paused', paused: true },
  ]);
  expect(registrySteps(view(), { ...wanted, generation: 3, stock: 50 })).toEqual([
    { ...by, kind: 'set-supply', generation: 3, target: 50 },
  ]);
});

test.each<[Partial<RegistryView>, RegExp]>([
  [{ resize: 'draining', resizingTo: 3, count: 4 }, /from 4 cache nodes to 3: purchases pause/],
  [{ resize: 'rebuilding', resizingTo: 3 }, /to 3 cache nodes: .*new owner nodes/],
  [{ count: 4 }, /changing from 4 cache nodes to 3/],
])('R33: a resize under way is said: %o', (patch, text) => {
  expect(unsettled(view(patch), wanted)).toMatch(text);
});

test('R33: no cache node stops while any layout may still use it', () => {
  const count = fc.integer({ min: 1, max: 8 });
  const resize = fc.constantFrom('none' as const, 'draining' as const, 'rebuilding' as const);
  fc.assert(
    fc.property(count, count, count, count, resize, (inForce, asked, spec, running, step) => {
      const seen = view({ count: inForce, wantedCount: asked, resize: step });
      const kept = nodesToRun(seen, spec, Math.max(running, inForce, spec));
      expect(kept).toBeGreaterThanOrEqual(Math.max(inForce, spec));
      if (step !== 'none' || inForce !== asked) expect(kept).toBe(Math.max(running, inForce, spec));
    }),
  );
  expect(nodesToRun(undefined, 1, 5)).toBe(5);
  expect(nodesToRun(view({ count: 2, wantedCount: 2 }), 2, 5)).toBe(2);
});
