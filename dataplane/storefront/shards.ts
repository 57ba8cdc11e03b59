// The shards as this storefront knows them: one connection and one checkout batcher each, which sale each has joined, whether it
// answers, and where the next purchase goes. Nothing is asked inside a purchase (R8): shards are looked at once a
// second, their stock comes from the pushed view.

import type { ShardConfig } from '../protocol/config.ts';
import type { Incarnation, Millis, ShardId } from '../protocol/units.ts';
import type { Cancel } from '../runtime/clock.ts';
import type { StorefrontShard } from '../stores/shard/shard.ts';
import { CheckoutBatcher, type CheckoutBatcherHooks, type CheckoutBatcherOptions } from './checkout-batcher.ts';
import { pick, type Routes, routesFor, type StockView } from './route.ts';

const POLL_EVERY: Millis = 1000;
/** Routes are made anew when the view changes, but not more often than this. */
const FRESH_FOR: Millis = 20;

export interface ShardLink {
  readonly config: ShardConfig;
  readonly client: StorefrontShard;
  readonly checkouts: CheckoutBatcher;
  /** The sale it has joined; undefined: none, or not known yet. */
  incarnation: Incarnation | undefined;
  /** Whether it answered when it was last asked anything. */
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

  /** Checkouts that wait, per shard. */
  queued(): [ShardId, number][] {
    return [...this.#links.values()].map(({ config, checkouts }) => [config.id, checkouts.waiting]);
  }

  /** Undefined: some shard has joined this sale. An outage later is answered to buyers, not hidden from them. */
  missing(incarnation: Incarnation | undefined): string | undefined {
    const joined = [...this.#links.values()].some((l) => l.incarnation !== undefined && l.incarnation === incarnation);
    return joined ? undefined : 'no shard of this sale has answered yet';
  }

  /** Shards only ever come (protocol); one that moved is connected anew, and its waiting rows give up by themselves. */
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
   * R8: a random shard of this sale, weighted by its free stock; one that answers, if any does: a token for one that
   * does not is checked out when it does again. Undefined: no shard of this sale is known.
   */
  pick(incarnation: Incarnation, random: number): ShardId | undefined {
    const { view, hooks } = this.#deps;
    const now = hooks.clock.now();
    // Without Kafka everybody would go where stock was last heard of, long after it is gone (decision 0003).
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

  /** Asks every shard who it is; who is being asked already is not asked twice. Never rejects. */
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
          this.#heard(link, true);
          hooks.batch(rows, took);
        },
        failed: (error) => {
          this.#heard(link, false);
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
      this.#heard(link, true);
    } catch {
      this.#heard(link, false);
    } finally {
      this.#asking.delete(link);
    }
  }

  #heard(link: ShardLink, answers: boolean): void {
    if (link.answers !== answers) this.#routes = NO_ROUTES;
    link.answers = answers;
  }
}

const NO_ROUTES = { shards: [], upTo: new Float64Array(0), revision: -1, at: Number.NEGATIVE_INFINITY };
