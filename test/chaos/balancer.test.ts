// The balancer is off the buyers' path: killed, doubled or missing, the sale goes on, and ends with everything sold.

import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { dies } from '../harness/deaths.ts';
import { rounds } from '../harness/run-sale.ts';
import { stopSharedKafka, type TestSale } from '../harness/sale.ts';
import { until } from '../harness/until.ts';

const sales = rounds({ shards: { count: 3 }, balancer: { rule: 'Average', period: '100ms', summaryPeriod: '50ms' } });

afterAll(async () => {
  await sales.stop();
  await stopSharedKafka();
});

const MAIN = join(import.meta.dirname, '..', '..', 'operator', 'balancer', 'main.ts');

/** One more, beside the sale's own. */
function anotherBalancer(sale: TestSale) {
  const output = openSync(join(sale.folder, 'logs', 'balancer-2.log'), 'a');
  const config = join(sale.folder, 'config.json');
  const child = spawn(process.execPath, [MAIN, '--config', config, '--secrets', sale.secrets], {
    stdio: ['ignore', output, output],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    async kill9() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

describe('R32: while it sells', () => {
  it('the balancer dies, and the next one takes over', () =>
    sales.round(300, async (sale, crowd) => {
      await crowd.bought(30);
      await dies(sale, 'balancer');
    }));

  it('two balancers are at work, each with commands of its own', () =>
    sales.round(
      300,
      async (sale, crowd) => {
        const log = sale.processes.log;
        const superseded = () => log('balancer').split('a balancer with a higher term is at work').length;
        const before = superseded();
        const other = anotherBalancer(sale);
        try {
          await until('the first to meet the second', () => superseded() > before);
          await crowd.bought(200);
        } finally {
          await other.kill9();
        }
      },
      { within: 8000 },
    ));

  it('there is no balancer for a while', () =>
    sales.round(300, async (sale, crowd) => {
      await sale.processes.stop('balancer', { hard: true });
      await crowd.bought(100);
      await sale.processes.start('balancer');
    }));
});
