// What is still on its way to being as the resource says; undefined: nothing. Pure; the first that applies is said.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { RegistryView } from '../../dataplane/stores/registry/registry.ts';
import { unsettled, type Wanted } from '../sale/registry-steps.ts';
import { undelivered } from '../sale/supply.ts';
import type { Progress } from './conditions.ts';
import { readinessOf } from './degraded-reasons.ts';
import type { Observed } from './observed.ts';

/** Everything that is looked at. */
export interface Standing {
  /** Buyers were served before, so a part that is away is no start. */
  served: boolean;
  observed: Observed;
  registry: RegistryView | undefined;
  wanted: Wanted;
  table: Pick<ResourceTable, 'pool' | 'levels' | 'shard'> | undefined;
  /** Servers that could not be given their databases yet, in words. */
  databases: readonly string[];
  /** Parts that this reconcile edited, and parts whose new template waits for another. */
  rollout: readonly string[];
}

export function progressOf({
  served,
  observed,
  registry,
  table,
  wanted,
  databases,
  rollout,
}: Standing): Progress | undefined {
  const { missing } = readinessOf(observed);
  if (!served) {
    const [waiting] = [
      ...(missing.length > 0 ? [`waits for ${missing.join(', ')}`] : []),
      ...databases.map((name) => `waits for ${name}`),
    ];
    const delivery = undelivered(registry, table);
    const reason = waiting ?? unsettled(registry, wanted) ?? (delivery && `waits for ${delivery}`);
    if (reason !== undefined) return { reason: 'Starting', message: reason };
  }
  const rolling = Object.entries(observed.workloads).filter(([, workload]) => workload.rolling);
  if (registry && (registry.resize !== 'none' || registry.count !== wanted.nodes))
    return { reason: 'Resizing', message: unsettled(registry, wanted) ?? 'the number of cache nodes is changing' };
  if (rolling.length > 0 || rollout.length > 0)
    return {
      reason: 'RollingOut',
      message: [...rolling.map(([component]) => `pods of the ${component} part are being replaced`), ...rollout].join(
        '; ',
      ),
    };
  if (registry && registry.target < registry.supplied - registry.owed)
    return {
      reason: 'Withdrawing',
      message: `${registry.supplied - registry.owed - registry.target} units are still to be taken off sale, as far as they are not sold`,
    };
  const telling = registry && unsettled(registry, wanted);
  if (telling !== undefined) return { reason: 'RollingOut', message: telling };
  return missing.length > 0 && observedGrows(observed)
    ? { reason: 'RollingOut', message: `waits for ${missing.join(', ')}` }
    : undefined;
}

/** Pods that were asked for are not there yet at all; one that was there and is down is no progress. */
const observedGrows = ({ workloads, pods }: Observed): boolean =>
  Object.entries(workloads).some(
    ([component, { wanted }]) => pods.filter((pod) => pod.component === component).length < wanted,
  );
