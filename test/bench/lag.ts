// (f) How old the resource table is: from the commit of an order to the table that knows of it, in one process and so
// by one clock.

import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { databaseSecret } from '../../dataplane/protocol/config.ts';
import { ResourceTable } from '../../dataplane/protocol/table.ts';
import { connectBus } from '../../dataplane/runtime/bus-kafka.ts';
import { connectStorefrontShard } from '../../dataplane/stores/shard/postgres.ts';
import { startSale } from '../harness/sale.ts';
import { figure, type Result } from './result.ts';

const ORDERS = 600;

export async function lag(): Promise<Result[]> {
  const sale = await startSale({
    stock: 100_000,
    cache: { nodes: 1 },
    shards: { count: 1 },
    storefront: { replicas: 1 },
  });
  const bus = connectBus(sale.config.kafka, sale.secret, pino({ level: 'silent' }), new Registry());
  const [at] = sale.config.shards;
  if (!at) throw new Error('the sale has no shard');
  const shard = connectStorefrontShard(at, sale.secret(databaseSecret('storefront')), {});
  try {
    const { incarnation } = await sale.registry();
    const table = new ResourceTable(incarnation);
    const committed: number[] = [];
    const lags: number[] = [];
    await bus.subscribe(['deltas'], { beginning: true }, (_, delta) => {
      if (!('peer' in delta) || !table.applyDelta(delta, performance.now()) || delta.peer !== 's0') return;
      for (let known = lags.length; known < Math.min(delta.sold, committed.length); known++)
        lags.push(performance.now() - (committed[known] ?? 0));
    });
    while (table.shards().length === 0) await sleep(20);
    for (let i = 0; i < ORDERS; i++) {
      await shard.checkout(
        incarnation,
        [
          {
            token: `lag-${String(i).padStart(18, '0')}`,
            buyer: `b${i}`,
            quantity: 1,
            node: 'c0',
            epoch: 1,
            sequence: 1e9 + i,
          },
        ],
        undefined,
      );
      committed.push(performance.now());
      await sleep(5 + Math.random() * 30);
    }
    for (const end = performance.now() + 5000; lags.length < ORDERS && performance.now() < end; ) await sleep(20);
    if (lags.length < ORDERS) throw new Error(`the table knows ${lags.length} of ${ORDERS} orders`);
    lags.sort((a, b) => a - b);
    const percentile = (p: number) => lags[Math.ceil((p / 100) * lags.length) - 1] ?? 0;
    const goal = sale.config.balancer.summaryPeriod + 100;
    return [
      figure('commit to resource table, p50', 'ms', percentile(50)),
      figure(`commit to resource table, p99 (summary period + 100 ms)`, 'ms', percentile(99), goal),
    ];
  } finally {
    await shard.close();
    await bus.close();
    await sale.stop();
  }
}
