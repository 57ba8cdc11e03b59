// Decides whether the stock lies where it is wanted, from the resource table and by the sale's own rule. Pure.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Rule } from '../balancer/rules/rule.ts';
import type { Balance } from './conditions.ts';

const units = (count: number): string => `${count.toLocaleString('en')} unit${count === 1 ? '' : 's'}`;

/** Decides the condition Balanced. `rule` says how far from its share a shard may be. */
export function balanceOf(
  table: Pick<ResourceTable, 'shards' | 'pool'> | undefined,
  rule: Pick<Rule, 'tolerance'>,
): Balance {
  const pool = table?.pool();
  const shards = table?.shards() ?? [];
  if (!pool || shards.length === 0)
    return { status: 'Unknown', reason: 'NoReports', message: 'The shards have not reported yet.' };
  const spreading = (message: string): Balance => ({ status: 'False', reason: 'Spreading', message });

  const moving = shards.reduce((sum, { inFlight }) => sum + inFlight, pool.inFlight);
  if (moving > 0) return spreading(`${units(moving)} ${moving === 1 ? 'is' : 'are'} on the way between shards.`);
  if (pool.allocatable > 0)
    return spreading(`${units(pool.allocatable)} ${pool.allocatable === 1 ? 'waits' : 'wait'} in the transfer pool.`);
  const short = shards.filter(({ available, pinned }) => available < pinned);
  if (short.length > 0)
    return spreading(`${short.map(({ shard }) => shard).join(', ')} lack stock that tokens were promised.`);
  const free = shards.map(({ available, pinned }) => available - pinned);
  const mean = free.reduce((sum, amount) => sum + amount, 0) / free.length;
  // Whole units cannot lie more evenly than one unit apart.
  const band = Math.max(1, rule.tolerance(mean));
  if (band === Number.POSITIVE_INFINITY)
    return { status: 'True', reason: 'Covered', message: 'Every shard has what its tokens were promised.' };
  const off = shards.filter((_, i) => Math.abs((free[i] ?? 0) - mean) > band + 1e-9);
  return off.length === 0
    ? { status: 'True', reason: 'WithinDeadBand', message: 'Every shard has its share.' }
    : spreading(`${off.map(({ shard }) => shard).join(', ')} have more or less than their share.`);
}
