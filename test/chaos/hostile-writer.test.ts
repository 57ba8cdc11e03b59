// Somebody writes to every topic for the whole sale: whatever fits nothing, forged messages, and real ones again. Every
// unit is sold once, every buyer gets an answer, and the audit finds every unit.

import { afterAll, describe, expect, it } from 'vitest';
import { startHostileWriter } from '../harness/hostile-writer.ts';
import { rounds } from '../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../harness/sale.ts';

// Average with a short period moves stock between the shards all the time.
const sales = rounds({ shards: { count: 3 }, balancer: { rule: 'Average', period: '100ms', summaryPeriod: '50ms' } });

afterAll(async () => {
  await sales.stop();
  await stopSharedKafka();
});

/** How many records the balancer dropped, by reason. */
async function dropped(sale: TestSale): Promise<Map<string, number>> {
  const { address } = sale.processes.list().find(({ name }) => name === 'balancer') ?? {};
  const text = await (await fetch(String(address))).text();
  const counts = new Map<string, number>();
  for (const [, reason = '', count] of text.matchAll(/^flashsale_bus_dropped_total\{.*reason="([\w-]+)".*\} (\d+)$/gm))
    counts.set(reason, (counts.get(reason) ?? 0) + Number(count));
  return counts;
}

describe('R26, R30: while somebody writes to every topic', () => {
  it.each([1, 2])('everything is sold once, and nobody notices (seed %i)', (seed) =>
    sales.round(
      300,
      async (sale, crowd) => {
        const stranger = await startHostileWriter(sale, seed * 100_000);
        try {
          await crowd.done;
        } finally {
          await stranger.stop();
        }
        expect(stranger.written()).toBeGreaterThan(300);
        expect(stranger.recorded()).toBeGreaterThan(100);
        const reasons = await dropped(sale);
        for (const reason of ['unsigned', 'unknown-key', 'wrong-mac'])
          expect(reasons.get(reason) ?? 0, reason).toBeGreaterThan(0);
      },
      { within: 8000 },
    ),
  );
});
