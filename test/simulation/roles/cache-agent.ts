// The agent beside one cache node: finds it fit or recovers it, lets its users in, ends due tokens, reports its level.
// Two at once, or one cut off anywhere, must be harmless.

import { decide, modeOf } from '../../../dataplane/cache-agent/decide.ts';
import type { Level } from '../../../dataplane/protocol/messages.ts';
import { ownerNode } from '../../../dataplane/protocol/owner-node.ts';
import type { BuyerId, NodeId, ShardId, TokenId, Units } from '../../../dataplane/protocol/units.ts';
import type { EndedToken, NodeState, TokenRecord } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { call, forever, Process, type Task } from '../engine/sim.ts';
import type { NodeModel } from '../model/node.ts';
import { INCARNATION } from '../model/pool.ts';
import type { World } from '../world.ts';

export function cacheAgent(world: World, node: NodeModel, name: string): Process {
  return new Process(world.sim, name, (process) => {
    process.spawn(forever(world.sim, world.scenario.agentPeriod, () => pass(world, node)));
  });
}

function* pass(world: World, node: NodeModel): Task {
  const { registry, scenario, without } = world;
  const view = yield* call(registry, () => registry.read());
  const { server, state } = yield* call(node, () => ({ server: node.server(), state: node.stateForAgent() }));
  const durability = without('users-off-until-recovered') ? 'Always' : scenario.durability;
  const verdict = decide({ self: node.id, durability, view, server, state });
  if (verdict.do !== 'serve' || !state) {
    yield* call(node, () => node.disable());
    if (verdict.do === 'recover') yield* recover(world, node, view);
    return;
  }
  const { identity } = state;
  yield* call(node, () => node.setMode(identity, verdict.mode));
  yield* call(node, () => node.enable(server.run, identity));
  yield* endDue(world, node, identity.epoch);
  const after = yield* call(node, () => node.stateForAgent());
  if (after) world.bus.publish('levels', node.id, levelOf(node.id, after));
}

function levelOf(node: NodeId, state: NodeState): Level {
  const { identity, closing, orderedBefore, draining, ...said } = state;
  const { epoch, layout, paused } = identity;
  return { incarnation: INCARNATION, node, epoch, layout, paused, ...said };
}

function* recover(world: World, node: NodeModel, before: RegistryView): Task {
  const { registry: pool, shards } = world;
  const { sim, without } = world;
  const rowOf = (view: RegistryView) => view.nodes.find(({ id }) => id === node.id);
  const entry = rowOf(before);
  if (!entry) return;
  const epoch = yield* call(pool, () => pool.raiseNodeEpoch(node.id, entry.epoch));
  if (epoch === undefined) return;
  sim.note(`${node.id} recovers as epoch ${epoch}`);
  const after = yield* call(pool, () => pool.read());
  const totals = rowOf(without('registry-after-epoch') ? before : after) ?? entry;
  const { layout, count } = after;
  const mode = modeOf(after);
  if (!(yield* call(node, () => node.beginRecovery(INCARNATION, epoch)))) return;

  const listed = (without('shards-after-epoch') ? before : after).shards
    .map(({ id }) => shards.get(id))
    .filter((s) => s !== undefined);
  const fence = function* (): Task {
    for (const shard of listed) yield* call(shard, () => shard.raiseEpoch(INCARNATION, node.id, epoch));
  };
  if (!without('fence-before-reading')) yield* fence();
  let ordered: Units = 0;
  const buyers = new Map<BuyerId, Units>();
  for (const shard of listed) {
    ordered += yield* call(shard, () => shard.orderedThrough(INCARNATION, node.id));
    const units = yield* call(shard, () => shard.orderedByBuyer(INCARNATION));
    for (const [buyer, more] of units)
      if (ownerNode(buyer, count) === node.id) buyers.set(buyer, (buyers.get(buyer) ?? 0) + more);
  }
  if (without('fence-before-reading')) yield* fence();
  const identity = { incarnation: INCARNATION, node: node.id, epoch, layout, count, paused: mode !== 'selling' };
  const { granted, revoked } = totals;
  yield* call(node, () => node.endRecovery(identity, mode, { granted, revoked, ordered }, buyers));
}

/** R28. Tokens of a shard that does not answer stay reserved until it does. */
function* endDue(world: World, node: NodeModel, epoch: number): Task {
  const expected = { incarnation: INCARNATION, epoch };
  const due = yield* call(node, () => node.due(expected));
  if (!due || due.tokens.length === 0) return;
  const byShard = new Map<ShardId, TokenRecord[]>();
  for (const token of due.tokens) byShard.set(token.shard, [...(byShard.get(token.shard) ?? []), token]);
  for (const [id, tokens] of byShard) {
    const shard = world.shards.get(id);
    if (!shard?.up) continue;
    const ids = tokens.map((token) => token.id);
    let ordered: Set<TokenId> | undefined;
    if (world.without('close-before-reading')) {
      ordered = yield* call(shard, () => shard.ordered(ids));
      yield* call(shard, () => shard.closeTokens(INCARNATION, node.id, epoch, due.upTo, ids));
    } else ordered = yield* call(shard, () => shard.closeTokens(INCARNATION, node.id, epoch, due.upTo, ids));
    if (!ordered) continue;
    const known = ordered;
    const ended: EndedToken[] = tokens.map((token) => ({ ...token, ordered: known.has(token.id) }));
    yield* call(node, () => node.finish(expected, ended));
  }
}
