// The stores below the agents, gone while the sale sells: Kafka for a while and without its data, PostgreSQL as a
// power failure of its server would leave it (R32).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Crowd } from '../harness/crowd.ts';
import { childrenOf, killNow } from '../harness/postgres.ts';
import { rounds } from '../harness/run-sale.ts';
import type { TestSale } from '../harness/sale.ts';

/** Its own Kafka, to lose. */
const sales = rounds({ storefront: { replicas: 2 } }, { kafka: 'own' });

afterAll(() => sales.stop());

const OUTAGE: Millis = 20_000;
/** Buyers go on coming all through an outage. */
const LASTING = { within: OUTAGE + 5000, maxWait: 90_000 };

const soldSoFar = (crowd: Crowd) => crowd.tally()?.sold ?? 0;

/** A Kafka without its data is another cluster. */
const clusterOf = (sale: TestSale) => readFileSync(join(sale.folder, 'kafka', 'data', 'meta.properties'), 'utf8');

describe('R32: while it sells', () => {
  it('Kafka is gone for 20 s: the sale goes on, and catches up afterwards', () =>
    sales.round(
      300,
      async (sale, crowd) => {
        await crowd.bought(20);
        await sale.processes.stop('kafka', { hard: true });
        const before = soldSoFar(crowd);
        await sleep(OUTAGE);
        expect(soldSoFar(crowd)).toBeGreaterThan(before + 100);
        await sale.processes.start('kafka');
      },
      LASTING,
    ));

  it('Kafka loses everything: the topics are made again, and nothing is missing', () =>
    sales.round(
      300,
      async (sale, crowd) => {
        await crowd.bought(20);
        const before = clusterOf(sale);
        await sale.processes.stop('kafka', { hard: true });
        sale.processes.wipe('kafka');
        await sale.processes.start('kafka');
        expect(clusterOf(sale)).not.toBe(before);
      },
      { within: 12_000, maxWait: 90_000 },
    ));

  it('PostgreSQL dies with all its backends, and recovers what was committed', () =>
    sales.round(
      300,
      async (sale, crowd) => {
        await crowd.bought(20);
        const pid = sale.processes.list().find(({ name }) => name === 'postgres')?.pid ?? 0;
        const backends = childrenOf(pid);
        expect(backends.length).toBeGreaterThan(5);
        const death = sale.processes.kill9('postgres');
        for (const backend of backends) killNow(backend);
        await death;
        await sale.processes.ready('postgres');
        expect(sale.processes.list().find(({ name }) => name === 'postgres')?.pid).not.toBe(pid);
        expect(sale.processes.log('postgres')).toContain('was not properly shut down');
      },
      { within: 8000 },
    ));
});
