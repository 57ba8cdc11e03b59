// The status of a sale, put together from what was found. Pure.

import type { RegistryView } from '../../dataplane/clients/registry.ts';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, NodeId, PeerId } from '../../dataplane/protocol/units.ts';
import type { ConditionStatus, FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { selectorText } from '../manifests/objects.ts';
import { figures } from '../topology/status.ts';
import type { Topology } from '../topology/topology.ts';
import { balanceOf } from './balance.ts';
import { conditionsOf, type Progress } from './conditions.ts';
import type { Component, Observed } from './observed.ts';
import { readinessOf, type Trouble } from './troubles.ts';

export interface Found {
  sale: FlashSale;
  /** Its conditions as last found. */
  before: readonly ConditionStatus[];
  topology: Topology;
  observed: Observed;
  registry: RegistryView | undefined;
  table: ResourceTable | undefined;
  /** The balance cycle in force. */
  period: Millis | undefined;
  troubles: readonly Trouble[];
  progress: Progress | undefined;
}

export function statusOf(found: Found, now: Millis): FlashSaleStatus {
  const { sale, before, topology, observed, registry, table, period, troubles, progress } = found;
  const ready = (component: Component) =>
    observed.pods.filter((pod) => pod.component === component && pod.ready && !pod.leaving).map(({ index }) => index);
  const known = figures(
    topology,
    {
      registry,
      table,
      readyCaches: new Set(ready('cache').map((index): NodeId => `c${index ?? 0}`)),
      readyShards: new Set<PeerId>([
        ...ready('shard').map((index): PeerId => `s${index ?? 0}`),
        ...ready('pool').map(() => 'pool' as const),
      ]),
      readyStorefronts: ready('storefront').length,
    },
    now,
  );
  const { phase = 'Pending' } = known;
  return {
    ...known,
    // The registry counts supplies in numbers of its own.
    observedGeneration: sale.metadata.generation ?? 1,
    selector: selectorText(topology, 'storefront'),
    ...(period === undefined ? {} : { balancePeriod: `${Math.round(topology.settings.balancer.period ?? period)}ms` }),
    conditions: conditionsOf(
      {
        ...{ phase, troubles, progress },
        readiness: readinessOf(observed),
        balance: balanceOf(table, topology.settings.balancer),
      },
      before,
      new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    ),
  };
}
