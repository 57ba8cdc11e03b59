import { expect, test } from 'vitest';
import type { PoolView, ShardView } from '../../../dataplane/protocol/table.ts';
import { average } from '../../../operator/balancer/rules/average.ts';
import { none } from '../../../operator/balancer/rules/none.ts';
import { threshold as thresholdOf } from '../../../operator/balancer/rules/threshold.ts';
import { balanceOf } from '../../../operator/reconcile/balance.ts';

const shard = (n: number, available: number, pinned = 0, inFlight = 0): ShardView => ({
  shard: `s${n}`,
  ...{ available, pinned, inFlight, sold: 0, cancelled: 0, missed: 0, missedMax: 0, command: { term: 0, sequence: 0 } },
});
const pool = (change: Partial<PoolView> = {}): PoolView => ({
  ...{
    available: 0,
    inFlight: 0,
    owed: 0,
    allocatable: 0,
    supplied: 100,
    target: 100,
    command: { term: 0, sequence: 0 },
  },
  ...change,
});
const table = (shards: ShardView[], of: PoolView | undefined = pool()) => ({ shards: () => shards, pool: () => of });
const threshold = thresholdOf(0.1);

const cases = [
  ['nothing reported yet', undefined, threshold, 'Unknown NoReports'],
  ['even', table([shard(0, 50), shard(1, 50)]), threshold, 'True WithinDeadBand'],
  ['within the dead band', table([shard(0, 53), shard(1, 47)]), threshold, 'True WithinDeadBand'],
  ['beyond it', table([shard(0, 60), shard(1, 40)]), threshold, 'False Spreading'],
  ['promised stock is no share of the rest', table([shard(0, 70, 20), shard(1, 50)]), threshold, 'True WithinDeadBand'],
  ['a shard that lacks what was promised', table([shard(0, 5, 9), shard(1, 5)]), threshold, 'False Spreading'],
  ['stock on its way', table([shard(0, 50), shard(1, 50, 0, 3)]), threshold, 'False Spreading'],
  [
    'stock that waits in the pool',
    table([shard(0, 50), shard(1, 50)], pool({ allocatable: 4 })),
    threshold,
    'False Spreading',
  ],
  ['one unit apart is even for Average', table([shard(0, 3), shard(1, 2)]), average, 'True WithinDeadBand'],
  ['the rule None asks for no share', table([shard(0, 90), shard(1, 10)]), none, 'True Covered'],
  ['the last unit lies somewhere', table([shard(0, 1), shard(1, 0), shard(2, 0)]), threshold, 'True WithinDeadBand'],
] as const;

test.each(cases)('R14: %s', (_, given, rule, expected) => {
  const { status, reason } = balanceOf(given, rule);
  expect(`${status} ${reason}`).toBe(expected);
});
