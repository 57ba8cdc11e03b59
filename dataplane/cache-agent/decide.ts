// Decides what a cache agent is to do about its node, from one reading of the sale's registry and one of the node. They
// are taken in this order, so that an identity ahead of the registry's reading only means that the reading is old.
// Pure.
//
// A node is fit when nothing below objects. The first objection counts, so their order is part of the meaning.

import type { SaleConfig } from '../protocol/config.ts';
import type { NodeId } from '../protocol/units.ts';
import type { NodeServer, NodeState, PurchaseMode } from '../stores/cache-node/cache-node.ts';
import type { RegistryNode, RegistryView } from '../stores/registry/registry.ts';

export interface Reading {
  self: NodeId;
  durability: SaleConfig['cache']['durability'];
  /** The sale's registry; undefined when it cannot be read, or has no sale yet. */
  view: RegistryView | undefined;
  server: NodeServer;
  /** The node's state; undefined when the node has no identity. */
  state: NodeState | undefined;
}

/**
 * serve    — fit: users on, purchases as `mode` says
 * recover  — users off, then recovery from the registry's epoch
 * keep-off — unfit, and recovery cannot help or cannot run now: users off
 * leave    — nobody can say; what is on stays on, what is off stays off
 */
export type Verdict =
  | { do: 'serve'; mode: PurchaseMode; reason: 'fit' }
  | { do: 'recover' | 'keep-off'; reason: Objection }
  | { do: 'leave'; reason: 'no-registry' };

export type Objection =
  /** The node has no identity: it is new, lost its data, or a recovery was cut off. */
  | 'no-identity'
  /** The identity is another node's: the address or the volume is wrong. Recovery makes it this one's. */
  | 'other-node'
  /** Fsync every second: the last second before the restart may be lost. */
  | 'restarted'
  /** The registry does not know this node, or has no layout yet. */
  | 'not-registered'
  | 'other-incarnation'
  /** A recovery began after this identity. */
  | 'old-epoch'
  /** The registry was read before the newest recovery, or has lost what it knew. */
  | 'epoch-ahead'
  /** The layout moved on: buyers' records are to be rebuilt. */
  | 'old-layout'
  /** The node drains for a resize that the registry does not know. */
  | 'stray-draining';

interface Known {
  state: NodeState;
  view: RegistryView;
  row: RegistryNode;
}

/** The objections that the node alone shows. */
const ALONE: [Objection, (reading: Reading) => boolean][] = [
  ['no-identity', ({ state }) => state === undefined],
  ['other-node', ({ state, self }) => state?.identity.node !== self],
  ['restarted', ({ durability, server }) => durability === 'EverySecond' && server.recoveredIn !== server.run],
];

/** The objections that show only beside the sale's registry. */
const BESIDE: [Objection, (known: Known) => boolean][] = [
  ['other-incarnation', ({ state, view }) => state.identity.incarnation !== view.incarnation],
  ['old-epoch', ({ state, row }) => state.identity.epoch < row.epoch],
  ['epoch-ahead', ({ state, row }) => state.identity.epoch > row.epoch],
  ['old-layout', ({ state, view }) => state.identity.layout !== view.layout],
  ['stray-draining', ({ state, view }) => state.draining && view.resize !== 'draining'],
];

export function decide(reading: Reading): Verdict {
  const { view, state, self } = reading;
  const alone = ALONE.find(([, objects]) => objects(reading))?.[0];
  if (view === undefined) return alone ? { do: 'keep-off', reason: alone } : { do: 'leave', reason: 'no-registry' };
  const row = view.nodes.find(({ id }) => id === self);
  if (row === undefined || view.count === 0) return { do: 'keep-off', reason: 'not-registered' };
  if (state === undefined || alone) return { do: 'recover', reason: alone ?? 'no-identity' };
  const objection = BESIDE.find(([, objects]) => objects({ state, view, row }))?.[0];
  if (objection === 'epoch-ahead') return { do: 'keep-off', reason: objection };
  if (objection) return { do: 'recover', reason: objection };
  return { do: 'serve', mode: modeOf(view), reason: 'fit' };
}

/**
 * Returns the mode of a node that has the layout of this view. An identity that drains does so until a newer layout;
 * one that is paused does not. A rebuilt node sells while others are still rebuilt: no token of the earlier layout is
 * left, so the shards had every unit that its buyers ever ordered, and the node that owned a buyer before sells nothing
 * until it has the new layout, too.
 */
export function modeOf(view: RegistryView): PurchaseMode {
  if (view.resize === 'draining') return 'draining';
  return view.paused ? 'paused' : 'selling';
}
