// The steps by which virtual stock moves between cache nodes, each one call that may be the last before a crash.

import type { NodeId, Units } from '../../../dataplane/protocol/units.ts';
import {
  type FitReading,
  isFit,
  type Look,
  poorest,
  unapplied,
  unbooked,
} from '../../../dataplane/shard-agent/pool/reading.ts';
import type { NodeState } from '../../../dataplane/stores/cache-node/cache-node.ts';
import { call, quietly, type Task } from '../engine/sim.ts';
import { INCARNATION } from '../model/pool.ts';
import type { World } from '../world.ts';

/**
 * The nodes first, then the registry: what is granted meanwhile then shows as unapplied. The other way round it would
 * be seen nowhere, and "sold out" be said while it is there (R29).
 */
export function* lookAt(world: World): Task<Look> {
  const { registry, without } = world;
  const before = yield* call(registry, () => registry.read());
  const states = new Map<NodeId, NodeState>();
  for (const node of world.nodes.values()) {
    const state = yield* quietly(call(node, () => node.state()));
    if (state) states.set(node.id, state);
  }
  const view = without('nodes-then-registry') ? before : yield* call(registry, () => registry.read());
  const readings = view.nodes.map((node) => {
    const state = states.get(node.id);
    // Without its check of the epoch the registry would be told of a node that is being recovered, too.
    const current = state?.identity.epoch === node.epoch || without('book-current-epoch');
    if (state && without('all-drain-first')) state.draining = true;
    return { node, state: current ? state : undefined };
  });
  return { view, readings };
}

/** Books what is unbooked and applies what is unapplied; answers a look of after. */
export function* balance(world: World, look: Look, wanted?: NodeId): Task<Look> {
  let current = look;
  const heir = wanted ?? poorest(look);
  const left = look.readings.filter(isFit).filter((reading) => unbooked(reading) > 0);
  if (heir !== undefined && left.length > 0 && !world.without('book-every-difference')) {
    for (const reading of left) yield* book(world, reading, reading.state.revoked, heir);
    current = yield* lookAt(world);
  }
  const behind = current.readings.filter(isFit).filter((reading) => unapplied(reading) > 0);
  if (behind.length === 0) return current;
  for (const reading of behind) yield* apply(world, reading, reading.node.granted);
  return yield* lookAt(world);
}

export function* apply(world: World, { node, state }: FitReading, total: Units): Task {
  const model = world.nodes.get(node.id);
  const expected = { incarnation: INCARNATION, epoch: state.identity.epoch };
  if (model) yield* quietly(call(model, () => model.grant(expected, total)));
}

/** Answers what the other node was granted; it has yet to apply it. */
export function* take(world: World, from: FitReading, units: Units, to: NodeId): Task<Units> {
  const model = world.nodes.get(from.node.id);
  if (!model) return 0;
  const expected = { incarnation: INCARNATION, epoch: from.state.identity.epoch };
  const total = yield* quietly(call(model, () => model.revoke(expected, units)));
  return total === undefined ? 0 : yield* book(world, from, total, to);
}

function* book(world: World, { node, state }: FitReading, total: Units, to: NodeId): Task<Units> {
  const { registry } = world;
  const { granted, left } = yield* call(registry, () => registry.book(node.id, state.identity.epoch, total, to));
  if (left > 0) yield* call(registry, () => registry.grantLater(to, left));
  return granted + left;
}
