// Every call of a shard, the pool and the registry with random arguments, for model.test.ts: few tokens, buyers, nodes
// and payments, so that they meet again, and now and then what is not so.

import fc from 'fast-check';
import type { NodeId, ShardId, StockHolderId } from '../../../dataplane/protocol/units.ts';
import type { AgentRegistry, OperatorRegistry, ResizeStep } from '../../../dataplane/stores/registry/registry.ts';
import type { AgentShard, CacheShard, StorefrontShard } from '../../../dataplane/stores/shard/shard.ts';
import { type Call, caller } from '../../harness/side-by-side.ts';
import { HOUR } from './fixture.ts';
import { PEERS, SHARDS, settledEvents, timeless, type World } from './model-world.ts';

interface ShardDoors {
  storefront: StorefrontShard;
  cache: CacheShard;
  agent: AgentShard;
}
interface RegistryDoors {
  registry: AgentRegistry;
  operator: OperatorRegistry;
}

const of = (peer: StockHolderId) =>
  caller<World, ShardDoors>((world, door) => ({ real: world.real(peer)[door], model: world.model(peer) }));
const ask = caller<World, RegistryDoors>((world, door) => ({
  real: world.realPool[door],
  model: world.pool.registry,
}));

const NODES: readonly NodeId[] = ['c0', 'c1', 'c2'];
const often = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

const peer = fc.constantFrom<StockHolderId>('s0', 's0', 's1', 's1', 'pool');
const node = fc.constantFrom(...NODES);
const anyNode = often<NodeId>(node, fc.constant('c9'));
const wrong = often(fc.constant(false), fc.constant(true));
const token = fc.nat(14).map((n) => `t${n}`);
const buyer = fc.constantFrom('ada', 'bob');
/** How far what a caller believes of a node's epoch is from what the shard has. */
const epoch = fc.constantFrom(0, 0, 0, 0, 0, 0, -1, 1);
const epochAt = (world: World, peer: StockHolderId, node: NodeId, off: number) =>
  Math.max(0, (world.model(peer).fences.rows.get(node)?.epoch ?? 0) + off);

/** One of the orders the shard has, newest first, as its buyer names it; or a token and a buyer that may be nobody's. */
const ordered = fc.record({ back: fc.nat(4), token, buyer, made: fc.constantFrom(true, true, true, false) });
const named = (
  world: World,
  peer: StockHolderId,
  { back, token, buyer, made }: { back: number; token: string; buyer: string; made: boolean },
) => (made ? [...world.model(peer).orders.rows.values()].at(-1 - back) : undefined) ?? { token, buyer };

const rows = fc.array(
  fc.record({
    token,
    buyer,
    quantity: fc.constantFrom(1, 1, 2, 3, 9),
    node,
    epoch,
    sequence: fc.integer({ min: 1, max: 12 }),
  }),
  { minLength: 1, maxLength: 6 },
);

const checkout = fc
  .record({ peer, wrong, rows, deadline: fc.constantFrom(undefined, 0, 0, HOUR, HOUR, HOUR) })
  .map(({ peer, wrong, rows, deadline }) =>
    of(peer)('storefront', 'checkout', (world) => [
      world.sale(wrong),
      // Orders of one batch are overdue at the same instant, and then cancelled in any order.
      rows
        .slice(0, deadline === 0 ? 1 : rows.length)
        .map((row) => ({ ...row, epoch: epochAt(world, peer, row.node, row.epoch) })),
      deadline,
    ]),
  );

const order = fc.record({ peer, wrong, ordered }).map(({ peer, wrong, ordered }) =>
  of(peer)('storefront', 'order', (world) => [world.sale(wrong), named(world, peer, ordered).token], {
    compared: timeless,
  }),
);

const pay = fc
  .record({ peer, wrong, ordered, payment: fc.constantFrom('p1', 'p2') })
  .map(({ peer, wrong, ordered, payment }) =>
    of(peer)(
      'storefront',
      'pay',
      (world) => {
        const { token, buyer } = named(world, peer, ordered);
        return [world.sale(wrong), token, buyer, payment];
      },
      { compared: (answer) => ('order' in answer ? { ...answer, order: timeless(answer.order) } : answer) },
    ),
  );

const cancel = fc.record({ peer, wrong, ordered }).map(({ peer, wrong, ordered }) =>
  of(peer)(
    'storefront',
    'cancel',
    (world) => {
      const { token, buyer } = named(world, peer, ordered);
      return [world.sale(wrong), token, buyer];
    },
    { compared: (answer) => ('order' in answer ? { ...answer, order: timeless(answer.order) } : answer) },
  ),
);

const closeTokens = fc
  .record({ peer, wrong, node: anyNode, epoch, upTo: fc.nat(8), tokens: fc.array(ordered, { maxLength: 6 }) })
  .map(({ peer, wrong, node, epoch, upTo, tokens }) =>
    of(peer)('cache', 'closeTokens', (world) => [
      world.sale(wrong),
      node,
      epochAt(world, peer, node, epoch),
      upTo,
      [...new Set(tokens.map((wanted) => named(world, peer, wanted).token))],
    ]),
  );

const raiseEpoch = fc
  .record({ peer, wrong, node, epoch })
  .map(({ peer, wrong, node, epoch }) =>
    of(peer)('cache', 'raiseEpoch', (world) => [world.sale(wrong), node, epochAt(world, peer, node, epoch)]),
  );

const orderedThrough = fc
  .record({ peer, wrong, node })
  .map(({ peer, wrong, node }) => of(peer)('cache', 'orderedThrough', (world) => [world.sale(wrong), node]));

const orderedByBuyer = fc
  .record({ peer, wrong })
  .map(({ peer, wrong }) => of(peer)('cache', 'orderedByBuyer', (world) => [world.sale(wrong)]));

const info = fc
  .record({ peer, door: fc.constantFrom('storefront' as const, 'cache' as const) })
  .map(({ peer, door }) => of(peer)(door, 'info', () => []));

const join = fc
  .record({
    peer,
    wrong,
    self: often<StockHolderId | 'right'>(fc.constant('right'), fc.constant('s2')),
    epochs: fc.array(fc.record({ node, epoch }), { maxLength: 2 }),
  })
  .map(({ peer, wrong, self, epochs }) => joining(peer, wrong, self === 'right' ? peer : self, epochs));

const joining = (peer: StockHolderId, wrong: boolean, self: StockHolderId, epochs: { node: NodeId; epoch: number }[]) =>
  of(peer)('agent', 'join', (world) => [
    world.sale(wrong),
    self,
    epochs.map(({ node, epoch }) => ({ node, epoch: epochAt(world, peer, node, epoch) })),
  ]);

const execute = fc
  .record({
    source: peer,
    wrong,
    term: fc.constantFrom(0, 0, 0, 0, 1, -1),
    sequence: fc.constantFrom(1, 1, 1, 1, 0, -1),
    legs: fc.array(fc.record({ destination: fc.constantFrom(...PEERS), units: fc.nat(25) }), { maxLength: 3 }),
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
    to: often<StockHolderId | 'right'>(fc.constant('right'), peer),
    changed: fc.constantFrom(
      {},
      {},
      {},
      {},
      {},
      {},
      { incarnation: 'another sale' },
      { fromIncarnation: 'another life' },
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
      if (right) await call(to === 'right' ? right : to).run(world);
    },
  };
};

const transfersTo = fc
  .record({ peer, hop: fc.constantFrom(...PEERS), above: fc.nat(12), limit: fc.integer({ min: 1, max: 4 }) })
  .map(({ peer, hop, above, limit }) => of(peer)('agent', 'transfersTo', () => [hop, above, limit]));

const orderEvents = fc
  .record({ peer, limit: fc.constantFrom(1, 3, 1000) })
  .map(({ peer, limit }) => of(peer)('agent', 'orderEvents', () => [limit], { compared: settledEvents }));

const relayed = fc
  .record({ peer, upTo: fc.nat(15) })
  .map(({ peer, upTo }) => of(peer)('agent', 'relayed', (world) => [Math.min(upTo, world.model(peer).version)]));

const cancelOverdue = fc
  .record({ peer, limit: fc.constantFrom(1, 2, 100) })
  .map(({ peer, limit }) => of(peer)('agent', 'cancelOverdue', () => [limit]));

// ── the registry ────────────────────────────────────────────────────────────────────────────────────────────────────

const initializing = ask('registry', 'initialize', () => [], {
  between: async (world) => {
    world.drawn = (await world.realPool.registry.read())?.incarnation ?? world.drawn;
  },
});

/** `generation` counts from the last one. */
const supplying = (generation: number, target: number) =>
  ask('operator', 'setSupply', (world) => [(world.pool.registry.sale?.generation ?? 0) + generation, target]);
const setSupply = fc
  .record({ generation: fc.constantFrom(1, 1, 1, 0, -1), target: often(fc.nat(80), fc.constant(-1)) })
  .map(({ generation, target }) => supplying(generation, target));

const setPaused = fc.boolean().map((paused) => ask('operator', 'setPaused', () => [paused]));

const wanting = (count: number) => ask('operator', 'wantNodes', () => [count]);
const wantNodes = fc.nat(4).map(wanting);

const nextTerm = fc.constant(ask('operator', 'nextTerm', () => []));

const raiseNodeEpoch = fc
  .record({ node: anyNode, epoch })
  .map(({ node, epoch }) =>
    ask('registry', 'raiseEpoch', (world) => [node, (world.pool.registry.nodes.get(node)?.epoch ?? 0) + epoch]),
  );

const anyShard = often<ShardId>(fc.constantFrom(...SHARDS), fc.constantFrom('s2', 's10'));

const entering = (id: ShardId, wrong: boolean) =>
  ask('registry', 'enterShard', (world) => [
    id,
    SHARDS.includes(id) && !wrong ? world.model(id).peerIncarnation : `another life of ${id}`,
  ]);
const enterShard = fc.record({ id: anyShard, wrong }).map(({ id, wrong }) => entering(id, wrong));

const shardJoined = anyShard.map((id) => ask('registry', 'shardJoined', () => [id]));

const setReachable = fc
  .record({ node: anyNode, reachable: fc.boolean() })
  .map(({ node, reachable }) => ask('registry', 'setReachable', () => [node, reachable]));

const book = fc
  .record({ node: anyNode, epoch, more: fc.nat(20), to: anyNode, tooMuch: wrong })
  .map(({ node, epoch, more, to, tooMuch }) =>
    ask('registry', 'book', (world) => {
      const known = world.pool.registry.nodes.get(node);
      const { granted, revoked } = known ?? { granted: 0, revoked: 0 };
      return [node, (known?.epoch ?? 0) + epoch, tooMuch ? granted + 1 + more : Math.min(granted, revoked + more), to];
    }),
  );

const credit = fc
  .record({
    shard: often<ShardId>(fc.constantFrom(...SHARDS), fc.constant('s7')),
    less: fc.constantFrom(0, 0, 1),
    to: anyNode,
  })
  .map(({ shard, less, to }) =>
    ask('registry', 'credit', (world) => {
      const cancelled = SHARDS.includes(shard) ? world.model(shard).totals.cancelled : 3;
      return [shard, Math.max(0, cancelled - less), to];
    }),
  );

const payOwed = fc.constant(ask('registry', 'payOwed', () => []));

const step = fc.constantFrom<ResizeStep>('none', 'draining', 'rebuilding');
const NEXT: Record<ResizeStep, ResizeStep> = { none: 'draining', draining: 'rebuilding', rebuilding: 'none' };
const resize = fc
  .record({ from: step, to: often<ResizeStep | 'next'>(fc.constant('next'), step) })
  .map(({ from, to }) => ask('registry', 'resize', () => [from, to === 'next' ? NEXT[from] : to]));

export const anyCall: fc.Arbitrary<Call<World>> = fc.oneof(
  { weight: 10, arbitrary: checkout },
  { weight: 1, arbitrary: order },
  { weight: 4, arbitrary: pay },
  { weight: 4, arbitrary: cancel },
  { weight: 3, arbitrary: closeTokens },
  { weight: 2, arbitrary: raiseEpoch },
  { weight: 1, arbitrary: orderedThrough },
  { weight: 1, arbitrary: orderedByBuyer },
  { weight: 1, arbitrary: info },
  { weight: 2, arbitrary: join },
  { weight: 8, arbitrary: execute },
  { weight: 12, arbitrary: receive },
  { weight: 1, arbitrary: transfersTo },
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
  { weight: 3, arbitrary: credit },
  { weight: 3, arbitrary: payOwed },
  { weight: 4, arbitrary: resize },
);

/** A sale that runs, with stock to begin with, so that most calls have something to do. */
export const aSale: Call<World>[] = [
  initializing,
  wanting(NODES.length),
  ...SHARDS.map((id) => entering(id, false)),
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
