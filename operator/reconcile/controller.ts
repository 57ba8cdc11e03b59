// The leader's work: keeps an informer cache of what belongs to sales, and reconciles each sale whose resource, parts or
// figures changed. Several sales are reconciled at once, one sale never twice at once. A reconcile that fails is tried
// again later and disturbs no other sale.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { connectOperatorShard } from '../../dataplane/stores/shard/postgres.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Recorder } from '../kube/events.ts';
import type { ReflectorMetrics } from '../kube/metrics.ts';
import { startQueue, type WorkQueue } from '../kube/queue.ts';
import type { OperatorOptions } from '../manifests/options.ts';
import { close, newSaleState, type ReconcileContext, type SaleState } from './context.ts';
import { InformerCache, type SaleKey } from './informer-cache.ts';
import type { OperatorMetrics } from './metrics.ts';
import { reconcile } from './reconcile.ts';
import { SaleSession } from './sale-session.ts';

export interface ControllerDeps {
  client: KubeClient;
  events: Recorder;
  options: OperatorOptions;
  metrics: Pick<OperatorMetrics, 'reconciled' | 'saleRegistry' | 'forget'>;
  reflectors?: ReflectorMetrics;
  log: Logger;
}

/** Sales that are reconciled at the same time, at most. */
const CONCURRENCY = 8;
/** Figures of a sale that sells change many times a second; it is reconciled for them after this long at most once. */
const FIGURES_AFTER: Millis = 500;

export class Controller {
  readonly cache: InformerCache;
  readonly #deps: ControllerDeps;
  readonly #queue: WorkQueue;
  readonly #states = new Map<SaleKey, SaleState>();
  /** Sales that will be reconciled soon because their figures have changed. */
  readonly #stirred = new Set<SaleKey>();
  readonly #context: ReconcileContext;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { client, events, options, log, reflectors } = deps;
    this.#queue = startQueue({
      work: (key) => this.#work(key),
      concurrency: CONCURRENCY,
      failed: (key, error, retryIn) => log.warn({ err: error, sale: key, retryIn }, 'a reconcile failed'),
    });
    this.cache = new InformerCache({
      ...{ client, log, namespaces: options.watchNamespaces },
      ...(reflectors ? { metrics: reflectors } : {}),
      touched: (key) => this.#queue.add(key),
    });
    this.#context = {
      ...{ client, events, options, log, cache: this.cache, connectShard: connectOperatorShard },
      state: (key) => this.#state(key),
      forget: (key) => this.#forget(key),
      wall: Date.now,
      now: () => performance.now(),
    };
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  sales(): FlashSale[] {
    return this.cache.sales();
  }

  /** Returns what is remembered of a sale; undefined: it was not looked at yet. */
  readonly peek = (key: SaleKey): SaleState | undefined => this.#states.get(key);

  async stop(): Promise<void> {
    await this.cache.stop();
    await this.#queue.stop();
    await Promise.all([...this.#states.keys()].map((key) => this.#forget(key)));
  }

  async #work(key: SaleKey): Promise<{ again?: number } | undefined> {
    if (!this.cache.isSynced(key)) return undefined;
    const sale = this.cache.sale(key);
    if (sale === undefined) {
      await this.#forget(key);
      return undefined;
    }
    const began = performance.now();
    let outcome: 'done' | 'failed' = 'failed';
    try {
      const next = await reconcile(sale, this.#context);
      outcome = 'done';
      return next;
    } finally {
      this.#deps.metrics.reconciled(outcome, performance.now() - began);
    }
  }

  #state(key: SaleKey): SaleState {
    let state = this.#states.get(key);
    if (!state) {
      const { metrics } = this.#deps;
      const log = this.#deps.log.child({ sale: key });
      const session = new SaleSession({
        log,
        metrics: () => metrics.saleRegistry(key),
        changed: () => this.#stir(key),
      });
      state = newSaleState(session, log, () => this.#queue.add(key));
      this.#states.set(key, state);
    }
    return state;
  }

  #stir(key: SaleKey): void {
    if (this.#stirred.has(key)) return;
    this.#stirred.add(key);
    setTimeout(() => {
      this.#stirred.delete(key);
      this.#queue.add(key);
    }, FIGURES_AFTER).unref();
  }

  async #forget(key: SaleKey): Promise<void> {
    const state = this.#states.get(key);
    this.#states.delete(key);
    this.#deps.metrics.forget(key);
    if (state) await close(state);
  }
}
