// One cache node as the protocol has it: an executable specification of dataplane/stores/cache-node/lua. Each method is one
// script. `enabled` stands for the ACL users other than the agent's own.

import type {
  BuyerId,
  Epoch,
  Incarnation,
  Millis,
  NodeId,
  SequenceNumber,
  ShardId,
  Units,
} from '../../../dataplane/protocol/units.ts';
import type {
  EndedToken,
  Expected,
  NodeIdentity,
  NodeServer,
  NodeState,
  PurchaseMode,
  RecoveredTotals,
  ReserveRequest,
  ReserveTerms,
  TokenRecord,
  TokenRef,
} from '../../../dataplane/stores/cache-node/cache-node.ts';
import { StoreUnknown } from '../../../dataplane/stores/errors.ts';
import type { Endpoint } from '../engine/sim.ts';
import type { Without } from '../sentences.ts';
import { Violation } from './violation.ts';

interface Token extends TokenRecord {
  ttl: Millis;
  epoch: Epoch;
}

interface Data {
  identity: (NodeIdentity & { mode: PurchaseMode }) | undefined;
  recovering: { incarnation: Incarnation; epoch: Epoch } | undefined;
  recoveredIn: number | undefined;
  virtual: Units;
  granted: Units;
  revoked: Units;
  orderedBefore: Units;
  settledUnits: Units;
  returnedUnits: Units;
  closing: SequenceNumber;
  sequence: number;
  /** The buyer of each sequence number, from 1. */
  sequences: BuyerId[];
  ordered: Map<BuyerId, Units>;
  tokens: Map<BuyerId, Token>;
  pinned: Map<ShardId, Units>;
}

const empty = (): Data => ({
  identity: undefined,
  recovering: undefined,
  recoveredIn: undefined,
  virtual: 0,
  granted: 0,
  revoked: 0,
  orderedBefore: 0,
  settledUnits: 0,
  returnedUnits: 0,
  closing: 0,
  sequence: 0,
  sequences: [],
  ordered: new Map(),
  tokens: new Map(),
  pinned: new Map(),
});

type ReserveAnswer =
  | { kind: 'token'; token: TokenRecord; epoch: Epoch }
  | { kind: 'stale' | 'paused' | 'limit' }
  | { kind: 'short'; virtual: Units };

export class NodeModel implements Endpoint {
  readonly name: string;
  readonly id: NodeId;
  up = true;
  /** Another one after every start of the server. */
  run = 1;
  enabled = false;
  /** How far its clock is ahead. */
  skew: Millis = 0;
  data: Data = empty();
  #saved: Data = empty();
  readonly #without: Without;
  readonly #time: () => Millis;

  constructor(id: NodeId, time: () => Millis, without: Without) {
    this.id = id;
    this.name = id;
    this.#time = time;
    this.#without = without;
  }

  // ── the server ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** What an append-only file that is fsynced every second would hold from now on. */
  save(): void {
    this.#saved = structuredClone(this.data);
  }

  /** `kept`: everything, what was saved last, or nothing. */
  restart(kept: 'all' | 'saved' | 'nothing'): void {
    this.run++;
    this.enabled = this.#without('users-off-until-recovered') && kept !== 'nothing';
    if (kept === 'saved') this.data = structuredClone(this.#saved);
    if (kept === 'nothing') this.data = empty();
    this.save();
  }

  server(): NodeServer {
    const { recoveredIn } = this.data;
    const text = recoveredIn === undefined ? undefined : String(recoveredIn);
    return { run: String(this.run), recoveredIn: text, users: this.enabled ? 'all' : 'none' };
  }

  /** For the agent only: true when the users may be on as far as this server knows. */
  enable(run: string, identity: NodeIdentity): boolean {
    const held = this.data.identity;
    this.enabled = String(this.run) === run && held?.epoch === identity.epoch && held.layout === identity.layout;
    return this.enabled;
  }

  disable(): void {
    this.enabled = false;
  }

  get identity(): Data['identity'] {
    return this.data.identity;
  }

  // ── for storefronts ─────────────────────────────────────────────────────────────────────────────────────────────

  askIdentity(): Data['identity'] {
    this.#allow();
    return this.data.identity;
  }

  /** One purchase of a call: those of a call are done one after the other, with nothing in between. */
  reserve(request: ReserveTerms & ReserveRequest): ReserveAnswer {
    this.#allow();
    const { data } = this;
    const { identity } = data;
    const { buyer, quantity, shard, ttl, id } = request;
    if (!identity || identity.layout !== request.layout || !this.#current(request)) return { kind: 'stale' };
    if (identity.mode !== 'selling') return { kind: 'paused' };
    const last = data.tokens.get(buyer);
    if (last?.state === 'live') return { kind: 'token', token: last, epoch: identity.epoch };
    if ((data.ordered.get(buyer) ?? 0) + quantity > request.perBuyer) return { kind: 'limit' };
    if (data.virtual < quantity) return { kind: 'short', virtual: data.virtual };
    data.virtual -= quantity;
    data.sequence++;
    const sequence = data.sequences.push(buyer);
    const token: Token = {
      sequence,
      id,
      buyer,
      quantity,
      shard,
      due: this.#now() + ttl,
      ttl,
      epoch: identity.epoch,
      state: 'live',
    };
    data.tokens.set(buyer, token);
    this.#pin(shard, quantity);
    return { kind: 'token', token: { ...token }, epoch: identity.epoch };
  }

  token({ buyer, sequence, id }: TokenRef): 'live' | 'settled' | undefined {
    this.#allow();
    const token = this.data.tokens.get(buyer);
    return token?.sequence === sequence && token.id === id ? token.state : undefined;
  }

  settle(expected: Expected, ref: TokenRef): void {
    this.#allow();
    if (this.#current(expected)) this.#end(ref, true);
  }

  // ── for the pool's agent ────────────────────────────────────────────────────────────────────────────────────────

  state(): NodeState | undefined {
    this.#allow();
    return this.stateForAgent();
  }

  /** Answers the lifetime total; undefined: stale. */
  revoke(expected: Expected, units: Units): Units | undefined {
    this.#allow();
    if (!this.#current(expected)) return undefined;
    const { data } = this;
    const taken = Math.min(data.virtual, units);
    data.virtual -= taken;
    data.revoked += taken;
    data.sequence++;
    return data.revoked;
  }

  grant(expected: Expected, total: Units): void {
    this.#allow();
    const { data } = this;
    if (!this.#current(expected) || total <= data.granted) return;
    data.virtual += total - data.granted;
    data.granted = total;
    data.sequence++;
  }

  // ── for its own agent ───────────────────────────────────────────────────────────────────────────────────────────

  stateForAgent(): NodeState | undefined {
    const { identity, virtual, granted, revoked, closing, settledUnits, returnedUnits, orderedBefore, sequence } =
      this.data;
    if (!identity) return undefined;
    const live = [...this.data.tokens.values()].filter(({ state }) => state === 'live');
    return {
      identity,
      virtual,
      granted,
      revoked,
      issued: this.data.sequences.length,
      closing,
      liveTokens: live.length,
      liveUnits: live.reduce((sum, { quantity }) => sum + quantity, 0),
      pinned: Object.fromEntries(this.data.pinned),
      settledUnits,
      returnedUnits,
      orderedBefore,
      draining: identity.mode === 'draining',
      sequence,
    };
  }

  setMode({ epoch, layout }: NodeIdentity, mode: PurchaseMode): void {
    const { identity } = this.data;
    if (
      identity?.epoch !== epoch ||
      identity.layout !== layout ||
      identity.mode === 'draining' ||
      identity.mode === mode
    )
      return;
    this.data.identity = { ...identity, mode, paused: mode !== 'selling' };
    this.data.sequence++;
  }

  /** The longest run of sequence numbers, from the first live one on, that are not live or due. */
  due(expected: Expected): { upTo: SequenceNumber; tokens: TokenRecord[] } | undefined {
    if (!this.#current(expected)) return undefined;
    const now = this.#now();
    const tokens: TokenRecord[] = [];
    let upTo = 0;
    for (const [i, buyer] of this.data.sequences.entries()) {
      const token = this.data.tokens.get(buyer);
      const live = token?.state === 'live' && token.sequence === i + 1;
      if (live) {
        const jumped = token.due > now + token.ttl && !this.#without('far-future-is-due');
        if (token.due > now && !jumped) break;
        tokens.push({ ...token });
      }
      upTo = i + 1;
    }
    if (tokens.length === 0) return { upTo: 0, tokens };
    this.data.closing = Math.max(this.data.closing, upTo);
    return { upTo, tokens };
  }

  finish(expected: Expected, tokens: readonly EndedToken[]): void {
    if (!this.#current(expected)) return;
    for (const token of tokens) this.#end(token, token.ordered);
  }

  // ── recovery ────────────────────────────────────────────────────────────────────────────────────────────────────

  beginRecovery(incarnation: Incarnation, epoch: Epoch): boolean {
    const mark = this.data.recovering;
    if (!this.#without('recovery-marks') && mark && mark.epoch >= epoch) return false;
    this.data = { ...empty(), recovering: { incarnation, epoch }, recoveredIn: this.run, sequence: this.data.sequence };
    return true;
  }

  endRecovery(
    identity: NodeIdentity,
    mode: PurchaseMode,
    totals: RecoveredTotals,
    buyers: ReadonlyMap<BuyerId, Units>,
  ): boolean {
    const { recovering, recoveredIn } = this.data;
    const mine = recovering?.epoch === identity.epoch && this.data.identity === undefined && recoveredIn === this.run;
    if (!mine && !this.#without('recovery-marks')) return false;
    const virtual = totals.granted - totals.revoked - totals.ordered;
    if (virtual < 0) throw new Violation(`R26: ${this.id} recovers to ${virtual} units of virtual stock`);
    this.data = {
      ...empty(),
      recovering,
      recoveredIn,
      identity: { ...identity, mode, paused: mode !== 'selling' },
      virtual,
      granted: totals.granted,
      revoked: totals.revoked,
      orderedBefore: totals.ordered,
      ordered: new Map(buyers),
    };
    return true;
  }

  // ── inside ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #now(): Millis {
    return this.#time() + this.skew;
  }

  #allow(): void {
    if (!this.enabled) throw new StoreUnknown(`${this.id}: users are off`);
  }

  #current({ incarnation, epoch }: Expected): boolean {
    const { identity } = this.data;
    return identity !== undefined && identity.incarnation === incarnation && identity.epoch === epoch;
  }

  #pin(shard: ShardId, units: Units): void {
    this.data.pinned.set(shard, (this.data.pinned.get(shard) ?? 0) + units);
  }

  #end(ref: TokenRef, ordered: boolean): void {
    const { data } = this;
    const token = data.tokens.get(ref.buyer);
    const live = token?.sequence === ref.sequence && token.id === ref.id && token.state === 'live';
    if (!live) {
      if (!ordered && this.#without('return-only-live')) data.virtual += 'quantity' in ref ? Number(ref.quantity) : 1;
      return;
    }
    data.sequence++;
    this.#pin(token.shard, -token.quantity);
    if (ordered) {
      token.state = 'settled';
      data.settledUnits += token.quantity;
      data.ordered.set(token.buyer, (data.ordered.get(token.buyer) ?? 0) + token.quantity);
    } else {
      data.tokens.delete(token.buyer);
      data.returnedUnits += token.quantity;
      data.virtual += token.quantity;
    }
  }
}
