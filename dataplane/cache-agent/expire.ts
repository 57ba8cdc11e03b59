// Ends tokens whose time has passed (R28): it finds them, raises the low watermark on each shard they name, asks that
// shard which of them became orders, and tells the node. Every step is idempotent, and two agents do no harm.
//
// The tokens of a shard that cannot be reached stay reserved, here in memory and in the node, and do not hold up those
// of another shard: each is closed on its own. What is forgotten in a crash is found again from the node's head.

import type { Millis, NodeId, SequenceNumber, ShardId } from '../protocol/units.ts';
import type { AgentNode, Expected, TokenRecord } from '../stores/cache-node/cache-node.ts';
import type { CacheShard } from '../stores/shard/shard.ts';

export interface ExpiryDeps {
  self: NodeId;
  node: Pick<AgentNode, 'due' | 'finish'>;
  /** Returns undefined when the configuration does not know the shard's address. */
  shard(id: ShardId): CacheShard | undefined;
  /** Is called when a shard's low watermark is raised and nothing is returned yet. */
  fenced(): void;
  ended(tokens: { settled: number; returned: number }): void;
  failed(shard: ShardId, error: unknown): void;
}

/** How many sequence numbers one script looks at. They take the node a few milliseconds. */
const LOOK_AT = 1000;
const CLOSE_AT_ONCE = 500;
/**
 * How many tokens of one shard wait here, so that a shard that is away for long costs a bounded memory. The rest waits
 * in the node.
 */
const MOST_WAITING = 20_000;

export class Expiry {
  readonly #deps: ExpiryDeps;
  /** The tokens that are due and not ended yet. */
  readonly #waiting = new Map<ShardId, TokenRecord[]>();
  readonly #closing = new Map<ShardId, Promise<void>>();
  #expected: Expected = { incarnation: '', epoch: 0 };
  #looked: SequenceNumber = 0;
  #upTo: SequenceNumber = 0;
  #now: Millis = 0;

  constructor(deps: ExpiryDeps) {
    this.#deps = deps;
  }

  /** How many tokens are due and not ended, and how long ago the oldest of them was due. */
  get waiting(): { tokens: number; lag: Millis } {
    let tokens = 0;
    let oldest = this.#now;
    for (const list of this.#waiting.values()) {
      tokens += list.length;
      for (const { due } of list) oldest = Math.min(oldest, due);
    }
    return { tokens, lag: this.#now - oldest };
  }

  /**
   * Looks for tokens that are due and starts to end them, shard by shard, without waiting for the shards. Resolves to
   * true when there may be more to find at once. Rejects when the node does not answer.
   */
  async round(expected: Expected): Promise<boolean> {
    if (expected.epoch !== this.#expected.epoch || expected.incarnation !== this.#expected.incarnation)
      this.#forget(expected);
    // Nothing waits: look from the node's head, which thereby moves on.
    if (this.#waiting.size === 0) this.#looked = 0;
    const found = await this.#deps.node.due(expected, this.#looked, LOOK_AT);
    if (found === undefined) {
      this.#forget(expected);
      return false;
    }
    this.#looked = found.looked;
    this.#upTo = Math.max(this.#upTo, found.upTo);
    this.#now = found.now;
    for (const token of found.tokens) {
      const list = this.#waiting.get(token.shard);
      if (list === undefined) this.#waiting.set(token.shard, [token]);
      else if (list.length < MOST_WAITING) list.push(token);
    }
    for (const shard of this.#waiting.keys()) this.#start(shard);
    return found.more;
  }

  /** Resolves when every shard that is being closed has answered or failed. */
  async settled(): Promise<void> {
    while (this.#closing.size > 0) await Promise.all(this.#closing.values());
  }

  #forget(expected: Expected): void {
    this.#expected = { incarnation: expected.incarnation, epoch: expected.epoch };
    this.#waiting.clear();
    this.#looked = 0;
    this.#upTo = 0;
  }

  #start(shard: ShardId): void {
    if (this.#closing.has(shard)) return;
    const closing = this.#close(shard, this.#expected)
      .catch((error: unknown) => this.#deps.failed(shard, error))
      .finally(() => this.#closing.delete(shard));
    this.#closing.set(shard, closing);
  }

  async #close(id: ShardId, expected: Expected): Promise<void> {
    const shard = this.#deps.shard(id);
    if (shard === undefined) return;
    const list = this.#waiting.get(id);
    while (list !== undefined && list.length > 0 && this.#waiting.get(id) === list) {
      const batch = list.slice(0, CLOSE_AT_ONCE);
      const ids = batch.map((token) => token.id);
      const ordered = await shard.closeTokens(expected.incarnation, this.#deps.self, expected.epoch, this.#upTo, ids);
      // The shard knows another epoch of this node: the list is void.
      if (ordered === undefined) break;
      this.#deps.fenced();
      const ended = batch.map((token) => ({ ...token, ordered: ordered.has(token.id) }));
      if (!(await this.#deps.node.finish(expected, ended))) break;
      const settled = ended.filter((token) => token.ordered).length;
      this.#deps.ended({ settled, returned: ended.length - settled });
      list.splice(0, batch.length);
    }
    if (this.#waiting.get(id) === list) this.#waiting.delete(id);
  }
}
