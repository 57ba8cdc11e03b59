// A storefront: routes by the real view, purchases on the buyer's home node, checks out on the token's shard.

import { ownerNode } from '../../../dataplane/protocol/owner-node.ts';
import type { BuyerId, NodeId, ShardId, Units } from '../../../dataplane/protocol/units.ts';
import { type Layout, layoutOf } from '../../../dataplane/storefront/layout.ts';
import { pick, routesFor } from '../../../dataplane/storefront/route.ts';
import { View } from '../../../dataplane/storefront/view.ts';
import type { NodeIdentity } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { CheckoutOutcome, CheckoutRow } from '../../../dataplane/stores/shard/shard.ts';
import { ask, call, forever, Process, quietly, sleep, type Task } from '../engine/sim.ts';
import { INCARNATION } from '../model/pool.ts';
import type { ShardModel } from '../model/shard.ts';
import type { World } from '../world.ts';

/** What a buyer holds: the signed token. */
export interface BuyersToken extends CheckoutRow {
  shard: ShardId;
}

export type PurchaseAnswer =
  | { kind: 'token'; token: BuyersToken }
  | { kind: 'sold-out'; again: boolean }
  | { kind: 'limit' | 'paused' | 'unavailable' };

export type CheckoutAnswer = 'sold' | 'cancelled' | 'expired' | 'shortage' | 'unavailable';

const REFILL_PATIENCE = 1500;

export class Storefront {
  readonly process: Process;
  readonly #world: World;
  #identities = new Map<NodeId, NodeIdentity>();
  #layout: Layout | undefined;
  #joined = new Set<ShardId>();
  #view = this.#newView();

  constructor(world: World, name: string) {
    this.#world = world;
    this.process = new Process(world.sim, name, (process) => this.#start(process));
  }

  #newView(): View {
    return new View({ stocked: () => undefined, virtual: () => undefined });
  }

  #start(process: Process): void {
    const { sim, bus } = this.#world;
    this.#identities = new Map();
    this.#layout = undefined;
    this.#joined = new Set();
    this.#view = this.#newView();
    bus.subscribe(process, 'deltas', (delta) => this.#view.hear(delta, INCARNATION, sim.now));
    bus.subscribe(process, 'levels', (level) => this.#view.hear(level, INCARNATION, sim.now));
    process.spawn(forever(sim, this.#world.scenario.stampPeriod, () => this.#poll()));
  }

  *#poll(): Task {
    yield* this.#learn();
    for (const [id, shard] of this.#world.shards) {
      if (this.#joined.has(id)) continue;
      const incarnation = yield* call(shard, () => shard.incarnation);
      if (incarnation === INCARNATION) this.#joined.add(id);
    }
  }

  *#learn(): Task {
    for (const node of this.#world.nodes.values()) {
      const identity = yield* quietly(call(node, () => node.askIdentity()));
      if (identity) this.#identities.set(node.id, identity);
    }
    this.#layout = layoutOf(this.#layout, [...this.#identities.values()]);
  }

  *purchase(buyer: BuyerId, quantity: Units): Task<PurchaseAnswer> {
    return (yield* quietly(this.#purchase(buyer, quantity))) ?? { kind: 'unavailable' };
  }

  *#purchase(buyer: BuyerId, quantity: Units): Task<PurchaseAnswer> {
    const { scenario, sim } = this.#world;
    for (let round = 0; round < 5; round++) {
      const layout = this.#layout;
      const home = layout && this.#world.nodes.get(ownerNode(buyer, layout.count));
      const identity = home && this.#identities.get(home.id);
      const shard = pick(
        routesFor([...this.#joined], (s) => this.#view.weight(s)),
        sim.random.next(),
      );
      if (!layout || !identity || !shard) return { kind: 'unavailable' };
      const id = this.#world.newToken();
      const request = { id, buyer, quantity, shard, ttl: scenario.ttl, perBuyer: scenario.perBuyer };
      const expected = { incarnation: INCARNATION, epoch: identity.epoch, layout: layout.number };
      const reply = yield* call(home, () => home.reserve({ ...request, ...expected }));
      if (reply.kind === 'token') {
        const { token } = reply;
        const node = home.id;
        const { sequence } = token;
        return {
          kind: 'token',
          token: {
            token: token.id,
            buyer,
            quantity: token.quantity,
            node,
            epoch: reply.epoch,
            sequence,
            shard: token.shard,
          },
        };
      }
      if (reply.kind === 'stale') yield* this.#learn();
      else if (reply.kind === 'short') {
        const { poolAgent } = this.#world;
        const refill = () => poolAgent.refill(home.id, quantity);
        const { outcome, liveUnits } = yield* ask(poolAgent.process, refill, REFILL_PATIENCE);
        if (outcome === 'sold-out') return { kind: 'sold-out', again: liveUnits > 0 };
        if (outcome === 'unavailable') return { kind: 'unavailable' };
      } else return { kind: reply.kind };
    }
    return { kind: 'unavailable' };
  }

  *checkout(token: BuyersToken): Task<CheckoutAnswer> {
    const { shards, nodes } = this.#world;
    const shard = shards.get(token.shard);
    const node = nodes.get(token.node);
    if (!shard || !node) return 'unavailable';
    const ref = { sequence: token.sequence, id: token.token, buyer: token.buyer };
    if ((yield* quietly(call(node, () => node.token(ref)))) === 'settled') return 'sold';
    let waits = 0;
    for (let attempt = 0; attempt < 6; attempt++) {
      const outcome = yield* quietly(this.#submit(token, shard));
      if (outcome === undefined) yield* sleep(30);
      else if (outcome === 'expired') return 'expired';
      else if (outcome === 'short') {
        if (waits++ === 3) return 'shortage';
        yield* sleep(100);
      } else {
        // Answered first, settled then.
        this.process.spawn(this.#settle(token));
        return outcome === 'cancelled' ? 'cancelled' : 'sold';
      }
    }
    return 'unavailable';
  }

  *#submit(token: BuyersToken, shard: ShardModel): Task<CheckoutOutcome | undefined> {
    const { scenario, sim, without } = this.#world;
    const deadline = scenario.paymentDeadline === undefined ? undefined : sim.now + scenario.paymentDeadline;
    // A statement that took its snapshot before it waited for the lock.
    const snapshot = without('locked-then-read') ? yield* call(shard, () => shard.snapshot()) : undefined;
    const [outcome] = yield* call(shard, () => shard.checkout(INCARNATION, [token], deadline, snapshot));
    return outcome;
  }

  *#settle(token: BuyersToken): Task {
    const node = this.#world.nodes.get(token.node);
    if (!node) return;
    yield* sleep(this.#world.sim.random.next() * 20);
    const expected = { incarnation: INCARNATION, epoch: token.epoch };
    const ref = { sequence: token.sequence, id: token.token, buyer: token.buyer };
    yield* quietly(call(node, () => node.settle(expected, ref)));
  }
}
