// Buyers: they come, get a token, think, check out, try again when nobody answers; some click twice, some leave with
// their token, some come back, some cancel. What they are told is kept, and must turn out to be true.

import type { BuyerId, Millis, Units } from '../../../dataplane/protocol/units.ts';
import { ask, call, Process, quietly, sleep, type Task } from '../engine/sim.ts';
import type { World } from '../world.ts';
import type { BuyersToken, CheckoutAnswer, PurchaseAnswer } from './storefront.ts';

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

export interface Told {
  sold: Map<string, BuyersToken>;
  expired: Map<string, BuyersToken>;
  cancelled: Set<string>;
  paid: Set<string>;
  /** Buyers who are not done yet, and those who were told for good that nothing is left. */
  waiting: Set<BuyerId>;
  refused: Set<BuyerId>;
}

export const nobodyTold = (): Told => ({
  sold: new Map(),
  expired: new Map(),
  cancelled: new Set(),
  paid: new Set(),
  waiting: new Set(),
  refused: new Set(),
});

const PATIENCE: Millis = 2500;

/** Buyers never die: they are people. */
export const crowd = (world: World): Process => new Process(world.sim, 'crowd', () => undefined);

export function comes(world: World, people: Process, wish: Wish): void {
  world.told.waiting.add(wish.buyer);
  world.sim.after(wish.at, () => {
    people.spawn(visits(world, wish), () => world.told.waiting.delete(wish.buyer));
    if (wish.clicksTwice) people.spawn(shop(world, { ...wish, cancels: false, pays: false }));
  });
}

function* visits(world: World, wish: Wish): Task {
  yield* shop(world, wish);
  for (let visit = 0; visit < wish.comesAgain; visit++) {
    yield* sleep(world.sim.random.next() * 1500);
    yield* shop(world, wish);
  }
}

function* shop(world: World, wish: Wish): Task {
  const { sim } = world;
  let { abandons, thinks } = wish;
  for (;;) {
    const answer = yield* purchase(world, wish);
    if (answer.kind === 'limit') return;
    if (answer.kind === 'sold-out' && !answer.again) {
      world.told.refused.add(wish.buyer);
      return;
    }
    if (answer.kind !== 'token') {
      yield* sleep(150 + sim.random.next() * 500);
      continue;
    }
    if (abandons-- > 0) {
      if (wish.leaves) return;
      yield* sleep(world.scenario.ttl * (0.5 + sim.random.next()));
      continue;
    }
    yield* sleep(thinks);
    if (yield* checkout(world, wish, answer.token)) return;
    // Once bitten.
    thinks = Math.min(thinks, world.scenario.ttl / 4);
  }
}

function* purchase(world: World, { buyer, quantity }: Wish): Task<PurchaseAnswer> {
  const storefront = world.sim.random.pick(world.storefronts);
  const task = ask(storefront.process, () => storefront.purchase(buyer, quantity), PATIENCE);
  return (yield* quietly(task)) ?? { kind: 'unavailable' };
}

/** True: the buyer is done. False: the token is worth nothing any more. */
function* checkout(world: World, wish: Wish, token: BuyersToken): Task<boolean> {
  const { sim, told } = world;
  for (;;) {
    const storefront = sim.random.pick(world.storefronts);
    const answer: CheckoutAnswer | undefined = yield* quietly(
      ask(storefront.process, () => storefront.checkout(token), PATIENCE),
    );
    if (answer === 'sold' || answer === 'cancelled') {
      sim.note(`${wish.buyer} bought ${token.quantity} by ${token.token} on ${token.shard}`);
      told.sold.set(token.token, token);
      if (wish.cancels) yield* cancel(world, token);
      else if (wish.pays) yield* pay(world, token);
      return true;
    }
    if (answer === 'expired') {
      sim.note(`${wish.buyer} is told that ${token.token} expired`);
      told.expired.set(token.token, token);
      return false;
    }
    yield* sleep(100 + sim.random.next() * 300);
  }
}

function* pay(world: World, token: BuyersToken): Task {
  const shard = world.shards.get(token.shard);
  if (!shard) return;
  for (let answer: string | undefined; answer === undefined; ) {
    yield* sleep(world.sim.random.next() * 400);
    answer = yield* quietly(call(shard, () => shard.pay(token.token, 'the payment')));
    if (answer === 'paid') world.told.paid.add(token.token);
  }
}

/** Sometimes pays for it after that: the money is due back, and nothing is sold again (R31). */
function* cancel(world: World, token: BuyersToken): Task {
  const shard = world.shards.get(token.shard);
  if (!shard) return;
  yield* sleep(world.sim.random.next() * 800);
  const status = yield* quietly(call(shard, () => shard.cancel(token.token)));
  if (status === 'cancelled') world.told.cancelled.add(token.token);
  if (world.sim.random.chance(0.5)) yield* quietly(call(shard, () => shard.pay(token.token, 'late payment')));
}
