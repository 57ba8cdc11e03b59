// Every call of a shard, the pool and the registry with random arguments, for World: few tokens, buyers, nodes
// and payments, so that they meet again, and now and then what is not so.

import fc from 'fast-check';
import type { Millis, NodeId, ShardId, StockHolderId } from '../../dataplane/protocol/units.ts';
import type { ResizeStep } from '../../dataplane/stores/registry/registry.ts';
import { HOLDERS, type RealPool, type RealShard, SHARDS, settledEvents, timeless, type World } from './shard-world.ts';
import { type Call, caller, inOrder } from './side-by-side.ts';

const of = (holder: StockHolderId) =>
  caller<World, RealShard>((world, door) => ({ real: world.real(holder)[door], model: world.model(holder) }));
const ask = caller<World, Pick<RealPool, 'registry' | 'operator'>>((world, door) => ({
  real: world.realPool[door],
  model: world.pool.registry,
}));

const HOUR: Millis = 3_600_000;
const NODES: readonly NodeId[] = ['c0', 'c1', 'c2'];
const often = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

const holder = fc.constantFrom<StockHolderId>('s0', 's0', 's1', 's1', 'pool');
const node = fc.constantFrom(...NODES);
const anyNode = often<NodeId>(node, fc.constant('c9'));
const wrong = often(fc.constant(false), fc.constant(true));
const token = fc.nat(14).map((n) => `t${n}`);
const buyer = fc.constantFrom('ada', 'bob');
/** How far what a caller believes of a node's epoch is from what the shard has. */
const epoch = fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1);
const epochAt = (world: World, holder: StockHolderId, node: NodeId, off: number) =>
  Math.max(0, (world.model(holder).fences.rows.get(node)?.epoch ?? 0) + off);

/** One of the orders the shard has, newest first, as its buyer names it; or a token and a buyer that may be nobody's. */
interface Ordered {
  back: number;
  token: string;
  buyer: string;
  made: boolean;
}
const ordered: fc.Arbitrary<Ordered> = fc.record({
  back: fc.nat(4),
  token,
  buyer,
  made: fc.constantFrom(true, true, true, false),
});
const named = (world: World, holder: StockHolderId, { back, token, buyer, made }: Ordered) =>
  (made ? [...world.model(holder).orders.rows.values()].at(-1 - back) : undefined) ?? { token, buyer };

/** `again`: for a token that the shard has an order for. */
const rows = fc.array(
  fc.record({
    ordered,
    again: fc.constantFrom(true, false, false, false),
    token,
    buyer,
    quantity: fc.constantFrom(1, 1, 2, 3, 9),
    node,
    epoch,
    sequence: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 1, maxLength: 6 },
);

type Row = typeof rows extends fc.Arbitrary<(infer R)[]> ? R : never;
const checkingOut = (holder: StockHolderId, wrong: boolean, rows: Row[], deadline: Millis | undefined) =>
  of(holder)('storefront', 'checkout', (world) => [
    world.sale(wrong),
    // Orders of one batch are overdue at the same instant, and then cancelled in any order.
    rows.slice(0, deadline === 0 ? 1 : rows.length).map(({ ordered, again, ...row }) => ({
      ...row,
      token: again ? named(world, holder, ordered).token : row.token,
      epoch: epochAt(world, holder, row.node, row.epoch),
    })),
    deadline,
  ]);
const checkout = fc
  .record({ holder, wrong, rows, deadline: fc.constantFrom(undefined, 0, 0, HOUR, HOUR, HOUR) })
  .map(({ holder, wrong, rows, deadline }) => checkingOut(holder, wrong, rows, deadline));

const order = fc.record({ holder, wrong, ordered }).map(({ holder, wrong, ordered }) =>
  of(holder)('storefront', 'order', (world) => [world.sale(wrong), named(world, holder, ordered).token], {
    compared: timeless,
  }),
);

const paying = (holder: StockHolderId, wrong: boolean, ordered: Ordered, payment: string) =>
  of(holder)(
    'storefront',
    'pay',
    (world) => {
      const { token, buyer } = named(world, holder, ordered);
      return [world.sale(wrong), token, buyer, payment];
    },
    { compared: (answer) => ('order' in answer ? { ...answer, order: timeless(answer.order) } : answer) },
  );

/** Payments of one order, one after the other; the same one again among them. */
const pay = fc
  .record({ holder, wrong, ordered, payments: fc.array(fc.constantFrom('p1', 'p2'), { minLength: 1, maxLength: 3 }) })
  .map(({ holder, wrong, ordered, payments }) =>
    inOrder(payments.map((payment) => paying(holder, wrong, ordered, payment))),
  );

const cancel = fc.record({ holder, wrong, ordered }).map(({ holder, wrong, ordered }) =>
  of(holder)(
    'storefront',
    'cancel',
    (world) => {
      const { token, buyer } = named(world, holder, ordered);
      return [world.sale(wrong), token, buyer];
    },
    { compared: (answer) => ('order' in answer ? { ...answer, order: timeless(answer.order) } : answer) },
  ),
);

const closeTokens = fc
  .record({ holder, wrong, node: anyNode, epoch, upTo: fc.nat(8), tokens: fc.array(ordered, { maxLength: 6 }) })
  .map(({ holder, wrong, node, epoch, upTo, tokens }) =>
    of(holder)('cache', 'closeTokens', (world) => [
      world.sale(wrong),
      node,
      epochAt(world, holder, node, epoch),
      upTo,
      [...new Set(tokens.map((wanted) => named(world, holder, wanted).token))],
    ]),
  );

const raiseEpoch = fc
  .record({ holder, wrong, node, epoch: fc.constantFrom(1, 1, 0, -1) })
  .map(({ holder, wrong, node, epoch }) =>
    of(holder)('cache', 'raiseEpoch', (world) => [world.sale(wrong), node, epochAt(world, holder, node, epoch)]),
  );

/** A node's tokens are closed, and it starts anew: what has the same sequence numbers in the new epoch is good. */
const newEpoch = fc
  .record({ holder, node, upTo: fc.integer({ min: 1, max: 8 }), rows })
  .map(({ holder, node, upTo, rows }) =>
    inOrder([
      of(holder)('cache', 'closeTokens', (world) => [world.sale(), node, epochAt(world, holder, node, 0), upTo, []]),
      of(holder)('cache', 'raiseEpoch', (world) => [world.sale(), node, epochAt(world, holder, node, 1)]),
      checkingOut(
        holder,
        false,
        rows.map((row) => ({ ...row, node, epoch: 0 })),
        HOUR,
      ),
    ]),
  );

const orderedThrough = fc
  .record({ holder, wrong, node })
  .map(({ holder, wrong, node }) => of(holder)('cache', 'orderedThrough', (world) => [world.sale(wrong), node]));

const orderedByBuyer = fc
  .record({ holder, wrong })
  .map(({ holder, wrong }) => of(holder)('cache', 'orderedByBuyer', (world) => [world.sale(wrong)]));

const info = fc
  .record({ holder, door: fc.constantFrom('storefront' as const, 'cache' as const) })
  .map(({ holder, door }) => of(holder)(door, 'info', () => []));

const join = fc
  .record({
    holder,
    wrong,
    self: often<StockHolderId | 'right'>(fc.constant('right'), fc.constant('s2')),
    another: wrong,
    epochs: fc.array(fc.record({ node, epoch }), { maxLength: 2 }),
  })
  .map(({ holder, wrong, self, another, epochs }) =>
    joining(holder, wrong, self === 'right' ? holder : self, epochs, another),
  );

/** `another`: the call was meant for a database of before. */
const joining = (
  holder: StockHolderId,
  wrong: boolean,
  self: StockHolderId,
  epochs: { node: NodeId; epoch: number }[],
  another = false,
) =>
  of(holder)('agent', 'join', (world) => [
    world.sale(wrong),
    self,
    another ? `another life of ${holder}` : world.model(holder).peerIncarnation,
    epochs.map(({ node, epoch }) => ({ node, epoch: epochAt(world, holder, node, epoch) })),
  ]);

const execute = fc
  .record({
    source: holder,
    wrong,
    term: fc.constantFrom(0, 0, 0, 0, 1, -1),
    sequence: fc.constantFrom(1, 1, 1, 1, 0, -1),
    legs: fc.array(fc.record({ destination: fc.constantFrom(...HOLDERS), units: fc.nat(25) }), { maxLength: 3 }),
  })
  .map(({ wrong, ...command }) => executing(wrong, command));

/** `term` and `sequence` count from the command that the source executed last. */
const executing = (
  wrong: boolean,
  command: {
    source: StockHolderId;
    term: number;
    sequence: number;
    legs: { destination: StockHolderId; units: number }[];
  },
) =>
  of(command.source)(
    'agent',
    'execute',
    (world) => {
      const last = world.model(command.source).command;
      const [term, sequence] = [last.term + command.term, last.sequence + command.sequence];
      return [{ ...command, term, sequence, incarnation: world.sale(wrong) }];
    },
    {
      after: (world, made) => {
        world.queue.push(...made);
      },
    },
  );

const receive = fc
  .record({
    back: fc.nat(6),
    to: often<StockHolderId | 'right'>(fc.constant('right'), holder),
    changed: often<object>(
      fc.constant({}),
      fc.constantFrom(
        { incarnation: 'another sale' },
        { fromIncarnation: 'another life' },
        { destination: 's2' },
        { destination: 's2' },
        { units: 0 },
        { from: 's7', previous: 0 },
      ),
    ),
  })
  .map(({ back, to, changed }) => receiving(back, to, changed));

/** Takes any message of the queue, again and out of order too; `to`: brings it to the wrong shard. */
const receiving = (back: number, to: StockHolderId | 'right', changed: object): Call<World> => {
  const call = (at: StockHolderId) =>
    of(at)(
      'agent',
      'receive',
      (world) => {
        const message = world.queue.at(-1 - back);
        return message && [{ ...message, ...changed }];
      },
      {
        after: (world, { forwarded }) => {
          world.queue.push(...forwarded);
        },
      },
    );
  return {
    toString: () => `receive(${back} back, ${to}, ${JSON.stringify(changed)})`,
    run: async (world) => {
      const right = world.queue.at(-1 - back)?.to;
      // What the pool passes on to a shard that is not there stays under way.
      if (right && HOLDERS.includes(right)) await call(to === 'right' ? right : to).run(world);
    },
  };
};

const transfersTo = fc
  .record({ holder, hop: fc.constantFrom(...HOLDERS), above: fc.nat(6), limit: fc.integer({ min: 1, max: 2 }) })
  .map(({ holder, hop, above, limit }) => of(holder)('agent', 'transfersTo', () => [hop, above, limit]));

const orderEvents = fc
  .record({ holder, limit: fc.constantFrom(1, 3, 1000) })
  .map(({ holder, limit }) => of(holder)('agent', 'orderEvents', () => [limit], { compared: settledEvents }));

const relayed = fc
  .record({ holder, upTo: fc.nat(15) })
  .map(({ holder, upTo }) => of(holder)('agent', 'relayed', (world) => [Math.min(upTo, world.model(holder).version)]));

const cancelling = (holder: StockHolderId, limit: number) => of(holder)('agent', 'cancelOverdue', () => [limit]);
/** At rest, or after a few orders whose time to pay is over at once. */
const cancelOverdue = fc
  .record({ holder, orders: fc.array(rows, { maxLength: 4 }), limit: fc.constantFrom(1, 2, 100) })
  .map(({ holder, orders, limit }) =>
    inOrder([...orders.map((rows) => checkingOut(holder, false, rows, 0)), cancelling(holder, limit)]),
  );

// ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────────

const initializing = ask('registry', 'initialize', () => [], {
  between: async (world) => {
    world.drawn = (await world.realPool.registry.read())?.incarnation ?? world.drawn;
  },
});

/** `generation` counts from the last one. */
const generationOf = ({ pool: { registry } }: World, above: number): number => (registry.sale?.asked ?? 0) + above;
const above = fc.constantFrom(1, 1, 1, 0, -1);

const supplying = (generation: number, target: number, wrong = false) =>
  ask('operator', 'setSupply', (world) => [world.sale(wrong), generationOf(world, generation), target]);
const setSupply = fc
  .record({ generation: above, target: often(fc.nat(80), fc.constant(-1)), wrong })
  .map(({ generation, target, wrong }) => supplying(generation, target, wrong));

const setPaused = fc
  .record({ paused: fc.boolean(), generation: above, wrong })
  .map(({ paused, generation, wrong }) =>
    ask('operator', 'setPaused', (world) => [world.sale(wrong), generationOf(world, generation), paused]),
  );

const wanting = (count: number, generation = 0, wrong = false) =>
  ask('operator', 'wantNodes', (world) => [world.sale(wrong), generationOf(world, generation), count]);
const wantNodes = fc
  .record({ count: fc.nat(4), generation: above, wrong })
  .map(({ count, generation, wrong }) => wanting(count, generation, wrong));

const nextTerm = fc.constant(ask('operator', 'nextTerm', () => []));

const raiseNodeEpoch = fc
  .record({ node: anyNode, epoch, wrong })
  .map(({ node, epoch, wrong }) =>
    ask('registry', 'raiseEpoch', (world) => [
      world.sale(wrong),
      node,
      (world.pool.registry.nodes.get(node)?.epoch ?? 0) + epoch,
    ]),
  );

const anyShard = fc.constantFrom<ShardId>(...SHARDS, ...SHARDS, 's2', 's10');

const entering = (id: ShardId, wrong: boolean, another = false) =>
  ask('registry', 'enterShard', (world) => [
    world.sale(another),
    id,
    SHARDS.includes(id) && !wrong ? world.model(id).peerIncarnation : `another life of ${id}`,
  ]);
const enterShard = fc
  .record({ id: anyShard, wrong, another: wrong })
  .map(({ id, wrong, another }) => entering(id, wrong, another));

const shardJoined = fc
  .record({ id: anyShard, wrong })
  .map(({ id, wrong }) => ask('registry', 'shardJoined', (world) => [world.sale(wrong), id]));

const setReachable = fc
  .record({ node: anyNode, reachable: fc.boolean(), wrong })
  .map(({ node, reachable, wrong }) =>
    ask('registry', 'setReachable', (world) => [world.sale(wrong), node, reachable]),
  );

const booking = (node: NodeId, epoch: number, more: number, to: NodeId, tooMuch: boolean, wrong: boolean) =>
  ask('registry', 'book', (world) => {
    const known = world.pool.registry.nodes.get(node);
    const { granted, revoked } = known ?? { granted: 0, revoked: 0 };
    const total = tooMuch ? granted + 1 + more : Math.min(granted, revoked + more);
    return [world.sale(wrong), node, (known?.epoch ?? 0) + epoch, total, to];
  });
const book = fc
  .record({ node: anyNode, epoch, more: fc.nat(20), to: anyNode, tooMuch: wrong, wrong })
  .map(({ node, epoch, more, to, tooMuch, wrong }) => booking(node, epoch, more, to, tooMuch, wrong));

/** Fewer units than there are: what a node revokes is owed, and the pool keeps that back when it allocates. */
const reduction = fc
  .record({
    fewer: fc.integer({ min: 1, max: 20 }),
    node,
    more: fc.nat(20),
    to: node,
    holder: fc.constantFrom(...SHARDS),
  })
  .map(({ fewer, node, more, to, holder }) => {
    const reduce = ask('operator', 'setSupply', (world) => {
      const sale = world.pool.registry.sale;
      return sale && [world.sale(false), sale.generation + 1, Math.max(0, sale.supplied - sale.owed - fewer)];
    });
    const legs = [{ destination: holder, units: 25 }];
    return inOrder([
      reduce,
      booking(node, 0, more, to, false, false),
      executing(false, { source: 'pool', term: 0, sequence: 1, legs }),
    ]);
  });

const credit = fc
  .record({
    shard: often<ShardId>(fc.constantFrom(...SHARDS), fc.constant('s7')),
    to: anyNode,
    wrong,
  })
  .map(({ shard, to, wrong }) => ask('registry', 'credit', (world) => [world.sale(wrong), shard, to]));

/** `less`: an agent that was held up tells an older total. */
const tellCancelled = fc
  .record({
    shard: often<ShardId>(fc.constantFrom(...SHARDS), fc.constant('s7')),
    less: fc.constantFrom(0, 0, 1),
    stranger: often(fc.constant(false), fc.constant(true)),
    wrong,
  })
  .map(({ shard, less, stranger, wrong }) =>
    ask('registry', 'tellCancelled', (world) => {
      const model = SHARDS.includes(shard) ? world.model(shard) : undefined;
      const life = stranger || !model ? 'another life' : model.peerIncarnation;
      return [world.sale(wrong), shard, life, Math.max(0, (model?.totals.cancelled ?? 3) - less)];
    }),
  );

const payOwed = wrong.map((wrong) => ask('registry', 'payOwed', (world) => [world.sale(wrong)]));

const step = fc.constantFrom<ResizeStep>('none', 'draining', 'rebuilding');
const NEXT: Record<ResizeStep, ResizeStep> = { none: 'draining', draining: 'rebuilding', rebuilding: 'none' };
/** `layout` counts from the one in force; `other`: a node of which the agent saw another total. */
const resizing = (layout: number, from: ResizeStep, to: ResizeStep, other: NodeId | 'none', wrong = false) =>
  ask('registry', 'resize', (world) => {
    const { registry } = world.pool;
    const held = Object.fromEntries([...registry.nodes.values()].map((n) => [n.id, n.granted - n.revoked]));
    if (other !== 'none') held[other] = (held[other] ?? 0) + 1;
    return [world.sale(wrong), (registry.sale?.layout ?? 0) + layout, from, to, held];
  });
const resize = fc
  .record({
    from: step,
    to: often<ResizeStep | 'next'>(fc.constant('next'), step),
    layout: often(fc.constant(0), fc.constantFrom(-1, 1)),
    other: often<NodeId | 'none'>(fc.constant('none'), anyNode),
    wrong,
  })
  .map(({ from, to, layout, other, wrong }) => resizing(layout, from, to === 'next' ? NEXT[from] : to, other, wrong));

/**
 * A whole resize, during which another number of nodes is wanted and units are supplied. It ends if the registry agrees
 * about what the leaving nodes account for.
 */
const wholeResize = fc
  .record({
    count: fc.integer({ min: 1, max: 3 }),
    next: fc.integer({ min: 1, max: 3 }),
    more: fc.integer({ min: 1, max: 9 }),
    other: fc.constantFrom<NodeId | 'none'>('none', ...NODES),
  })
  .map(({ count, next, more, other }) =>
    inOrder([
      wanting(count),
      resizing(0, 'none', 'draining', 'none'),
      wanting(next),
      ask('operator', 'setSupply', (world) => {
        const sale = world.pool.registry.sale;
        return sale && [world.sale(), sale.generation + 1, sale.supplied - sale.owed + more];
      }),
      resizing(0, 'draining', 'rebuilding', other),
      resizing(0, 'rebuilding', 'none', 'none'),
    ]),
  );

export const anyCall: fc.Arbitrary<Call<World>> = fc.oneof(
  { weight: 10, arbitrary: checkout },
  { weight: 1, arbitrary: order },
  { weight: 4, arbitrary: pay },
  { weight: 4, arbitrary: cancel },
  { weight: 3, arbitrary: closeTokens },
  { weight: 2, arbitrary: raiseEpoch },
  { weight: 1, arbitrary: newEpoch },
  { weight: 1, arbitrary: orderedThrough },
  { weight: 1, arbitrary: orderedByBuyer },
  { weight: 1, arbitrary: info },
  { weight: 2, arbitrary: join },
  { weight: 8, arbitrary: execute },
  { weight: 12, arbitrary: receive },
  { weight: 3, arbitrary: transfersTo },
  { weight: 2, arbitrary: orderEvents },
  { weight: 1, arbitrary: relayed },
  { weight: 2, arbitrary: cancelOverdue },
  { weight: 1, arbitrary: fc.constant(initializing) },
  { weight: 5, arbitrary: setSupply },
  { weight: 1, arbitrary: setPaused },
  { weight: 2, arbitrary: wantNodes },
  { weight: 1, arbitrary: nextTerm },
  { weight: 2, arbitrary: raiseNodeEpoch },
  { weight: 2, arbitrary: enterShard },
  { weight: 1, arbitrary: shardJoined },
  { weight: 2, arbitrary: setReachable },
  { weight: 5, arbitrary: book },
  { weight: 2, arbitrary: reduction },
  { weight: 3, arbitrary: credit },
  { weight: 3, arbitrary: tellCancelled },
  { weight: 3, arbitrary: payOwed },
  { weight: 4, arbitrary: resize },
  { weight: 1, arbitrary: wholeResize },
);

/** A sale that runs, with stock to begin with, so that most calls have something to do. */
export const aSale: Call<World>[] = [
  initializing,
  wanting(NODES.length),
  ...SHARDS.map((id) => entering(id, false)),
  // Two that never join; the registry lists them by their numbers.
  entering('s10', true),
  entering('s2', true),
  ...SHARDS.map((id) =>
    joining(
      id,
      false,
      id,
      NODES.map((node) => ({ node, epoch: 0 })),
    ),
  ),
  supplying(1, 60),
  executing(false, {
    source: 'pool',
    term: 1,
    sequence: 1,
    legs: SHARDS.map((destination) => ({ destination, units: 20 })),
  }),
  receiving(0, 'right', {}),
  receiving(1, 'right', {}),
];
