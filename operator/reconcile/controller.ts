// The leader's work: keeps copies of what belongs to sales, and passes over each sale whose resource, parts or figures
// changed. Several sales at once, one sale never twice at once; a pass that fails is tried again later and disturbs no
// other.

import type { Logger } from '../../dataplane/runtime/log.ts';
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

const CONCURRENCY = 8;
/** Figures of a sale that sells change many times a second; its resource need not. */
const FIGURES_AFTER = 500;

export class Controller {
  readonly copies: InformerCache;
  readonly #deps: ControllerDeps;
  readonly #queue: WorkQueue;
  readonly #memos = new Map<SaleKey, SaleState>();
  readonly #stirred = new Set<SaleKey>();
  readonly #kit: ReconcileContext;

  constructor(deps: ControllerDeps) {
    this.#deps = deps;
    const { client, events, options, log, reflectors } = deps;
    this.#queue = startQueue({
      work: (key) => this.#work(key),
      concurrency: CONCURRENCY,
      failed: (key, error, retryIn) => log.warn({ err: error, sale: key, retryIn }, 'a pass failed'),
    });
    this.copies = new InformerCache({
      ...{ client, log, namespaces: options.watchNamespaces },
      ...(reflectors ? { metrics: reflectors } : {}),
      touched: (key) => this.#queue.add(key),
    });
    this.#kit = {
      ...{ client, events, options, log, cache: this.copies },
      state: (key) => this.#memo(key),
      forget: (key) => this.#forget(key),
      wall: Date.now,
      now: () => performance.now(),
    };
  }

  get queueLength(): number {
    return this.#queue.length;
  }

  sales(): FlashSale[] {
    return this.copies.sales();
  }

  /** What is remembered of a sale; undefined: it was not looked at yet. */
  readonly peek = (key: SaleKey): SaleState | undefined => this.#memos.get(key);

  async stop(): Promise<void> {
    await this.copies.stop();
    await this.#queue.stop();
    await Promise.all([...this.#memos.keys()].map((key) => this.#forget(key)));
  }

  async #work(key: SaleKey): Promise<{ again?: number } | undefined> {
    if (!this.copies.isSynced(key)) return undefined;
    const sale = this.copies.sale(key);
    if (sale === undefined) {
      await this.#forget(key);
      return undefined;
    }
    const began = performance.now();
    let outcome: 'done' | 'failed' = 'failed';
    try {
      const next = await reconcile(sale, this.#kit);
      outcome = 'done';
      return next;
    } finally {
      this.#deps.metrics.reconciled(outcome, performance.now() - began);
    }
  }

  #memo(key: SaleKey): SaleState {
    let memo = this.#memos.get(key);
    if (!memo) {
      const { metrics } = this.#deps;
      const log = this.#deps.log.child({ sale: key });
      const engine = new SaleSession({ log, metrics: () => metrics.saleRegistry(key), changed: () => this.#stir(key) });
      memo = newSaleState(engine, log, () => this.#queue.add(key));
      this.#memos.set(key, memo);
    }
    return memo;
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
    const memo = this.#memos.get(key);
    this.#memos.delete(key);
    this.#deps.metrics.forget(key);
    if (memo) await close(memo);
  }
}
