// A cache node with a client of every user, the model of it beside it, and what callers know of both. Compares what both
// hold. Which node the real one is is the caller's choice.

import { expect } from 'vitest';
import type { BuyerId, Millis } from '../../dataplane/protocol/units.ts';
import type {
  AgentNode,
  AuditNode,
  NodeIdentity,
  NodeServer,
  PoolNode,
  StorefrontNode,
  TokenRecord,
} from '../../dataplane/stores/cache-node/cache-node.ts';
import { StoreUnknown } from '../../dataplane/stores/errors.ts';
import { missing } from '../harness/cache-node.ts';
import { CacheNodeModel } from './cache-node.ts';
import type { WithoutStore } from './sentences.ts';

export interface Clients {
  storefront: StorefrontNode;
  pool: PoolNode;
  agent: AgentNode;
  audit: AuditNode;
}
export type User = keyof Clients;

/** The model as the user has it: refused while the user is off. */
export function asUser(model: CacheNodeModel, user: User): CacheNodeModel {
  return new Proxy(model, {
    get: (_, name) => {
      const method: unknown = Reflect.get(model, name, model);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        model.allow(user);
        return method.apply(model, args);
      };
    },
  });
}

/** A node that is running, and what may happen to its server. */
export interface RealNode {
  readonly clients: Clients;
  /** Ends the server and starts it again; resolves when its agent can ask it. */
  restart(wipe: boolean): Promise<void>;
  /** Resolves when those whose users were turned on can ask it. */
  usersAnswer(): Promise<void>;
  /** As if the node's clock had been another one when the buyer's token was issued. */
  issuedLater(buyer: BuyerId, by: Millis): Promise<void>;
}

export const BUYERS: readonly BuyerId[] = ['ann', 'bob', 'eve'];
export const LIMIT = 4;
/** A time to live that no test lives to see. */
export const LONG: Millis = 1e9;

let lives = 0;

/** The model beside the real node, and what a caller would know of both. */
export class World {
  readonly real: RealNode;
  readonly model: CacheNodeModel;
  readonly incarnation = `i${++lives}`;
  /** The identity that was set last; callers use it, or one that differs from it. */
  identity: NodeIdentity;
  /** Every token ever handed out, with the epoch it was of. */
  readonly seen: (TokenRecord & { epoch: number })[] = [];
  /** As the newest answer of the real node says. */
  time: Millis = 0;
  /** The runs of the real server, in order: the model counts them. */
  readonly #runs: string[] = [];

  constructor(real: RealNode, without: WithoutStore) {
    this.real = real;
    this.model = new CacheNodeModel({ now: () => this.time, without });
    const { incarnation } = this;
    this.identity = { incarnation, node: 'c0', epoch: 1, layout: 1, count: 1, paused: false };
  }

  numbered = ({ run, recoveredIn, users }: NodeServer): NodeServer => ({
    run: this.#number(run),
    recoveredIn: recoveredIn === undefined ? undefined : this.#number(recoveredIn),
    users,
  });

  #number(run: string): string {
    if (!this.#runs.includes(run)) this.#runs.push(run);
    return String(this.#runs.indexOf(run) + 1);
  }

  async realRun(number: string): Promise<string> {
    this.numbered(await this.real.clients.agent.server());
    return this.#runs[Number(number) - 1] ?? 'no run of this server';
  }

  /** A node with some stock that sells, whatever it held before. */
  async begin(): Promise<void> {
    const { identity, model } = this;
    const { agent } = this.real.clients;
    await agent.beginRecovery(identity.incarnation, identity.epoch);
    model.beginRecovery(identity.incarnation, identity.epoch);
    const totals = { granted: 6, revoked: 0, ordered: 0 };
    await agent.endRecovery(identity, 'selling', totals);
    model.endRecovery(identity, 'selling', totals);
    model.enable('1', identity);
    await agent.enable(await this.realRun('1'), identity);
    await this.real.usersAnswer();
  }

  async compare(): Promise<void> {
    const { model } = this;
    const { clients } = this.real;
    expect(this.numbered(await clients.agent.server())).toEqual(model.server());
    const state = await clients.agent.state();
    expect(state).toEqual(model.state());
    if (state) expect(missing(state)).toBe(0);
    if (model.server().users !== 'all') {
      await expect(clients.storefront.tokens(['ann'])).rejects.toBeInstanceOf(StoreUnknown);
      await expect(clients.pool.state()).rejects.toBeInstanceOf(StoreUnknown);
      await expect(clients.audit.state()).rejects.toBeInstanceOf(StoreUnknown);
      return;
    }
    expect(await clients.storefront.identity()).toEqual(model.identity());
    expect(await clients.storefront.tokens(BUYERS)).toEqual(model.tokens(BUYERS));
    expect(await clients.pool.state()).toEqual(model.state());
    expect(await clients.audit.state()).toEqual(model.state());
    const known = (await Array.fromAsync(clients.audit.buyers())).flat();
    const byBuyer = (a: { buyer: string }, b: { buyer: string }) => (a.buyer < b.buyer ? -1 : 1);
    expect(known.sort(byBuyer)).toEqual([...model.buyers()].flat().sort(byBuyer));
  }
}
