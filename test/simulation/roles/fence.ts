// Gives up the live tokens of a leaving node that cannot be asked, and takes over what it had not sold. Answers the
// epoch that is fenced; undefined: another recovery was first.

import type { Epoch, NodeId } from '../../../dataplane/protocol/units.ts';
import { call, type Task } from '../engine/sim.ts';
import { INCARNATION } from '../model/pool.ts';
import type { World } from '../world.ts';

export function* fence(world: World, id: NodeId, from: Epoch, heir: NodeId): Task<Epoch | undefined> {
  const { registry, shards } = world;
  const epoch = yield* call(registry, () => registry.raiseNodeEpoch(id, from));
  if (epoch === undefined) return undefined;
  const view = yield* call(registry, () => registry.read());
  const granted = view.nodes.find((node) => node.id === id)?.granted ?? 0;
  const listed = view.shards.map((shard) => shards.get(shard.id)).filter((shard) => shard !== undefined);
  for (const shard of listed) yield* call(shard, () => shard.raiseEpoch(INCARNATION, id, epoch));
  let ordered = 0;
  for (const shard of listed) ordered += yield* call(shard, () => shard.orderedThrough(INCARNATION, id));
  yield* call(registry, () => registry.book(id, epoch, granted - ordered, heir));
  return epoch;
}
