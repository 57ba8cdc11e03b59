// What the operator tells of itself and of every sale, as Prometheus metrics. Each sale's balancer has a registry of its
// own, labelled with the sale; one scrape shows them all.

import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { parseTimestamp } from '../api/scalars.ts';
import type { SaleKey } from './informer-cache.ts';

export interface OperatorMetrics {
  readonly registry: Registry;
  reconciled(outcome: 'done' | 'failed', took: Millis): void;
  leads(is: boolean): void;
  /** Makes the registry of a sale's own, in place of an earlier one. */
  saleRegistry(key: SaleKey): Registry;
  forget(key: SaleKey): void;
  /** Everything, in Prometheus' text form. */
  text(): Promise<string>;
  readonly contentType: string;
}

export interface Sources {
  sales(): FlashSale[];
  queueLength(): number;
}

export function operatorMetrics(sources: Sources): OperatorMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const name = (rest: string) => `flashsale_operator_${rest}`;
  const seconds = new Histogram({
    name: name('reconcile_seconds'),
    help: 'How long a reconcile of one sale took.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const total = new Counter({
    name: name('reconcile_total'),
    help: 'Reconciles of a sale, by outcome.',
    labelNames: ['outcome'] as const,
    registers,
  });
  for (const outcome of ['done', 'failed'] as const) total.inc({ outcome }, 0);
  const leader = new Gauge({ name: name('leader'), help: '1: this operator leads.', registers });
  new Gauge({
    name: name('queue_length'),
    help: 'Sales that wait to be looked at.',
    registers,
    collect() {
      this.set(sources.queueLength());
    },
  });
  saleMetrics(registers, sources);

  const bySale = new Map<SaleKey, Registry>();
  return {
    registry,
    reconciled(outcome, took) {
      seconds.observe(took / 1000);
      total.inc({ outcome });
    },
    leads: (is) => leader.set(is ? 1 : 0),
    saleRegistry(key) {
      const own = new Registry();
      const [namespace = '', sale = ''] = key.split('/');
      own.setDefaultLabels({ sale_namespace: namespace, sale });
      bySale.set(key, own);
      return own;
    },
    forget: (key) => bySale.delete(key),
    async text() {
      const parts = await Promise.all([...bySale.values()].map((own) => own.getMetricsAsJSON()));
      const [ours, theirs] = await Promise.all([registry.metrics(), AggregatorRegistry.aggregate(parts).metrics()]);
      return `${ours}\n${theirs}`;
    },
    contentType: registry.contentType,
  };
}

/** From the resources' own status, so that what is shown here is what kubectl shows. */
function saleMetrics(registers: Registry[], { sales }: Sources): void {
  const FIGURES = {
    stock: ['Units this sale should supply in all.', ({ spec }: FlashSale) => spec.stock],
    supplied: ['Units put on sale so far, less those withdrawn.', ({ status }: FlashSale) => status?.supplied],
    sold: ['Units of orders that are not cancelled.', ({ status }: FlashSale) => status?.sold],
    available: ['Unsold units in the shards and the pool.', ({ status }: FlashSale) => status?.available],
    virtual: ['Units on cache nodes that no token has reserved.', ({ status }: FlashSale) => status?.virtualAvailable],
    tokens_live: ['Units reserved by live tokens.', ({ status }: FlashSale) => status?.tokensLive],
    in_transfer: ['Units between two shards.', ({ status }: FlashSale) => status?.inTransfer],
  } as const;
  const labelNames = ['sale_namespace', 'sale'] as const;
  const labels = ({ metadata }: FlashSale) => ({ sale_namespace: metadata.namespace, sale: metadata.name });
  /** One value for each sale that has it. */
  const perSale = (rest: string, help: string, figure: (sale: FlashSale) => number | undefined) =>
    new Gauge({
      name: `flashsale_sale_${rest}`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const sale of sales()) {
          const value = figure(sale);
          if (value !== undefined) this.set(labels(sale), value);
        }
      },
    });
  const timestamp = (at: string | undefined) => (at === undefined ? undefined : parseTimestamp(at) / 1000);
  for (const [rest, [help, figure]] of Object.entries(FIGURES)) perSale(rest, help, figure);
  perSale('opens_timestamp_seconds', 'When purchases begin; absent: at once.', ({ spec }) =>
    timestamp(spec.window.opensAt),
  );
  perSale('closes_timestamp_seconds', 'When purchases end; absent: never.', ({ spec }) =>
    timestamp(spec.window.closesAt),
  );
  perSale('ready', '1: buyers are served.', ({ status }) =>
    status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True' ? 1 : 0,
  );
  new Gauge({
    name: 'flashsale_sale_condition',
    help: '1 for the status that each condition has.',
    labelNames: [...labelNames, 'type', 'status'],
    registers,
    collect() {
      this.reset();
      for (const sale of sales())
        for (const { type, status } of sale.status?.conditions ?? [])
          for (const is of ['True', 'False', 'Unknown'])
            this.set({ ...labels(sale), type, status: is }, is === status ? 1 : 0);
    },
  });
}
