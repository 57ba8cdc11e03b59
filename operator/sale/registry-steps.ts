// What is to be written into the registry so that it says what the resource says. Pure: the registry's view in, steps
// out. The pool's agent carries wishes out; here they are only made, and compared with what has become of them.

import type { Incarnation, Units } from '../../dataplane/protocol/units.ts';
import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { Topology } from '../topology/topology.ts';

/** What the resource asks of the registry. */
export interface Wanted {
  /** The generation of the supply. The registry refuses one that does not rise. */
  generation: number;
  /** Units that the sale should supply in all. */
  stock: Units;
  /** The number of cache nodes. */
  nodes: number;
  /** Purchases are paused. */
  paused: boolean;
}

export const wantedOf = ({ settings, caches }: Topology): Wanted => ({
  generation: settings.generation,
  stock: settings.stock,
  nodes: caches.nodes.length,
  paused: settings.paused,
});

/** Each names the sale it is meant for, and how new the wish is. */
export type Step = { incarnation: Incarnation; generation: number } & (
  | { kind: 'want-nodes'; count: number }
  | { kind: 'set-paused'; paused: boolean }
  | { kind: 'set-supply'; target: Units }
);

/** Returns the steps that the registry lacks, in their order: the split over the nodes needs the nodes. */
export function registrySteps(view: RegistryView, wanted: Wanted): Step[] {
  const by = { incarnation: view.incarnation, generation: wanted.generation };
  return [
    ...(view.wantedCount === wanted.nodes ? [] : [{ ...by, kind: 'want-nodes' as const, count: wanted.nodes }]),
    ...(view.paused === wanted.paused ? [] : [{ ...by, kind: 'set-paused' as const, paused: wanted.paused }]),
    ...(view.generation >= wanted.generation ? [] : [{ ...by, kind: 'set-supply' as const, target: wanted.stock }]),
  ];
}

/** Returns how many cache nodes must run: the wanted ones, and every one that may still be in use. */
export function nodesToRun(view: RegistryView | undefined, wanted: number, running: number): number {
  const settled = view !== undefined && view.resize === 'none' && view.count === view.wantedCount;
  return settled && view.wantedCount === wanted ? wanted : Math.max(wanted, running);
}

/** Returns undefined when the registry is as the resource wants it, otherwise what is still going on, in a few words. */
export function unsettled(view: RegistryView | undefined, wanted: Wanted): string | undefined {
  if (!view) return 'the registry is being made';
  if (registrySteps(view, wanted).length > 0) return 'the registry is being told';
  if (view.resize === 'draining')
    return `changing from ${nodesOf(view.count)} to ${view.resizingTo}: purchases pause until the live tokens have ended`;
  if (view.resize === 'rebuilding')
    return `changing to ${nodesOf(view.count)}: buyers are getting their new owner nodes`;
  if (view.count !== wanted.nodes) return `changing from ${nodesOf(view.count)} to ${wanted.nodes}`;
  return undefined;
}

const nodesOf = (count: number): string => `${count} cache node${count === 1 ? '' : 's'}`;
