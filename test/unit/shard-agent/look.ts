// Sketches of a cache tier for tables: what matters of each node, everything else in order.

import { nodeId } from '../../../dataplane/protocol/units.ts';
import type { Look } from '../../../dataplane/shard-agent/pool/reading.ts';
import type { NodeState } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';

export interface NodeSketch {
  /** False: it could not be asked. */
  fit?: boolean;
  virtual?: number;
  live?: number;
  unbooked?: number;
  unapplied?: number;
  draining?: boolean;
  /** Of its identity. */
  layout?: number;
}

const EPOCH = 3;

export function look(
  nodes: readonly NodeSketch[],
  view: Partial<RegistryView> = {},
  states: Partial<NodeState> = {},
): Look {
  const registry: RegistryView = {
    incarnation: 'sale',
    generation: 1,
    target: 100,
    supplied: 100,
    owed: 0,
    layout: 1,
    count: nodes.length,
    wantedCount: nodes.length,
    resize: 'none',
    resizingTo: null,
    term: 0,
    paused: false,
    nodes: nodes.map((_, i) => ({ id: nodeId(i), epoch: EPOCH, granted: 1000, revoked: 100, reachable: true })),
    shards: [],
    ...view,
  };
  const readings = registry.nodes.map((node, i) => {
    const sketch = nodes[i] ?? {};
    const { fit = true, virtual = 0, live = 0, unbooked = 0, unapplied = 0, draining = false, layout = 1 } = sketch;
    const state: NodeState = {
      identity: { incarnation: 'sale', node: node.id, epoch: EPOCH, layout, count: nodes.length, paused: draining },
      virtual,
      granted: node.granted - unapplied,
      revoked: node.revoked + unbooked,
      issued: 0,
      closing: 0,
      liveTokens: live,
      liveUnits: live,
      pinned: {},
      settledUnits: 0,
      returnedUnits: 0,
      orderedBefore: 0,
      draining,
      sequence: 1,
      ...states,
    };
    return { node, state: fit ? state : undefined };
  });
  return { view: registry, readings };
}
