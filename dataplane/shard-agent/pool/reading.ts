// One look at the whole cache tier: what the sale's registry says of every cache node, and what the fit ones say of
// themselves. It is plain data for the decisions beside it. Pure.

import { type NodeId, nodeNumber, type Units } from '../../protocol/units.ts';
import type { NodeState } from '../../stores/cache-node/cache-node.ts';
import type { RegistryNode, RegistryView } from '../../stores/registry/registry.ts';

export interface Reading {
  node: RegistryNode;
  /**
   * The node's state; undefined when it could not be asked, has no identity, or another incarnation or epoch than the
   * registry.
   */
  state: NodeState | undefined;
}

export interface FitReading extends Reading {
  state: NodeState;
}

export interface Look {
  view: RegistryView;
  readings: Reading[];
}

export const isFit = (reading: Reading): reading is FitReading => reading.state !== undefined;

/** Returns true when the node takes purchases under the layout in force. */
export const isMember = (view: RegistryView, node: NodeId): boolean => nodeNumber(node) < view.count;

/**
 * Is a member, and still will be after the resize that runs, or the one that is wanted. Only these are granted
 * anything.
 */
export const isStaying = (view: RegistryView, node: NodeId): boolean =>
  nodeNumber(node) < Math.min(view.count, view.resizingTo ?? view.wantedCount);

/** Returns the units revoked at the node and not booked in the registry. */
export const unbooked = ({ node, state }: FitReading): Units => Math.max(0, state.revoked - node.revoked);

/** Returns the units granted in the registry and not applied at the node. */
export const unapplied = ({ node, state }: FitReading): Units => Math.max(0, node.granted - state.granted);

/**
 * Returns the fit and staying node with least stock, for units that come back, or undefined when there is none at the
 * moment.
 */
export function poorest({ view, readings }: Look): NodeId | undefined {
  const fit = readings.filter(isFit).filter(({ node }) => isStaying(view, node.id));
  return fit.reduce<FitReading | undefined>(
    (least, reading) => (least && worth(least) <= worth(reading) ? least : reading),
    undefined,
  )?.node.id;
}

const worth = (reading: FitReading): Units => reading.state.virtual + unapplied(reading);
