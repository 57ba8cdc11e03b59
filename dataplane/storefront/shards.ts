// The shards as this storefront knows them: for each its connection and its checkout batcher, which sale it has joined
// and whether it answers; and where the next purchase goes. Nothing is asked inside a purchase (R8): shards are asked
// once a second, and their stock comes from the distribution view.

import type { ShardConfig } from '../protocol/config.ts';
import type { Incarnation, Millis, ShardId } from '../protocol/units.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { StorefrontShard } from '../stores/shard/shard.ts';
import { CheckoutBatcher, type CheckoutBatcherHooks, type CheckoutBatcherOptions } from './checkout-batcher.ts';
import { pick, type Routes, routesFor, type StockView } from './route.ts';

const POLL_EVERY: Millis = 1000;
/** Routes are made anew when the view changes, but they are kept at least so long. */
const FRESH_FOR: Millis = 20;

export interface ShardLink {
  readonly config: ShardConfig;
  readonly client: StorefrontShard;
  readonly checkouts: CheckoutBatcher;
  /** The sale that the shard has joined; undefined when it has joined none, or none is known yet. */
  incarnation: Incarnation | undefined;
  /** True when the shard answered the last time it was asked anything. */
  answers: boolean;
}

export interface ShardsDeps {
  connect(config: ShardConfig): StorefrontShard;
  view: StockView;
  hooks: CheckoutBatcherHooks;
  batcher?: CheckoutBatcherOptions;
}

export class Shards {
  readonly #deps: ShardsDeps;
  readonly #links = new Map<ShardId, ShardLink>();
  readonly #asking = new Set<ShardLink>();
  readonly #stopPolling: Cancel;
  #routes: Routes & { incarnation?: Incarnation; revision: number; at: Millis } = NO_ROUTES;

  constructor(deps: ShardsDeps, shards: readonly ShardConfig[]) {
    this.#deps = deps;
    this.configure(shards);
    this.#stopPolling = deps.hooks.clock.every(POLL_EVERY, () => void this.refresh());
  }

  get(id: ShardId): ShardLink | undefined {
    return this.#links.get(id);
  }

  /** Returns how many checkouts wait for each shard. */
  queued(): [ShardId, number][] {
    return [...this.#links.values()].map(({ config, checkouts }) => [config.id, checkouts.waiting]);
  }

  /**
   * Returns undefined once some shard has joined this sale, and otherwise a sentence that says what is missing. A shard
   * that fails later does not count: its buyers are told to try again.
   */
  missing(incarnation: Incarnation | undefined): string | undefined {
    const joined = [...this.#links.values()].some((l) => l.incarnation !== undefined && l.incarnation === incarnation);
    return joined ? undefined : 'no shard of this sale has answered yet';
  }

  /**
   * Connects to shards that are new or moved. A shard never leaves (protocol). The rows that wait for a shard that
   * moved give up by themselves.
   */
  configure(shards: readonly ShardConfig[]): void {
    for (const config of shards) {
      const held = this.#links.get(config.id);
      if (held?.config.host === config.host && held.config.port === config.port) continue;
      if (held !== undefined) void held.client.close();
      this.#links.set(config.id, this.#link(config));
    }
    void this.refresh();
  }

  /**
   * R8: returns a random shard of this sale, weighted by its free stock, and undefined when none is known. Shards that
   * answer come first; a token for a shard that does not answer can be checked out when it answers again.
   */
  pick(incarnation: Incarnation, random: number): ShardId | undefined {
    const { view, hooks } = this.#deps;
    const now = hooks.clock.now();
    // Without Kafka everybody would go where stock was last reported, long after it is gone (decision 0003).
    const isFresh = view.isFresh(now);
    const revision = isFresh ? view.revision : NO_ROUTES.revision;
    const old = this.#routes;
    if (old.incarnation !== incarnation || (old.revision !== revision && now - old.at >= FRESH_FOR)) {
      const joined = [...this.#links.values()].filter((l) => l.incarnation === incarnation);
      const answering = joined.filter((l) => l.answers);
      const routes = routesFor(
        (answering.length > 0 ? answering : joined).map((l) => l.config.id),
        (shard) => (isFresh ? view.weight(shard) : 0),
      );
      this.#routes = { ...routes, incarnation, revision, at: now };
    }
    return pick(this.#routes, random);
  }

  /** Asks every shard who it is, but for those that are being asked already. It never rejects. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => this.#ask(link)));
  }

  async close(): Promise<void> {
    this.#stopPolling();
    await Promise.all([...this.#links.values()].map(({ client }) => client.close()));
  }

  #link(config: ShardConfig): ShardLink {
    const client = this.#deps.connect(config);
    const { hooks } = this.#deps;
    const checkouts = new CheckoutBatcher(
      client,
      {
        ...hooks,
        batch: (rows, took) => {
          this.#setAnswers(link, true);
          hooks.batch(rows, took);
        },
        failed: (error) => {
          this.#setAnswers(link, false);
          hooks.failed(error);
        },
      },
      this.#deps.batcher,
    );
    const link: ShardLink = { config, client, checkouts, incarnation: undefined, answers: false };
    return link;
  }

  async #ask(link: ShardLink): Promise<void> {
    if (this.#asking.has(link)) return;
    this.#asking.add(link);
    try {
      const { incarnation } = await link.client.info();
      if (incarnation !== link.incarnation) this.#routes = NO_ROUTES;
      link.incarnation = incarnation;
      this.#setAnswers(link, true);
    } catch {
      this.#setAnswers(link, false);
    } finally {
      this.#asking.delete(link);
    }
  }

  #setAnswers(link: ShardLink, answers: boolean): void {
    if (link.answers !== answers) this.#routes = NO_ROUTES;
    link.answers = answers;
  }
}

const NO_ROUTES = { shards: [], upTo: new Float64Array(0), revision: -1, at: Number.NEGATIVE_INFINITY };
