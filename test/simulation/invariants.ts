// What must hold at every instant of a run, and what must hold when it has come to rest.

import { type NodeId, nodeNumber, type Units } from '../../dataplane/protocol/units.ts';
import { check } from '../../operator/audit/check.ts';
import type { NodeModel } from './model/node.ts';
import { Violation } from './model/violation.ts';
import { isTrusted, readingsOf } from './readings.ts';
import type { World } from './world.ts';

/** R26, after every event: what was supplied is in a shard, in the pool, in flight or in an order that lives. */
export function conserved({ registry, shards }: World): void {
  let found = registry.available + registry.out - registry.in;
  for (const shard of shards.values()) found += shard.available + shard.out - shard.in + shard.sold - shard.cancelled;
  if (found !== registry.supplied)
    throw new Violation(`R26: ${registry.supplied} units were supplied, ${found} are there`);
  if (registry.supplied - registry.owed > registry.highest)
    throw new Violation(
      `R33: ${registry.supplied - registry.owed} units are on sale, ${registry.highest} were asked for`,
    );
}

/** The real audit, at one instant of a moving sale: units on their way to buyers may look stranded. */
export function audited(world: World): void {
  const { findings, stranded } = check(readingsOf(world));
  if (findings.length > (stranded > 0 ? 1 : 0)) throw new Violation(`R26, R27: ${findings.join('; ')}`);
}

/**
 * A node in its current epoch: the registry has booked no more than it revoked and granted no less than it applied; and
 * a live token that was not called in can be sold, or its units would be of use to nobody until it ends (R28).
 */
export function agreed(world: World): void {
  for (const node of world.nodes.values()) {
    const { identity, tokens, closing, granted, revoked } = node.data;
    const entry = world.registry.nodes.get(node.id);
    if (!identity || !isTrusted(world, node) || identity.epoch !== entry?.epoch) continue;
    if (entry.revoked > revoked || entry.granted < granted)
      throw new Violation(
        `R26: ${node.id} sells by granted ${granted}, revoked ${revoked}; the registry has ${entry.granted}, ${entry.revoked}`,
      );
    for (const { id, sequence, shard, state } of tokens.values()) {
      if (state !== 'live' || sequence <= closing) continue;
      if (!world.shards.get(shard)?.accepts({ token: id, node: node.id, epoch: identity.epoch, sequence }))
        throw new Violation(`R28: ${id} lives on ${node.id}, and ${shard} would never sell it`);
    }
  }
}

const newestRecovery = new WeakMap<NodeModel, { run: number; epoch: number }>();

/** R32, after every event: within one life of a node's server an overtaken recovery writes nothing any more. */
export function onlyForward({ nodes }: World): void {
  for (const node of nodes.values()) {
    const { run } = node;
    const epoch = Math.max(node.data.recovering?.epoch ?? 0, node.data.identity?.epoch ?? 0);
    const before = newestRecovery.get(node);
    if (before?.run === run && epoch < before.epoch)
      throw new Violation(`R32: ${node.id} was recovered as epoch ${before.epoch}, and is back at ${epoch}`);
    newestRecovery.set(node, { run, epoch });
  }
}

/** A purchase that asked whether anything is left, and the least each node had meanwhile. */
export interface Inquiry {
  quantity: Units;
  least: Map<NodeId, Units>;
}

/** What buyers of a node could get if everything granted were applied and everything unbooked came back. */
function offers(world: World, node: NodeModel): Units {
  const entry = world.registry.nodes.get(node.id);
  const { virtual, granted, revoked, identity } = node.data;
  if (!entry || !node.up || !node.enabled || identity?.epoch !== entry.epoch || !isTrusted(world, node)) return 0;
  return virtual + entry.granted - granted + revoked - entry.revoked;
}

export function inquire(world: World, quantity: Units): Inquiry {
  const inquiry: Inquiry = { quantity, least: new Map() };
  for (const node of world.nodes.values()) inquiry.least.set(node.id, offers(world, node));
  return inquiry;
}

export function watch(world: World, inquiry: Inquiry): void {
  for (const node of world.nodes.values()) {
    const offered = offers(world, node);
    inquiry.least.set(node.id, Math.min(inquiry.least.get(node.id) ?? 0, offered));
  }
}

/** R29: nobody is told "sold out" while a node had enough the whole time. */
export function answeredSoldOut({ quantity, least }: Inquiry): void {
  for (const [node, units] of least)
    if (units >= quantity)
      throw new Violation(`R29: "sold out" for ${quantity} while ${node} had ${units} all the time`);
}

/** R29, R32: what buyers were told stays true. */
export function keptWord({ told, shards, registry }: World): void {
  const orders = new Map([...shards.values()].flatMap((shard) => [...shard.orders]));
  for (const { token, quantity, buyer } of told.sold.values()) {
    const order = orders.get(token);
    if (!order) throw new Violation(`R32: ${buyer} was told that ${token} is sold, but there is no order`);
    if (order.quantity !== quantity) throw new Violation(`R32: the order of ${token} is for ${order.quantity} units`);
  }
  for (const token of told.expired.keys())
    if (orders.has(token)) throw new Violation(`R32: ${token} is an order, but the buyer was told that it expired`);
  for (const token of told.cancelled)
    if (orders.get(token)?.status !== 'cancelled') throw new Violation(`R31: ${token} was cancelled and lives again`);
  for (const token of told.paid)
    if (orders.get(token)?.status !== 'paid') throw new Violation(`R31: ${token} was paid and is no paid order`);
  if (registry.available < 0) throw new Violation('R26: the pool is below zero');
}

/** What is still moving; empty: the sale has come to rest. */
export function unrest(world: World): string[] {
  const { registry, shards, nodes, told } = world;
  const found: string[] = [];
  const say = (when: boolean, what: string) => {
    if (when) found.push(what);
  };
  say(told.waiting.size > 0, `${told.waiting.size} buyers wait`);
  say(world.applied < world.edited, 'an edit is not applied yet');
  say(registry.step !== 'none' || registry.wanted !== registry.count, 'the layout changes');
  say(registry.owed > 0, `${registry.owed} units are owed`);
  const active = [...nodes.values()].filter((node) => nodeNumber(node.id) < registry.count);
  const virtual = active.reduce((sum, node) => sum + node.data.virtual, 0);
  say(registry.supplied < registry.target, `R30: ${registry.target - registry.supplied} units were never supplied`);
  say(registry.supplied > registry.target && virtual > 0, 'the supply is above its target');
  for (const node of active) {
    const entry = registry.nodes.get(node.id);
    const { identity, granted, revoked, tokens } = node.data;
    say(!node.enabled || identity?.epoch !== entry?.epoch || identity?.mode !== 'selling', `${node.id} does not sell`);
    say(granted !== entry?.granted, `${node.id} has not applied its grants`);
    say(revoked !== entry?.revoked, `${node.id} has revoked what is not booked`);
    const live = [...tokens.values()].filter(({ state }) => state === 'live').length;
    say(live > 0, `R28: ${live} tokens live on ${node.id}`);
  }
  let flying = registry.out - registry.in;
  for (const shard of shards.values()) {
    flying += shard.out - shard.in;
    const credited = registry.shards.get(shard.peer as `s${number}`)?.credited ?? 0;
    say(shard.cancelled !== credited, `${shard.peer} has cancelled units that are not credited`);
    const placed = [...shard.orders.values()].filter(({ status }) => status === 'placed').length;
    say(placed > 0, `${placed} orders on ${shard.peer} wait for payment`);
  }
  say(flying > 0, `${flying} units are in flight`);
  say(registry.available > 0, `${registry.available} units lie in the pool`);
  return found;
}

/** R26–R30, at rest: every unit is where a buyer can get it. */
export function atRest(world: World): void {
  const { findings } = check(readingsOf(world));
  if (findings.length > 0) throw new Violation(`R30: at rest: ${findings.join('; ')}`);
}

/** R30: nothing is left. */
export function soldOut({ registry, shards }: World): void {
  let sold = 0;
  for (const shard of shards.values()) sold += shard.sold - shard.cancelled;
  if (sold !== registry.supplied)
    throw new Violation(`R30: ${sold} of ${registry.supplied} units were sold to buyers without end`);
}
