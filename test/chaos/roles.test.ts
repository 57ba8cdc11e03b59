// Killed while they sell, each at the place where it hurts most: storefront, cache agent, pool's agent, shards' agents.
// After each: every unit sold once, no order lost, nothing stranded (R32).

import { afterAll, describe, expect, it } from 'vitest';
import { namesAt } from '../harness/crowd.ts';
import { diesAt } from '../harness/deaths.ts';
import { rounds } from '../harness/run-sale.ts';
import { stopSharedKafka } from '../harness/sale.ts';

// Average with a short period moves stock between the shards all the time.
const sales = rounds({
  storefront: { replicas: 2 },
  balancer: { rule: 'Average', period: '100ms', summaryPeriod: '50ms' },
});

afterAll(async () => {
  await sales.stop();
  await stopSharedKafka();
});

describe('R32: killed while it sells', () => {
  it('a storefront, its orders committed, its buyers not answered and the node not told', () =>
    sales.round(200, async (sale, crowd) => {
      await crowd.bought(20);
      await diesAt(sale, 'storefront', undefined, 'checkout-committed');
    }));

  it('both cache agents, the fence raised and the units not returned', () =>
    sales.round(
      150,
      async (sale) => {
        await Promise.all(['c0', 'c1'].map((id) => diesAt(sale, 'cache-agent', id, 'expiry-fenced')));
      },
      { abandon: 0.3 },
    ));

  it.each(['refill-revoked', 'refill-booked'] as const)('the pool’s agent, at %s', (point) =>
    sales.round(150, (sale) => diesAt(sale, 'shard-agent', 'pool', point), {
      named: namesAt('c0', 2, `${point}-`),
    }),
  );

  it.each(['s0', 's1', 'pool'])('the agent of %s, between a commit and its report', (id) =>
    sales.round(100, async (sale, crowd) => {
      await crowd.bought(10);
      await diesAt(sale, 'shard-agent', id, 'relay-read');
    }),
  );

  it('the agent of a transfer’s source, the stock out and nobody told', () =>
    sales.round(150, (sale) => diesAt(sale, 'shard-agent', 's0', 'transfer-executed')));

  it('the pool’s agent, a transfer passed on and nobody told', () =>
    sales.round(150, (sale) => diesAt(sale, 'shard-agent', 'pool', 'transfer-received')));

  it('the agent of a transfer’s destination, the stock in and nobody told', () =>
    sales.round(150, (sale) => diesAt(sale, 'shard-agent', 's1', 'transfer-received')));

  it('the pool’s agent, new stock allocated and nobody told', () =>
    sales.round(
      100,
      async (sale, crowd, restock) => {
        await crowd.bought(10);
        await Promise.all([diesAt(sale, 'shard-agent', 'pool', 'transfer-executed'), restock(50)]);
      },
      { buyers: 400 },
    ));

  it('all of them at once', () =>
    sales.round(200, async (sale, crowd) => {
      await crowd.bought(20);
      const roles = sale.processes.list().filter(({ name }) => /agent|storefront|balancer/.test(name));
      await Promise.all(roles.map(({ name }) => sale.processes.kill9(name)));
      await Promise.all(roles.map(({ name }) => sale.processes.ready(name)));
      const pids = new Set(sale.processes.list().map(({ pid }) => pid));
      expect(roles.filter(({ pid }) => pids.has(pid))).toEqual([]);
    }));
});
