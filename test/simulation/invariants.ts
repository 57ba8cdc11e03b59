// What must hold at every instant of a run, and what must hold when it has come to rest.

import {
  type Incarnation,
  type Millis,
  type NodeId,
  nodeNumber,
  type TokenId,
  type Units,
} from '../../dataplane/protocol/units.ts';
import { check } from '../../operator/audit/check.ts';
import type { CacheNodeModel } from '../models/cache-node.ts';
import { Violation } from './engine/violation.ts';
import { isTrusted, readingsOf } from './readings.ts';
import type { NodePlace } from './stores.ts';
import type { Wishes, World } from './world.ts';

/** R26, after every event: what was supplied is in a shard, in the pool, in flight or in an order that lives. */
export function conserved({ stores, highest }: World): void {
  const { model } = stores.pool;
  const { sale } = model.registry;
  if (!sale) return;
  let found = model.available + model.ledger.out - model.ledger.in;
  for (const shard of stores.shards.values()) {
    const { ledger, totals } = shard.model;
    found += ledger.sum + ledger.out - ledger.in + totals.sold - totals.cancelled;
  }
  if (found !== sale.supplied) throw new Violation(`R26: ${sale.supplied} units were supplied, ${found} are there`);
  if (sale.supplied > highest)
    throw new Violation(`R33: ${sale.supplied} units are in the sale, ${highest} were asked for`);
}

/** The real audit, at one instant of a moving sale: units on their way to buyers may look stranded. */
export function audited(world: World): void {
  const { sale } = world.stores.pool.model.registry;
  if (!sale) return;
  const { findings, stranded } = check(readingsOf(world, sale));
  if (findings.length > (stranded > 0 ? 1 : 0)) throw new Violation(`R26, R27: ${findings.join('; ')}`);
}

/**
 * A node in its current epoch: the registry has booked no more than it revoked and granted no less than it applied; and
 * a live token that was not called in can be sold, or its units would be of use to nobody until it ends (R28).
 */
export function agreed(world: World): void {
  const { registry } = world.stores.pool.model;
  for (const node of world.stores.nodes.values()) {
    const { identity, closing, granted, revoked } = node.model.data;
    const entry = registry.nodes.get(node.id);
    if (!identity || !isTrusted(world, node) || identity.epoch !== entry?.epoch) continue;
    if (entry.revoked > revoked || entry.granted < granted)
      throw new Violation(
        `R26: ${node.id} sells by granted ${granted}, revoked ${revoked}; the registry has ${entry.granted}, ${entry.revoked}`,
      );
    for (const { id, sequence, shard } of node.model.live()) {
      if (sequence <= closing) continue;
      if (!world.stores.shards.get(shard)?.model.accepts({ token: id, node: node.id, epoch: identity.epoch, sequence }))
        throw new Violation(`R28: ${id} lives on ${node.id}, and ${shard} would never sell it`);
    }
  }
}

/** R13: no balancer ever saw a report whose change and result do not fit together. */
export function understood({ tables }: World): void {
  for (const table of tables)
    if (table.disagreements > 0) throw new Violation('R13: a report whose change and result do not fit together');
}

/** R33: what was applied once is not replaced by an older wish. */
export function wished({ stores, appliedGeneration, wishes }: World): void {
  const { sale } = stores.pool.model.registry;
  if (!sale || sale.count === 0 || appliedGeneration === 0) return;
  const isWished = (fits: (wish: Wishes) => boolean): boolean =>
    wishes.some((wish, generation) => generation >= appliedGeneration && fits(wish));
  if (!isWished(({ nodes }) => nodes === sale.wanted))
    throw new Violation(`R33: ${sale.wanted} nodes are wanted in the registry after generation ${appliedGeneration}`);
  if (!isWished(({ stock }) => stock === sale.target))
    throw new Violation(
      `R33: ${sale.target} units are the target in the registry after generation ${appliedGeneration}`,
    );
}

/** What was seen of a node after the event before. */
interface Sold {
  incarnation: string;
  epoch: number;
  issued: number;
  /** The newest layout under which the node has drained, or which the registry has left behind. */
  ended: number;
}

const soldBefore = new WeakMap<CacheNodeModel, Sold>();
const layoutBefore = new WeakMap<World, { incarnation: string; layout: number }>();

/**
 * R33, after every event: when a new layout is taken, no token of the earlier one can be sold any more; and a node makes
 * none under a layout in which it has drained, or which the registry has left behind. (Those of a node that is fenced are
 * void.)
 */
export function soldByOneLayout(world: World): void {
  const { sale } = world.stores.pool.model.registry;
  if (!sale) return;
  const before = layoutBefore.get(world);
  const isTaken = before?.incarnation === sale.incarnation && before.layout < sale.layout;
  if (isTaken || before?.incarnation !== sale.incarnation)
    layoutBefore.set(world, { incarnation: sale.incarnation, layout: sale.layout });
  for (const node of world.stores.nodes.values()) {
    const { identity, sequences } = node.model.data;
    if (identity?.incarnation !== sale.incarnation) continue;
    const { incarnation, epoch, layout, mode } = identity;
    const last = soldBefore.get(node.model);
    const known = last?.incarnation === incarnation ? last : undefined;
    const issued = sequences.length;
    if (isTaken && layout < sale.layout) isVoidAbove(world, node, 0);
    else if (known?.epoch === epoch && issued > known.issued && layout <= known.ended)
      isVoidAbove(world, node, known.issued);
    const ended = mode === 'draining' || layout < sale.layout ? layout : 0;
    soldBefore.set(node.model, { incarnation, epoch, issued, ended: Math.max(ended, known?.ended ?? 0) });
  }
}

/** Of the node's live tokens above the sequence number, no shard would make an order. */
function isVoidAbove({ stores }: World, { id, model }: NodePlace, above: number): void {
  const { epoch = 0, layout } = model.data.identity ?? {};
  for (const { id: token, sequence, shard } of model.live()) {
    const holder = sequence > above ? stores.shards.get(shard)?.model : undefined;
    if (holder && !holder.orders.get(token) && holder.accepts({ token, node: id, epoch, sequence }))
      throw new Violation(`R33: ${token} of ${id} can be sold, and its layout ${layout} has ended`);
  }
}

const heldBefore = new WeakMap<World, { layout: string; held: Map<NodeId, Units> }>();

/**
 * R30, after every event: a node outside the layout accounts for what was ordered through it, and for nothing else: what
 * is granted to it can be bought by nobody.
 */
export function nothingLeftBehind(world: World): void {
  const { sale, nodes } = world.stores.pool.model.registry;
  if (!sale) return;
  const layout = `${sale.incarnation} ${sale.layout}`;
  const last = heldBefore.get(world);
  const known = last?.layout === layout ? last.held : new Map<NodeId, Units>();
  if (last?.layout !== layout) heldBefore.set(world, { layout, held: known });
  for (const { id, granted, revoked } of nodes.values()) {
    const held = granted - revoked;
    if (nodeNumber(id) < sale.count || known.get(id) === held) continue;
    known.set(id, held);
    let ordered = 0;
    for (const { model } of world.stores.shards.values()) ordered += model.orders.through(id);
    if (held > ordered)
      throw new Violation(`R30: ${id} is outside the layout and accounts for ${held} units; ${ordered} were ordered`);
  }
}

const poolVersions = new WeakMap<World, number>();

/** R33, after every event: what the pool sends to a shard is not what it owes. */
export function keptForOwed(world: World): void {
  const { model } = world.stores.pool;
  const { rows } = model.ledger;
  const last = rows.at(-1);
  if (!last || poolVersions.get(world) === last.version) return;
  poolVersions.set(world, last.version);
  const owed = model.registry.sale?.owed ?? 0;
  // What is only passed on names its sender.
  const isOwn = last.kind === 'transfer_out' && !last.ref.includes('@');
  if (isOwn && model.available < owed)
    throw new Violation(`R33: the pool sent ${-last.delta} units, and has ${model.available} of ${owed} that it owes`);
}

/** R33: a resize is said to be over only when no node of the layout has another one. */
export function resized(world: World): void {
  const { registry } = world.stores.pool.model;
  const { sale } = registry;
  if (sale?.resize !== 'none') return;
  for (const node of world.stores.nodes.values()) {
    const { identity } = node.model.data;
    if (!identity || !isTrusted(world, node) || identity.epoch !== registry.nodes.get(node.id)?.epoch) continue;
    if (identity.layout !== sale.layout)
      throw new Violation(`R33: layout ${sale.layout} is said to be in force, and ${node.id} has ${identity.layout}`);
  }
}

interface Recovery {
  run: number;
  incarnation: string | undefined;
  epoch: number;
}

const newestRecovery = new WeakMap<CacheNodeModel, Recovery>();

/** R32, after every event: within one life of a node's server an overtaken recovery writes nothing any more. */
export function onlyForward({ stores }: World): void {
  for (const { id, model } of stores.nodes.values()) {
    const { data, run } = model;
    const incarnation = data.identity?.incarnation ?? data.recovering?.incarnation;
    const epoch = Math.max(data.recovering?.epoch ?? 0, data.identity?.epoch ?? 0);
    const before = newestRecovery.get(model);
    if (before?.run === run && before.incarnation === incarnation) {
      if (epoch === before.epoch) continue;
      if (epoch < before.epoch)
        throw new Violation(`R32: ${id} was recovered as epoch ${before.epoch}, and is back at ${epoch}`);
    }
    newestRecovery.set(model, { run, incarnation, epoch });
  }
}

/** A purchase that asked whether anything is left, and how little there was meanwhile. */
export interface Inquiry {
  quantity: Units;
  least: Map<NodeId, Units>;
  /** The least that all nodes together had at one time; what came back from tokens since the question is not counted. */
  leastOfAll: Units;
  cameBack: Units;
  /** Of each node, the total of units that came back from its tokens in its epoch. */
  returned: Map<NodeId, Units>;
}

/** What buyers of a node could get if everything granted were applied and everything unbooked came back. */
function offers(world: World, node: NodePlace): Units {
  const entry = world.stores.pool.model.registry.nodes.get(node.id);
  const { virtual, granted, revoked, identity } = node.model.data;
  if (!entry || !node.up || !node.model.users.has('storefront') || identity?.epoch !== entry.epoch) return 0;
  if (!isTrusted(world, node)) return 0;
  return virtual + entry.granted - granted + revoked - entry.revoked;
}

export function inquire(world: World, quantity: Units): Inquiry {
  const inquiry: Inquiry = {
    ...{ quantity, least: new Map(), returned: new Map() },
    ...{ leastOfAll: Number.POSITIVE_INFINITY, cameBack: 0 },
  };
  for (const node of world.stores.nodes.values()) {
    inquiry.least.set(node.id, offers(world, node));
    inquiry.returned.set(node.id, node.model.data.returnedUnits);
  }
  watch(world, inquiry);
  return inquiry;
}

export function watch(world: World, inquiry: Inquiry): void {
  const { least, returned, quantity } = inquiry;
  if (inquiry.leastOfAll < quantity && ![...least.values()].some((units) => units >= quantity)) return;
  let all = 0;
  for (const node of world.stores.nodes.values()) {
    const units = offers(world, node);
    all += units;
    least.set(node.id, Math.min(least.get(node.id) ?? 0, units));
    const { returnedUnits } = node.model.data;
    inquiry.cameBack += Math.max(0, returnedUnits - (returned.get(node.id) ?? 0));
    returned.set(node.id, returnedUnits);
  }
  inquiry.leastOfAll = Math.min(inquiry.leastOfAll, all - inquiry.cameBack);
}

/**
 * R29: nobody is told "sold out" while there was enough the whole time: on one node, or on all of them together. Units
 * may move between nodes while the question is answered. Those that come back from a token meanwhile may be missed,
 * because the token was seen: then the answer says that some may come back.
 */
export function answeredSoldOut({ quantity, least, leastOfAll }: Inquiry): void {
  if (leastOfAll >= quantity)
    throw new Violation(`R29: "sold out" for ${quantity} while there were ${leastOfAll} all the time`);
  for (const [node, units] of least)
    if (units >= quantity)
      throw new Violation(`R29: "sold out" for ${quantity} while ${node} had ${units} all the time`);
}

/** R28: a token that a node settles is an order, and one that it gives back is none. */
export function ended(world: World, token: TokenId, as: 'settled' | 'returned', incarnation?: Incarnation): void {
  if (incarnation !== world.incarnation) return;
  const isOrder = orderOf(world, token) !== undefined;
  if (as === 'settled' && !isOrder) throw new Violation(`R28: ${token} counts as sold, and there is no order`);
  if (as === 'returned' && isOrder) throw new Violation(`R28: ${token} is an order, and its units are on sale again`);
  if (as === 'returned') world.told.returned.add(token);
}

/** How long a node may take to hear of an order. */
const settledWithin = ({ sim }: World): Millis => 10 * sim.timeout;

/**
 * R27: a buyer whose checkout was answered may purchase again: the node is told of the order at once. Where calls are
 * lost or processes die, it may have to find the order itself when the token ends.
 */
export function freed(world: World, token: TokenId, asked: Millis): void {
  const { faults, every, edits } = world.scenario;
  const mayMiss = faults.lost > 0 || faults.late > 0 || Object.values(every).some(Number.isFinite);
  if (mayMiss || edits.some(({ kind }) => kind === 'away' || kind === 'stalled' || kind === 'remake')) return;
  const sold = world.told.sold.get(token);
  if (sold && asked > sold.at + settledWithin(world))
    throw new Violation(`R27: ${token} was sold, and still stands in the way of its buyer's next purchase`);
}

function orderOf({ stores }: World, token: TokenId) {
  for (const { model } of stores.shards.values()) {
    const order = model.orders.get(token);
    if (order) return order;
  }
  return undefined;
}

/** R29, R32: what buyers of this sale were told stays true. */
export function keptWord(world: World): void {
  const { told, stores, incarnation } = world;
  for (const { id, quantity, buyer, incarnation: of } of told.sold.values()) {
    if (of !== incarnation) continue;
    const order = orderOf(world, id);
    if (!order) throw new Violation(`R32: ${buyer} was told that ${id} is sold, but there is no order`);
    if (order.quantity !== quantity) throw new Violation(`R32: the order of ${id} is for ${order.quantity} units`);
  }
  for (const token of told.expired.keys())
    if (orderOf(world, token)) throw new Violation(`R32: ${token} is an order, but the buyer was told that it expired`);
  for (const token of told.returned)
    if (orderOf(world, token)) throw new Violation(`R28: ${token} is an order, and its units are on sale again`);
  for (const { id, incarnation: of } of told.cancelled.values())
    if (of === incarnation && orderOf(world, id)?.status !== 'cancelled')
      throw new Violation(`R31: ${id} was cancelled and lives again`);
  for (const { id, incarnation: of } of told.paid.values())
    if (of === incarnation && orderOf(world, id)?.status !== 'paid')
      throw new Violation(`R31: ${id} was paid and is no paid order`);
  if (stores.pool.model.available < 0) throw new Violation('R26: the pool is below zero');
}

/** What is still moving; empty: the sale has come to rest. */
export function unrest(world: World): string[] {
  const { stores, told } = world;
  const { model: pool } = stores.pool;
  const { sale, nodes: entries, shards: members } = pool.registry;
  if (!sale) return ['there is no registry'];
  const found: string[] = [];
  const say = (when: boolean, what: string) => {
    if (when) found.push(what);
  };
  say(
    told.waiting.size > 0,
    `${told.waiting.size} buyers wait (${[...told.waiting].slice(0, 3).map((each) => each.join(': '))})`,
  );
  say(!world.settledEdits, 'an edit is not applied yet');
  say(sale.resize !== 'none' || sale.wanted !== sale.count, `the layout changes (${sale.resize})`);
  say(sale.owed > 0, `${sale.owed} units are owed`);
  const active = [...stores.nodes.values()].filter(({ id }) => nodeNumber(id) < sale.count);
  const virtual = active.reduce((sum, { model }) => sum + model.data.virtual, 0);
  say(sale.supplied < sale.target, `R30: ${sale.target - sale.supplied} units were never supplied`);
  say(sale.supplied > sale.target && virtual > 0, 'the supply is above its target');
  for (const { id, model } of active) {
    const entry = entries.get(id);
    const { identity, granted, revoked } = model.data;
    const sells = model.users.has('storefront') && identity?.epoch === entry?.epoch && identity?.mode === 'selling';
    say(!sells, `${id} does not sell`);
    say(granted !== entry?.granted, `${id} has not applied its grants`);
    say(revoked !== entry?.revoked, `${id} has revoked what is not booked`);
    const live = model.live().length;
    say(live > 0, `R28: ${live} tokens live on ${id}`);
  }
  let flying = pool.ledger.out - pool.ledger.in;
  for (const { id, model } of stores.shards.values()) {
    flying += model.ledger.out - model.ledger.in;
    const credited = members.get(id)?.credited ?? 0;
    say(model.totals.cancelled !== credited, `${id} has cancelled units that are not credited`);
    const [unsaid] = model.eventsAbove(model.relayedUpTo);
    say(unsaid !== undefined, `${id} has not told of version ${unsaid?.version}`);
    say(model.orders.placed.size > 0, `${model.orders.placed.size} orders on ${id} wait for payment`);
  }
  say(flying > 0, `${flying} units are in flight`);
  say(pool.available > 0, `${pool.available} units lie in the pool`);
  return found;
}

/** R26–R30, at rest: every unit is where a buyer can get it, and the merchant has heard of every order (R10). */
export function atRest(world: World): void {
  const { sale } = world.stores.pool.model.registry;
  if (!sale) throw new Violation('R30: at rest: there is no registry');
  const { findings } = check(readingsOf(world, sale));
  if (findings.length > 0) throw new Violation(`R30: at rest: ${findings.join('; ')}`);
  world.merchant.heardEverything(world);
}

/** R30: nothing is left. */
export function soldOut({ stores }: World): void {
  const supplied = stores.pool.model.registry.sale?.supplied ?? 0;
  let sold = 0;
  for (const { model } of stores.shards.values()) sold += model.totals.sold - model.totals.cancelled;
  if (sold !== supplied) throw new Violation(`R30: ${sold} of ${supplied} units were sold to buyers without end`);
}
