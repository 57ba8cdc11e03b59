// The status of a sale, put together from what was found. Pure.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, NodeId, StockHolderId } from '../../dataplane/protocol/units.ts';
import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { ruleOf } from '../balancer/policy.ts';
import { selectorText } from '../manifests/objects.ts';
import { figures } from '../topology/status.ts';
import type { Topology } from '../topology/topology.ts';
import { balanceOf } from './balance.ts';
import { conditionsOf, type Progress } from './conditions.ts';
import { type DegradedReason, readinessOf } from './degraded-reasons.ts';
import type { Component, Observed } from './observed.ts';

/** Everything that was found, from which the status is put together. */
export interface Found {
  sale: FlashSale;
  /** The status that was found last. */
  last: FlashSaleStatus | undefined;
  topology: Topology;
  observed: Observed;
  registry: RegistryView | undefined;
  table: ResourceTable | undefined;
  /** The balance cycle in force, as measured; undefined: no balancer runs. */
  period: Millis | undefined;
  degradedReasons: readonly DegradedReason[];
  progress: Progress | undefined;
}

export function statusOf(found: Found, now: Millis): FlashSaleStatus {
  const { sale, last, topology, observed, registry, table, period, degradedReasons, progress } = found;
  const ready = (component: Component) =>
    observed.pods.filter((pod) => pod.component === component && pod.ready && !pod.leaving).map(({ index }) => index);
  const known = figures(
    topology,
    {
      registry,
      table,
      readyCaches: new Set(ready('cache').map((index): NodeId => `c${index ?? 0}`)),
      readyShards: new Set<StockHolderId>([
        ...ready('shard').map((index): StockHolderId => `s${index ?? 0}`),
        ...ready('pool').map(() => 'pool' as const),
      ]),
      readyStorefronts: ready('storefront').length,
    },
    now,
  );
  const told = { ...stillTold(known, last), ...known };
  const phase = phaseOf(told, known, last);
  return {
    ...told,
    phase,
    // The registry counts supplies in numbers of its own.
    observedGeneration: sale.metadata.generation ?? 1,
    selector: selectorText(topology, 'storefront'),
    ...(period === undefined ? {} : { balancePeriod: `${Math.round(topology.settings.balancer.period ?? period)}ms` }),
    conditions: conditionsOf(
      {
        ...{ phase, degradedReasons, progress },
        readiness: readinessOf(observed),
        balance: balanceOf(table, ruleOf(topology.settings.balancer)),
        auth: topology.settings.auth,
      },
      last?.conditions ?? [],
      new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    ),
  };
}

type Figures = Omit<FlashSaleStatus, 'conditions'>;

/** The figures that were told and still hold: a new leader hears nothing for some seconds, and longer where Kafka or the pool is away. */
function stillTold(known: Figures, last: FlashSaleStatus | undefined): Partial<Figures> {
  if (known.available !== undefined || last?.incarnation === undefined) return {};
  if ((known.incarnation ?? last.incarnation) !== last.incarnation) return {};
  const { sold, available, virtualAvailable, tokensLive, inTransfer, shards, caches, dispersion } = last;
  const { incarnation, supplied } = last;
  const figures = { sold, available, virtualAvailable, tokensLive, inTransfer, shards, caches, dispersion };
  return Object.fromEntries(
    Object.entries({ ...figures, incarnation, supplied }).filter(([, value]) => value !== undefined),
  );
}

/** Decides the phase. The one that was told holds as well: nobody stops being served because their operator has just begun. */
function phaseOf(told: Figures, known: Figures, last: FlashSaleStatus | undefined): NonNullable<Figures['phase']> {
  const { phase = 'Pending', storefrontReplicas = 0 } = known;
  if (known.available !== undefined || told.available === undefined || last?.phase === undefined) return phase;
  if (phase === 'Pending' && known.incarnation === undefined && storefrontReplicas > 0) return last.phase;
  return phase === 'Selling' && last.phase === 'SoldOut' && last.supplied === told.supplied ? 'SoldOut' : phase;
}
