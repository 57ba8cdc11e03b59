// One cache node as the protocol has it: an executable specification of dataplane/stores/cache-node/lua. Each method is
// one script or one command. test/integration/cache/model.test.ts holds it to the real scripts on a real Redis; the
// simulation sells from it. Who may call what is said by the interface that a caller is given.

import { GATED_REDIS_USERS, type RedisUser } from '../../dataplane/protocol/config.ts';
import type { BuyerId, Epoch, Incarnation, Millis, SequenceNumber, Units } from '../../dataplane/protocol/units.ts';
import type {
  AgentNode,
  AuditNode,
  BuyerRecord,
  DueReply,
  EndedToken,
  Expected,
  Lapses,
  NodeIdentity,
  NodeServer,
  NodeState,
  PoolNode,
  PurchaseMode,
  RecoveredTotals,
  ReserveReply,
  ReserveRequest,
  ReserveTerms,
  StorefrontNode,
  TokenRecord,
  TokenRef,
} from '../../dataplane/stores/cache-node/cache-node.ts';
import { StoreUnknown } from '../../dataplane/stores/errors.ts';
import {
  emptyNode,
  type HeldToken,
  identityOf,
  liveAt,
  liveToken,
  liveTokens,
  type NodeData,
  pin,
  recordOf,
  returnToken,
  settleToken,
  stateOf,
} from './cache-node-data.ts';
import { type WithoutStore, withAll } from './sentences.ts';
import { type Calls, Mistake } from './sync.ts';

export interface CacheNodeOptions {
  /** The true time; the node's clock may be ahead of it or behind. */
  now: () => Millis;
  without?: WithoutStore;
  /** Is told of each token that ends, and of whose sale it is. */
  ended?: (token: HeldToken, as: 'settled' | 'returned', incarnation: Incarnation | undefined) => void;
}

/** How far ahead a token may have been issued before the clock is said to have jumped back. */
const CLOCK_STEP: Millis = 1000;

export class CacheNodeModel implements Calls<StorefrontNode>, Calls<AgentNode>, Calls<PoolNode>, Calls<AuditNode> {
  data: NodeData = emptyNode();
  /** Another one after every start of the server. */
  run = 1;
  /** The users that are on. The agent's own always is. */
  readonly users = new Set<RedisUser>(['agent']);
  /** How far the node's clock is ahead of the true time. */
  skew: Millis = 0;
  #saved: NodeData = emptyNode();
  readonly #now: () => Millis;
  readonly #without: WithoutStore;
  readonly #ended: NonNullable<CacheNodeOptions['ended']>;

  constructor({ now, without = withAll, ended = () => undefined }: CacheNodeOptions) {
    this.#now = now;
    this.#without = without;
    this.#ended = ended;
  }

  // ── the server ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the append-only file holds from now on, if it is fsynced every second and the machine loses power. */
  save(): void {
    this.#saved = structuredClone(this.data);
  }

  /** `kept`: everything, what was saved last, or nothing. All users but the agent's are off afterwards. */
  restart(kept: 'all' | 'saved' | 'nothing'): void {
    this.run += 1;
    if (kept === 'saved') this.data = structuredClone(this.#saved);
    if (kept === 'nothing') this.data = emptyNode();
    if (!this.#without('users-off-until-recovered') || kept === 'nothing') this.disable();
    this.save();
  }

  /** Throws StoreUnknown while the user is off, as every call of its clients does. */
  allow(user: RedisUser): void {
    if (!this.users.has(user)) throw new StoreUnknown(`the user ${user} is off`);
  }

  server(): NodeServer {
    const { recoveredIn } = this.data;
    const on = GATED_REDIS_USERS.filter((user) => this.users.has(user)).length;
    return {
      run: String(this.run),
      recoveredIn: recoveredIn === undefined ? undefined : String(recoveredIn),
      users: on === 0 ? 'none' : on === GATED_REDIS_USERS.length ? 'all' : 'some',
    };
  }

  enable(run: string, identity: NodeIdentity): boolean {
    if (run !== String(this.run) || !this.#sameLayout(identity)) return false;
    for (const user of GATED_REDIS_USERS) this.users.add(user);
    return true;
  }

  disable(): void {
    for (const user of GATED_REDIS_USERS) this.users.delete(user);
  }

  // ── for storefronts ─────────────────────────────────────────────────────────────────────────────────────────────

  identity(): NodeIdentity | undefined {
    return identityOf(this.data);
  }

  reserve(terms: ReserveTerms, requests: readonly ReserveRequest[]): ReserveReply[] {
    const refusal = this.#refusal(terms);
    if (refusal) return requests.map(() => refusal);
    return requests.map((request) => this.#reserveOne(terms, request));
  }

  #refusal(terms: ReserveTerms): ReserveReply | undefined {
    const { identity } = this.data;
    if (identity === undefined || !(this.#sameLayout(terms) || this.#without('stale-refused')))
      return { kind: 'stale', identity: identityOf(this.data) };
    if (identity.mode !== 'selling' && !this.#without('paused-refused')) return { kind: 'paused' };
    return undefined;
  }

  #reserveOne(terms: ReserveTerms, { id, buyer, quantity, shard }: ReserveRequest): ReserveReply {
    const { data } = this;
    const { ttl, perBuyer, mostLapsed, cooldown } = terms;
    const held = data.buyers.get(buyer);
    const last = held?.token;
    if (last?.state === 'live' && !this.#without('one-live-token')) {
      const token = recordOf(last);
      const left = Math.min(last.ttl, Math.max(0, token.due - Math.floor(this.#clock())));
      return { kind: 'token', fresh: false, left, token };
    }
    const lapses = this.#counted(held?.lapses, cooldown);
    if (lapses && lapses.count >= mostLapsed && !this.#without('lapses-counted')) {
      const until = lapses.last + cooldown;
      return { kind: 'lapsed', lapsed: lapses.count, until, left: until - Math.floor(this.#clock()) };
    }
    const ordered = held?.ordered ?? 0;
    if (ordered + quantity > perBuyer && !this.#without('buyer-limit')) return { kind: 'limit', ordered };
    if (data.virtual < quantity && !this.#without('virtual-covers')) return { kind: 'short', virtual: data.virtual };
    data.virtual -= quantity;
    const sequence = data.sequences.push(buyer);
    const token: HeldToken = { sequence, id, buyer, quantity, shard, ttl, issued: this.#clock(), state: 'live' };
    data.buyers.set(buyer, { ordered, token, lapses });
    pin(data, shard, quantity);
    return { kind: 'token', fresh: true, left: ttl, token: recordOf(token) };
  }

  /** Lapses count until the cooldown is over, unless they are from before the clock jumped back. */
  #counted(lapses: Lapses | undefined, cooldown: Millis): Lapses | undefined {
    const now = Math.floor(this.#clock());
    return lapses && lapses.last <= now && now < lapses.last + cooldown ? lapses : undefined;
  }

  tokens(buyers: readonly BuyerId[]): (TokenRecord | undefined)[] {
    return buyers.map((buyer) => {
      const token = this.data.buyers.get(buyer)?.token;
      return token && recordOf(token);
    });
  }

  settle(expected: Expected, tokens: readonly TokenRef[]): void {
    if (this.#current(expected)) for (const token of tokens) this.#end(token, true);
  }

  // ── for the pool's agent ────────────────────────────────────────────────────────────────────────────────────────

  state(): NodeState | undefined {
    return stateOf(this.data);
  }

  revoke(expected: Expected, units: Units): { revoked: Units; virtual: Units } | undefined {
    if (!this.#current(expected)) return undefined;
    const { data } = this;
    const taken = Math.max(0, Math.min(data.virtual, units));
    data.virtual -= taken;
    data.revoked += taken;
    return { revoked: data.revoked, virtual: data.virtual };
  }

  grant(expected: Expected, grantedTotal: Units): boolean {
    if (!this.#current(expected)) return false;
    const { data } = this;
    if (this.#without('grant-totals')) data.virtual += grantedTotal;
    else data.virtual += Math.max(0, grantedTotal - data.granted);
    data.granted = Math.max(data.granted, grantedTotal);
    return true;
  }

  // ── for its own agent ───────────────────────────────────────────────────────────────────────────────────────────

  setMode(identity: NodeIdentity, mode: PurchaseMode): boolean {
    const held = this.data.identity;
    if (held === undefined || !this.#sameLayout(identity)) return false;
    if (held.mode === mode) return true;
    if (held.mode === 'draining' && !this.#without('draining-stays')) return false;
    this.data.identity = { ...held, mode, paused: mode !== 'selling' };
    this.data.modeChanges += 1;
    return true;
  }

  due(expected: Expected, after: SequenceNumber, limit: number): DueReply | undefined {
    if (!this.#current(expected)) return undefined;
    const { data } = this;
    const from = Math.max(data.head, after);
    const tokens: TokenRecord[] = [];
    let looked = from;
    for (let sequence = from + 1; sequence <= Math.min(from + limit, data.sequences.length); sequence++) {
      const token = liveAt(data, sequence);
      if (token && !this.#isDue(token)) break;
      if (token) tokens.push(recordOf(token));
      else if (data.head === sequence - 1) data.head = sequence;
      looked = sequence;
    }
    const upTo = tokens.length > 0 ? looked : 0;
    data.closing = Math.max(data.closing, upTo);
    return { upTo, looked, more: looked === from + limit, tokens, now: Math.floor(this.#clock()) };
  }

  #isDue({ issued, ttl }: HeldToken): boolean {
    const now = this.#clock();
    return issued + ttl <= now || (issued > now + CLOCK_STEP && !this.#without('far-future-is-due'));
  }

  finish(expected: Expected, tokens: readonly EndedToken[]): boolean {
    if (!this.#current(expected)) return false;
    for (const token of tokens) this.#end(token, token.ordered);
    return true;
  }

  // ── recovery ────────────────────────────────────────────────────────────────────────────────────────────────────

  beginRecovery(incarnation: Incarnation, epoch: Epoch): boolean {
    const mark = this.data.recovering;
    const overtaken = mark?.incarnation === incarnation && mark.epoch >= epoch;
    if (overtaken && !this.#without('recovery-marks')) return false;
    this.data = { ...emptyNode(), recovering: { incarnation, epoch }, recoveredIn: this.run };
    return true;
  }

  recoverBuyers(incarnation: Incarnation, epoch: Epoch, ordered: [BuyerId, Units][]): boolean {
    if (!this.#recovers(incarnation, epoch)) return false;
    for (const [buyer, units] of ordered)
      this.data.buyers.set(buyer, { ordered: units, token: undefined, lapses: undefined });
    return true;
  }

  endRecovery(identity: NodeIdentity, mode: PurchaseMode, totals: RecoveredTotals): boolean {
    if (!this.#recovers(identity.incarnation, identity.epoch)) return false;
    if (this.data.recoveredIn !== this.run && !this.#without('one-run-recovery')) return false;
    const { granted, revoked, ordered } = totals;
    const virtual = granted - revoked - ordered;
    if (virtual < 0) throw new Mistake('more was ordered and revoked than was granted');
    Object.assign(this.data, { virtual, granted, revoked, orderedBefore: ordered });
    this.data.identity = { ...identity, mode, paused: mode !== 'selling' };
    return true;
  }

  #recovers(incarnation: Incarnation, epoch: Epoch): boolean {
    const { recovering, identity } = this.data;
    if (this.#without('recovery-marks')) return true;
    return recovering?.incarnation === incarnation && recovering.epoch === epoch && identity === undefined;
  }

  // ── for the audit ───────────────────────────────────────────────────────────────────────────────────────────────

  *buyers(): Generator<BuyerRecord[]> {
    const page = [...this.data.buyers].map(([buyer, { ordered, token, lapses }]) => ({
      ...{ buyer, ordered, lapses },
      token: token && recordOf(token),
    }));
    if (page.length > 0) yield page;
  }

  /** Every live token, in the order in which they were issued. No client can ask for them all at once. */
  live(): TokenRecord[] {
    return [...liveTokens(this.data)].map(recordOf);
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #clock(): Millis {
    return this.#now() + this.skew;
  }

  #current({ incarnation, epoch }: Expected): boolean {
    const { identity } = this.data;
    return identity !== undefined && identity.incarnation === incarnation && identity.epoch === epoch;
  }

  #sameLayout(expected: Expected & { layout: number }): boolean {
    return this.#current(expected) && this.data.identity?.layout === expected.layout;
  }

  #end(ref: TokenRef, ordered: boolean): void {
    const token = liveToken(this.data, ref);
    if (token) this.#ended(token, ordered ? 'settled' : 'returned', this.data.identity?.incarnation);
    if (token && ordered) settleToken(this.data, token);
    else if (token) returnToken(this.data, token);
    else if (!ordered && this.#without('return-only-live'))
      this.data.virtual += 'quantity' in ref ? Number(ref.quantity) : 1;
  }
}
