// The supervisor is no part of what sells: killed, everything goes on, and the next one takes it over.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { reachSupervisor, stopSale } from '../../operator/local/daemon.ts';
import { dataFolder } from '../../operator/local/data-folder.ts';
import { localSale } from '../../operator/local/find.ts';
import { alive, identify } from '../../operator/local/identity.ts';
import { holderOf } from '../../operator/local/lock.ts';
import { runSupervisor } from '../../operator/local/run.ts';
import { startCrowd } from '../harness/crowd.ts';
import { twoFreePorts } from '../harness/ports.ts';
import { sharedKafka, stopSharedKafka } from '../harness/sale.ts';
import { until } from '../harness/until.ts';
import { expectVerdict } from '../harness/verdict.ts';

const dir = mkdtempSync(join(tmpdir(), 'flashsale-supervised-'));
const folder = dataFolder(dir);

afterAll(async () => {
  await stopSale(folder);
  rmSync(dir, { recursive: true, force: true });
  await stopSharedKafka();
});

it('R32: the supervisor is killed while the sale sells, and up takes everything over that still runs', async () => {
  const { broker } = await sharedKafka();
  const firstPort = await twoFreePorts();
  const text = stringify({
    apiVersion: 'flashsale.dev/v1alpha1',
    kind: 'FlashSale',
    metadata: { name: 'supervised' },
    spec: {
      sku: 'TEST-1',
      auth: { trustedHeader: { name: 'X-Buyer-Id', insecure: true } },
      stock: 300,
      cache: { nodes: 2 },
      shards: { count: 2 },
      token: { ttl: '5s' },
      kafka: { bootstrapServers: [broker] },
    },
  });
  const up = async () => {
    const control = await reachSupervisor(folder);
    await control.apply({ text, source: 'sale.yaml', firstPort });
    return until('the sale to be open', async () => {
      const report = await control.status();
      return report.settled && report;
    });
  };
  const before = await up();
  const { config, secret, storefronts } = localSale({ data: dir });
  const sale = { config, secret, storefrontUrls: () => storefronts };

  const crowd = startCrowd(sale, { buyers: 600, within: 8000 });
  await crowd.bought(30);
  const supervisor = holderOf(folder.lock);
  if (!supervisor) throw new Error('no supervisor holds the data folder');
  process.kill(supervisor.pid, 'SIGKILL');
  await until('the supervisor to be gone', () => !alive(supervisor));
  // It sells on without, and what dies now nobody starts again.
  const lost = before.processes.find(({ name }) => name === 'shard-agent-s0')?.pid ?? 0;
  process.kill(lost, 'SIGKILL');
  await crowd.bought(80);
  expect(holderOf(folder.lock)).toBeUndefined();

  // A supervisor that is given nothing to do goes as it came.
  const idle = await runSupervisor(dir, { log: pino({ level: 'silent' }) });
  await idle.leave();
  const dead = before.processes.filter(({ pid }) => identify(pid ?? -1) === undefined);
  expect(dead.map(({ name }) => name)).toEqual(['shard-agent-s0']);

  const after = await up();
  expect(holderOf(folder.lock)?.pid).not.toBe(supervisor.pid);
  const changed = before.processes.filter(({ name, pid }) => after.processes.find((p) => p.name === name)?.pid !== pid);
  expect(changed.map(({ name }) => name)).toEqual(['shard-agent-s0']);
  await expectVerdict(sale, await crowd.done, { sold: 300 });

  await stopSale(folder);
  expect(after.processes.filter(({ pid }) => pid !== undefined && identify(pid) !== undefined)).toEqual([]);
});
