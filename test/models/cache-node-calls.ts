// Every call of a cache node with random arguments, for World: few buyers and a limit that they reach, marks and
// identities that are mostly right, restarts, and a clock that jumps.

import fc from 'fast-check';
import { expect } from 'vitest';
import type { BuyerId, ShardId, Units } from '../../dataplane/protocol/units.ts';
import type { NodeIdentity, PurchaseMode } from '../../dataplane/stores/cache-node/cache-node.ts';
import { tokenId } from '../harness/cache-node.ts';
import { asUser, BUYERS, type Clients, LIMIT, LONG, type World } from './cache-node-world.ts';
import { type Call, caller } from './side-by-side.ts';

const ask = caller<World, Clients>((world, user) => ({
  real: world.real.clients[user],
  model: asUser(world.model, user),
}));

/** How what a caller knows of the node differs from what is true; mostly it does not. */
const knowledge = fc.oneof(
  { weight: 9, arbitrary: fc.constant({ epoch: 0, layout: 0, incarnation: '' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { epoch: -1, layout: 0, incarnation: '' },
      { epoch: 1, layout: 0, incarnation: '' },
      { epoch: 0, layout: 1, incarnation: '' },
      { epoch: 0, layout: 0, incarnation: 'x' },
    ),
  },
);
type Knowledge = { epoch: number; layout: number; incarnation: string };

const known = ({ identity }: World, { epoch, layout, incarnation }: Knowledge): NodeIdentity => ({
  ...identity,
  epoch: identity.epoch + epoch,
  layout: identity.layout + layout,
  incarnation: identity.incarnation + incarnation,
});

const mode = fc.constantFrom<PurchaseMode>('selling', 'selling', 'selling', 'paused', 'draining');
const units = fc.integer({ min: 0, max: 6 });

let tokens = 0;
const reserve = fc
  .record({
    knowledge,
    ttl: fc.constantFrom(0, LONG),
    mostLapsed: fc.constantFrom(1, 1, 2, 100),
    cooldown: fc.constantFrom(0, LONG, LONG),
    purchases: fc.array(
      fc.record({
        buyer: fc.constantFrom(...BUYERS),
        quantity: fc.integer({ min: 1, max: 3 }),
        shard: fc.constantFrom<ShardId>('s0', 's1'),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  })
  .map(({ knowledge, purchases, ...terms }) =>
    ask(
      'storefront',
      'reserve',
      (world) => [
        { ...known(world, knowledge), ...terms, perBuyer: LIMIT },
        purchases.map((purchase) => ({ ...purchase, id: tokenId(++tokens) })),
      ],
      {
        between: (world, replies) => {
          for (const reply of replies) {
            if (reply.kind === 'lapsed') world.time = Math.max(world.time, reply.until - reply.left);
            if (reply.kind !== 'token') continue;
            const { left, token, fresh } = reply;
            const readable = fresh || (left > 0 && left < LONG);
            if (readable) world.time = Math.max(world.time, token.due - left);
            if (fresh) world.seen.push({ ...token, epoch: world.identity.epoch });
          }
        },
      },
    ),
  );

/** Names tokens that were handed out, newest first; `wrong`: with an id or sequence number that no token has. */
const refs = fc.array(fc.record({ back: fc.nat(8), wrong: fc.constantFrom('', '', '', '', 'id', 'sequence') }), {
  minLength: 1,
  maxLength: 4,
});
const named = ({ seen }: World, wanted: { back: number; wrong: string }[]) =>
  wanted.flatMap(({ back, wrong }) => {
    const token = seen.at(-1 - back);
    if (!token) return [];
    const { sequence, id, buyer } = token;
    return [{ sequence: wrong === 'sequence' ? sequence + 1 : sequence, id: wrong === 'id' ? `${id}x` : id, buyer }];
  });

const settle = fc.record({ knowledge, refs }).map(({ knowledge, refs }) =>
  ask('storefront', 'settle', (world) => {
    const found = named(world, refs);
    return found.length > 0 ? [known(world, knowledge), found] : undefined;
  }),
);

const finish = fc
  .record({ knowledge, refs, ordered: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }) })
  .map(({ knowledge, refs, ordered }) =>
    ask('agent', 'finish', (world) => [
      known(world, knowledge),
      named(world, refs).map((ref, i) => ({ ...ref, ordered: ordered[i] ?? false })),
    ]),
  );

/** The newest token that was handed out is not made an order of. */
const lapse = fc.constant(
  ask('agent', 'finish', (world) => [
    world.identity,
    named(world, [{ back: 0, wrong: '' }]).map((ref) => ({ ...ref, ordered: false })),
  ]),
);

const due = fc
  .record({ knowledge, after: fc.constantFrom(0, 0, 0, 1, 3), limit: fc.constantFrom(1, 2, 3, 1000) })
  .map(({ knowledge, after, limit }) =>
    ask('agent', 'due', (world) => [known(world, knowledge), after, limit], {
      between: (world, reply) => {
        if (reply) world.time = Math.max(world.time, reply.now);
      },
      compared: (reply) => reply && { ...reply, now: 0 },
    }),
  );

const revoke = fc
  .record({ user: fc.constantFrom('agent' as const, 'pool' as const), knowledge, units })
  .map(({ user, knowledge, units }) => ask(user, 'revoke', (world) => [known(world, knowledge), units]));

const grant = fc
  .record({
    user: fc.constantFrom('agent' as const, 'pool' as const),
    knowledge,
    more: fc.integer({ min: -2, max: 5 }),
  })
  .map(({ user, knowledge, more }) =>
    ask(user, 'grant', (world) => [known(world, knowledge), Math.max(0, world.model.data.granted + more)]),
  );

const setMode = fc
  .record({ knowledge, mode })
  .map(({ knowledge, mode }) => ask('agent', 'setMode', (world) => [known(world, knowledge), mode]));

const epochs = fc.constantFrom(-1, 0, 1);
const beginRecovery = fc
  .record({ epochs, other: fc.boolean() })
  .map(({ epochs, other }) =>
    ask('agent', 'beginRecovery', ({ identity }) => [
      other ? `${identity.incarnation}x` : identity.incarnation,
      identity.epoch + epochs,
    ]),
  );

const recoverBuyers = fc
  .record({ knowledge, ordered: fc.array(fc.tuple(fc.constantFrom(...BUYERS), units), { maxLength: 3 }) })
  .map(({ knowledge, ordered }) =>
    ask('agent', 'recoverBuyers', (world) => {
      const { incarnation, epoch } = known(world, knowledge);
      return [incarnation, epoch, ordered];
    }),
  );

const totals = fc.record({
  granted: fc.integer({ min: 0, max: 9 }),
  revoked: fc.integer({ min: 0, max: 2 }),
  ordered: fc.integer({ min: 0, max: 3 }),
});
const endRecovery = fc
  .record({ knowledge, mode, totals })
  .map(({ knowledge, mode, totals }) =>
    ask('agent', 'endRecovery', (world) => [known(world, knowledge), mode, totals]),
  );

const disable = fc.constant(ask('agent', 'disable', () => []));

/** Turning users on: the real run is named by its own id. */
const enable = fc.record({ knowledge, ago: fc.constantFrom(0, 0, 0, 1) }).map(
  ({ knowledge, ago }): Call<World> => ({
    toString: () => `enable(${ago} runs ago, ${JSON.stringify(knowledge)})`,
    async run(world) {
      const run = String(world.model.run - ago);
      const identity = known(world, knowledge);
      const on = await world.real.clients.agent.enable(await world.realRun(run), identity);
      expect(on).toBe(world.model.enable(run, identity));
      if (on) await world.real.usersAnswer();
    },
  }),
);

/**
 * A whole recovery, to whatever layout, so that a sequence does not stay without an identity. Now and then less was
 * granted than ordered and revoked, which no node takes.
 */
const recover = fc
  .record({ layout: fc.nat(1), mode, totals, more: fc.constantFrom(6, 6, 6, 6, 0) })
  .map(({ layout, mode, totals, more }): Call<World> => {
    const ordered: [BuyerId, Units][] = [['ann', totals.ordered]];
    const steps = [
      ask('agent', 'beginRecovery', ({ identity }) => [identity.incarnation, identity.epoch]),
      ask('agent', 'recoverBuyers', ({ identity }) => [identity.incarnation, identity.epoch, ordered]),
      ask('agent', 'endRecovery', ({ identity }) => [identity, mode, { ...totals, granted: totals.granted + more }]),
    ];
    return {
      toString: () => `a recovery (${layout} layouts on, ${mode}, ${JSON.stringify(totals)})`,
      async run(world) {
        const { epoch, layout: last } = world.identity;
        world.identity = { ...world.identity, epoch: epoch + 1, layout: last + layout, paused: mode !== 'selling' };
        for (const step of steps) await step.run(world);
      },
    };
  });

/** Of the server, with or without its data; in the middle of a recovery, or at rest. */
const restarts = fc.record({ wipe: fc.boolean(), during: fc.boolean(), totals }).map(
  ({ wipe, during, totals }): Call<World> => ({
    toString: () => `a restart ${wipe ? 'without' : 'with'} its data${during ? ', during a recovery' : ''}`,
    async run(world) {
      if (during) {
        world.identity = { ...world.identity, epoch: world.identity.epoch + 1, paused: false };
        await ask('agent', 'beginRecovery', ({ identity }) => [identity.incarnation, identity.epoch]).run(world);
      }
      await world.real.restart(wipe);
      world.model.restart(wipe ? 'nothing' : 'all');
      const mode: PurchaseMode = 'selling';
      if (during) await ask('agent', 'endRecovery', ({ identity }) => [identity, mode, totals]).run(world);
    },
  }),
);

/** As if the node's clock had been another one when the buyer's token was issued. */
const clock = fc.record({ buyer: fc.constantFrom(...BUYERS), by: fc.constantFrom(-2 * LONG, 1000, 10_000_000) }).map(
  ({ buyer, by }): Call<World> => ({
    toString: () => `${buyer}'s token was issued ${by} ms later`,
    async run({ model, real }) {
      const token = model.data.buyers.get(buyer)?.token;
      if (token) token.issued += by;
      await real.issuedLater(buyer, by);
    },
  }),
);

const step: fc.Arbitrary<Call<World>> = fc.oneof(
  { weight: 12, arbitrary: reserve },
  { weight: 5, arbitrary: settle },
  { weight: 5, arbitrary: finish },
  { weight: 4, arbitrary: lapse },
  { weight: 7, arbitrary: due },
  { weight: 3, arbitrary: revoke },
  { weight: 4, arbitrary: grant },
  { weight: 2, arbitrary: setMode },
  { weight: 1, arbitrary: beginRecovery },
  { weight: 1, arbitrary: recoverBuyers },
  { weight: 1, arbitrary: endRecovery },
  { weight: 3, arbitrary: recover },
  { weight: 1, arbitrary: disable },
  { weight: 2, arbitrary: enable },
  { weight: 3, arbitrary: clock },
);
/** Seldom, because each of them takes the time of a hundred other calls. */
export const anyCall = fc.oneof({ weight: 40, arbitrary: step }, { weight: 1, arbitrary: restarts });
