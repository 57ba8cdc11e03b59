// When a sale counts as being as its resource says, and what is named otherwise.

import { expect, test } from 'vitest';
import { ResourceTable } from '../../../dataplane/protocol/table.ts';
import type { NodeId } from '../../../dataplane/protocol/units.ts';
import type { RegistryView } from '../../../dataplane/stores/registry/registry.ts';
import { dataFolder } from '../../../operator/local/data-folder.ts';
import type { ProcessReport } from '../../../operator/local/process.ts';
import { type ReportInput, saleReport } from '../../../operator/local/report.ts';
import { deltaOf } from '../../harness/delta.ts';

const process = (name: string, patch: Partial<ProcessReport> = {}): ProcessReport => ({
  name,
  title: name.toUpperCase(),
  phase: 'ready',
  restarts: 0,
  ...patch,
});

function table(allocatable: number): ResourceTable {
  const filled = new ResourceTable('i');
  const pool = { owed: 0, allocatable, supplied: 10, target: 10 };
  filled.applyDelta(deltaOf('pool', { incarnation: 'i', available: allocatable, pool }), 0);
  filled.applyLevel(
    {
      incarnation: 'i',
      node: 'c0',
      epoch: 1,
      sequence: 1,
      layout: 1,
      paused: false,
      virtual: 10,
      liveTokens: 0,
      liveUnits: 0,
      pinned: {},
      granted: 10,
      revoked: 0,
      issued: 0,
      settledUnits: 0,
      returnedUnits: 0,
    },
    0,
  );
  return filled;
}

/** Beside c0, a node that has left. */
const registry = (supplied: number, granted: number) => {
  const node = (id: NodeId, units: number) => ({ id, epoch: 1, granted: units, revoked: 0, reachable: true });
  return { supplied, count: 1, nodes: [node('c0', granted), node('c1', 5)], shards: [] as object[] } as RegistryView;
};

const input = (patch: Partial<ReportInput> = {}): ReportInput => ({
  folder: dataFolder('/data'),
  ports: { 'storefront-0': 1, 'storefront-0.metrics': 2, 'redis-c0': 3 },
  sale: undefined,
  plan: undefined,
  processes: [process('redis-c0'), process('storefront-0')],
  registry: registry(10, 10),
  table: table(0),
  console: undefined,
  waiting: undefined,
  ...patch,
});

test.each<[string, Partial<ReportInput>, string | undefined]>([
  ['everything is as it should be', {}, undefined],
  [
    'a process is late',
    { processes: [process('kafka', { phase: 'up', reason: 'not listening yet' }), process('x')] },
    'KAFKA (not listening yet)',
  ],
  [
    'how it died says more than where it stands',
    { processes: [process('kafka', { phase: 'up', reason: 'not listening yet', died: 'ended by SIGKILL' })] },
    'KAFKA (ended by SIGKILL)',
  ],
  [
    'processes come before what waits for them',
    { processes: [process('a', { phase: 'starting' })], waiting: 'the registry' },
    'A',
  ],
  ['a reconcile is not through', { waiting: 'the registry is being told' }, 'the registry is being told'],
  ['nothing was heard of the pool', { table: undefined }, 'the first reports'],
  [
    'nothing was heard of a shard',
    {
      registry: {
        ...registry(10, 10),
        shards: [{ id: 's0', shardIncarnation: 'p', joined: true, cancelled: 0, credited: 0 }],
      },
    },
    'the first reports',
  ],
  ['the pool holds stock that is to be allocated', { table: table(3) }, 'the stock to be allocated to the shards'],
  [
    'the pool has not told of the newest supply',
    { registry: registry(11, 11) },
    'the stock to be allocated to the shards',
  ],
  ['a node has not told of its newest grant', { registry: registry(10, 11) }, 'the cache nodes to take their stock'],
])('%s', (_, patch, waitingFor) => {
  const report = saleReport(input(patch), 0);
  expect(report.waitingFor).toBe(waitingFor);
  expect(report.settled).toBe(waitingFor === undefined);
});

test('addresses are of the processes there are', () => {
  expect(saleReport(input(), 0).addresses).toEqual({
    storefronts: ['http://127.0.0.1:1'],
    metrics: { 'storefront-0': 'http://127.0.0.1:2/metrics' },
  });
});
