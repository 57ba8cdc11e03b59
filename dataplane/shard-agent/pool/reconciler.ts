// Reconciles the cache tier with the sale's registry, a few times a second: which nodes are reachable, what is unbooked
// or unapplied, cancelled units, a lowered supply, nodes that run low, and a change of their number. Each step is a
// plan made elsewhere from one look, and carried out here; any of them may be cut off, and the next look finds what is
// left.

import type { Epoch, Incarnation, Millis, NodeId } from '../../protocol/units.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/log.ts';
import type { AgentRegistry } from '../../stores/registry/registry.ts';
import type { PoolMetrics } from '../metrics.ts';
import { decideResize, type ResizeAction } from './decide-resize.ts';
import type { Fenced } from './fence.ts';
import { type Holding, planRefills, planWithdrawal } from './moves.ts';
import type { Nodes } from './nodes.ts';
import { type FitReading, isFit, isMember, isStaying, type Look, poorest } from './reading.ts';
import type { VirtualStock } from './virtual-stock.ts';

/** A node that is unfit for so long is granted nothing until it is back, so that no supply waits on a dead node. */
const UNREACHABLE_AFTER: Millis = 1000;

export interface PoolReconcilerOptions {
  nodes: Nodes;
  registry: AgentRegistry;
  stock: VirtualStock;
  /** Fences a node of this epoch and books what it had not sold; answers what is final then. */
  fence: (incarnation: Incarnation, node: NodeId, epoch: Epoch, recipient: NodeId) => Promise<Fenced | undefined>;
  metrics: PoolMetrics;
  clock: Clock;
  log: Logger;
}

/** Makes the function that reconciles once. It rejects when the registry or a node failed in the middle. */
export function poolReconciler(options: PoolReconcilerOptions): () => Promise<void> {
  const { nodes, registry, stock, fence, metrics, clock, log } = options;
  const absentSince = new Map<NodeId, Millis>();
  const fenced = new Map<NodeId, Fenced>();
  let waiting: string | undefined;
  const absentFor = (node: NodeId): Millis => {
    const now = clock.now();
    return now - (absentSince.get(node) ?? now);
  };

  async function noticeReachable({ view, readings }: Look) {
    for (const reading of readings) {
      const { id, reachable } = reading.node;
      if (isFit(reading)) absentSince.delete(id);
      else if (!absentSince.has(id)) absentSince.set(id, clock.now());
      const reached = absentFor(id) < UNREACHABLE_AFTER;
      if (reached !== reachable) await registry.setReachable(view.incarnation, id, reached);
    }
    metrics.reachable(readings.filter(isFit).length);
    metrics.supplied(view.supplied);
    metrics.target(view.target);
    metrics.owed(view.owed);
    metrics.resizing(view.resize === 'none' ? 0 : 1);
  }

  /** Makes cancelled units virtual stock again, on the node that has least. */
  async function credit(look: Look): Promise<boolean> {
    const recipient = poorest(look);
    let any = false;
    for (const { id, cancelled, credited } of look.view.shards) {
      if (recipient === undefined || cancelled <= credited) continue;
      metrics.credited(await registry.credit(look.view.incarnation, id, recipient));
      any = true;
    }
    return any;
  }

  /** Takes back unsold units until the target is reached, and pays what has come into the pool (R33). */
  async function withdraw(look: Look): Promise<boolean> {
    const { view } = look;
    if (view.owed > 0) metrics.paid(await registry.payOwed(view.incarnation));
    const excess = view.supplied - view.owed - view.target;
    const recipient = poorest(look);
    if (excess <= 0 || recipient === undefined) return false;
    const members = look.readings.filter(isFit).filter(({ node }) => isMember(view, node.id));
    return carryOut(
      look,
      planWithdrawal(members.map(holding), excess).map(({ node, units }) => ({ from: node, units, to: recipient })),
      ({ booked, granted }) => metrics.withdrawn(booked - granted),
    );
  }

  async function refillAhead(look: Look): Promise<boolean> {
    const staying = look.readings.filter(isFit).filter(({ node }) => isStaying(look.view, node.id));
    return carryOut(look, planRefills(staying.map(holding)), ({ granted }) => metrics.moved(granted));
  }

  async function resize(look: Look): Promise<boolean> {
    const orderedThrough = (node: NodeId, epoch: Epoch) => {
      const known = fenced.get(node);
      return known?.epoch === epoch ? known.ordered : undefined;
    };
    const actions = decideResize(look, absentFor, orderedThrough);
    say(actions);
    let any = false;
    for (const action of actions) any = (await act(look, action)) || any;
    return any;
  }

  async function act(look: Look, action: ResizeAction): Promise<boolean> {
    const recipient = poorest(look);
    switch (action.kind) {
      case 'wait':
        return false;
      case 'step':
        if (await registry.resize(look.view.incarnation, action.layout, action.from, action.to, action.held))
          log.info(action, 'changing the number of cache nodes');
        // A fence whose units nobody took may be among the reasons: it is done again.
        else fenced.clear();
        return false;
      case 'empty':
        if (recipient === undefined) return false;
        return carryOut(look, [{ from: action.node, units: action.units, to: recipient }], ({ granted }) =>
          metrics.moved(granted),
        );
      case 'fence': {
        if (recipient === undefined) return false;
        const done = await fence(look.view.incarnation, action.node, action.epoch, recipient);
        if (done) fenced.set(action.node, done);
        log.warn(
          { node: action.node, ...done },
          'a leaving cache node cannot be reached: its live tokens are given up',
        );
        return true;
      }
    }
  }

  function say(actions: ResizeAction[]) {
    const reasons = actions.flatMap((action) => (action.kind === 'wait' ? [action.reason] : []));
    const now = reasons.length > 0 ? reasons.join('; ') : undefined;
    if (now !== undefined && now !== waiting) log.info(`changing the number of cache nodes ${now}`);
    waiting = now;
  }

  async function carryOut(
    look: Look,
    moves: readonly { from: NodeId; to: NodeId; units: number }[],
    count: (taken: { booked: number; granted: number }) => void,
  ): Promise<boolean> {
    for (const { from, to, units } of moves) {
      const donor = look.readings.filter(isFit).find(({ node }) => node.id === from);
      if (donor) count(await stock.take(look, donor, units, to));
    }
    return moves.length > 0;
  }

  return async () => {
    const found = await nodes.look();
    if (!found) return;
    await noticeReachable(found);
    let look = await stock.balance(found);
    for (const step of [credit, withdraw, refillAhead, resize]) {
      if (!(await step(look))) continue;
      const after = await nodes.look();
      if (!after) return;
      look = await stock.balance(after);
    }
  };
}

const holding = ({ node, state }: FitReading): Holding => ({ node: node.id, virtual: state.virtual });
