// Buyers: they come, get a token, think, check out, try again when nobody answers; some click twice, some leave with
// their token, some come back, some cancel. What they are told is kept, and must turn out to be true.

import type { BuyerId, Incarnation, Millis, OrderId, ShardId, TokenId, Units } from '../../dataplane/protocol/units.ts';
import type { CheckedOut } from '../../dataplane/storefront/checkout.ts';
import type { Outcome, Purchased } from '../../dataplane/storefront/purchase.ts';
import type { Storefront } from '../../dataplane/storefront/storefront.ts';
import { freed } from './invariants.ts';
import type { World } from './world.ts';

export interface Wish {
  buyer: BuyerId;
  quantity: Units;
  at: Millis;
  /** Between purchase and checkout. */
  thinks: Millis;
  /** How often it leaves with a token before it means it; and whether it means it at all. */
  abandons: number;
  leaves: boolean;
  clicksTwice: boolean;
  cancels: boolean;
  pays: boolean;
  /** How often it tries to buy more than it may. */
  comesAgain: number;
}

export interface BuyersToken {
  text: string;
  incarnation: Incarnation;
  id: TokenId;
  shard: ShardId;
  quantity: Units;
  buyer: BuyerId;
}

export interface Told {
  /** `at`: when the buyer was told. */
  sold: Map<TokenId, BuyersToken & { at: Millis }>;
  expired: Map<TokenId, BuyersToken>;
  /** Tokens whose units a node gave back: not told to anybody, but never to be an order. */
  returned: Set<TokenId>;
  cancelled: Map<TokenId, BuyersToken>;
  paid: Map<TokenId, BuyersToken>;
  /** Buyers who are not done yet, and what they were told last. */
  waiting: Map<BuyerId, string>;
  /** How often a token was left to end by itself. */
  abandoned: number;
  /** Those who were told for good that nothing is left. */
  refused: Set<BuyerId>;
}

export const nobodyTold = (): Told => ({
  sold: new Map(),
  expired: new Map(),
  returned: new Set(),
  cancelled: new Map(),
  paid: new Map(),
  waiting: new Map(),
  abandoned: 0,
  refused: new Set(),
});

const ANSWER_TIMEOUT: Millis = 8000;

export function comes(world: World, wish: Wish): void {
  const { people, sim, told } = world;
  told.waiting.set(wish.buyer, 'nothing');
  people.wake(wish.at, () => {
    people.run(async () => {
      await visits(world, wish);
      told.waiting.delete(wish.buyer);
    });
    if (wish.clicksTwice)
      people.wake(sim.random.next() * 50, () =>
        people.run(() => shop(world, { ...wish, cancels: false, pays: false })),
      );
  });
}

const pause = ({ people }: World, time: Millis): Promise<void> => people.clock.sleep(time);

async function visits(world: World, wish: Wish): Promise<void> {
  await shop(world, wish);
  for (let visit = 0; visit < wish.comesAgain; visit++) {
    await pause(world, world.sim.random.next() * 1500);
    await shop(world, wish);
  }
}

async function shop(world: World, wish: Wish): Promise<void> {
  const { sim, scenario } = world;
  let { abandons, thinks } = wish;
  for (;;) {
    const asked = sim.now;
    const answer = await purchase(world, wish);
    if (answer !== undefined && 'problem' in answer) {
      const { problem } = answer;
      if (problem === 'limit-reached') return;
      if (problem === 'sold-out' && answer.retryAfter === undefined) {
        world.told.refused.add(wish.buyer);
        return;
      }
    }
    if (answer === undefined || 'problem' in answer) {
      await pause(world, 150 + sim.random.next() * 500);
      continue;
    }
    const token = tokenOf(wish.buyer, answer);
    freed(world, token.id, asked);
    if (abandons-- > 0) {
      world.told.abandoned++;
      if (wish.leaves) return;
      await pause(world, scenario.ttl * (0.5 + sim.random.next()));
      continue;
    }
    await pause(world, thinks);
    if (await checkout(world, wish, token)) return;
    // Once bitten.
    thinks = Math.min(thinks, scenario.ttl / 4);
  }
}

/** fs1.<incarnation>.<id>.<quantity>.<node>.<epoch>.<sequence>.<shard>.… */
function tokenOf(buyer: BuyerId, { token: text, quantity }: Purchased): BuyersToken {
  const [, incarnation = '', id = '', , , , , shard = ''] = text.split('.');
  return { text, incarnation, id, shard: shard as ShardId, quantity, buyer };
}

/** Undefined: nobody answered in time. */
async function ask<T extends object>(
  world: World,
  buyer: BuyerId,
  work: (storefront: Storefront) => T | Promise<T>,
): Promise<T | undefined> {
  const living = world.storefronts.filter(({ process }) => process.alive);
  if (living.length === 0) return undefined;
  const { process, storefront } = world.sim.random.pick(living);
  try {
    const answer = await world.people.ask(process, () => work(storefront), ANSWER_TIMEOUT);
    if (world.told.waiting.has(buyer))
      world.told.waiting.set(buyer, 'problem' in answer ? String(answer.problem) : 'a good answer');
    return answer;
  } catch {
    if (world.told.waiting.has(buyer)) world.told.waiting.set(buyer, `no answer by ${process.name}`);
    return undefined;
  }
}

const purchase = (world: World, { buyer, quantity }: Wish): Promise<Outcome | undefined> =>
  ask(world, buyer, ({ purchases }) => purchases.purchase(buyer, quantity));

/** True: the buyer is done. False: the token is worth nothing any more. */
async function checkout(world: World, wish: Wish, token: BuyersToken): Promise<boolean> {
  const { sim, told } = world;
  for (;;) {
    const answer = await ask(world, wish.buyer, ({ checkouts }) => checkouts.checkout(wish.buyer, token.text));
    if (answer !== undefined && !('problem' in answer)) {
      sim.note(wish.buyer, `bought ${token.quantity} by ${token.id} on ${token.shard}`);
      told.sold.set(token.id, { ...token, at: told.sold.get(token.id)?.at ?? sim.now });
      if (wish.cancels) await cancel(world, token, answer);
      else if (wish.pays) await pay(world, token, answer);
      return true;
    }
    if (answer?.problem === 'token-expired') {
      sim.note(wish.buyer, `is told that ${token.id} expired`);
      told.expired.set(token.id, token);
      return false;
    }
    // Of a sale that is no more; its shard may not be there any more either.
    if (token.incarnation !== world.incarnation) return false;
    await pause(world, 100 + sim.random.next() * 300);
  }
}

async function pay(world: World, token: BuyersToken, { order, status }: CheckedOut): Promise<void> {
  if (status === 'final') return;
  for (;;) {
    await pause(world, world.sim.random.next() * 400);
    const answer = await ask(world, token.buyer, ({ orders }) => orders.pay(token.buyer, order, 'the payment'));
    if (answer === undefined) continue;
    if (!('problem' in answer)) {
      world.told.paid.set(token.id, token);
      return;
    }
    if (answer.problem !== 'unavailable') return;
  }
}

/** Sometimes pays for it after that: the money is due back, and nothing is sold again (R31). */
async function cancel(world: World, token: BuyersToken, { order }: { order: OrderId }): Promise<void> {
  await pause(world, world.sim.random.next() * 800);
  const answer = await ask(world, token.buyer, ({ orders }) => orders.cancel(token.buyer, order));
  if (answer !== undefined && !('problem' in answer)) world.told.cancelled.set(token.id, token);
  if (world.sim.random.chance(0.5))
    await ask(world, token.buyer, ({ orders }) => orders.pay(token.buyer, order, 'late payment'));
}
