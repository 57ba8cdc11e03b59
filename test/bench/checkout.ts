// (b) A checkout against the one most shops have, with 128 clients, and against what the database itself can do.
// (c) Shards, and batches switched off.

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { databaseRole, databaseSecret } from '../../dataplane/protocol/config.ts';
import { startPostgres } from '../harness/postgres.ts';
import type { TestSale } from '../harness/sale.ts';
import { benchSale, CONNECTIONS, checkouts, startBaseline } from './bench-sale.ts';
import { compare, type Result } from './result.ts';
import { volleys } from './wrk.ts';

const SECONDS = 5;
const STOCK = 2_000_000;

/** Answers how to take one turn: checkouts per second, every one of which must sell. `first`: tokens to begin with. */
function turns(sale: TestSale, first = 75_000): () => Promise<number> {
  const [url = ''] = sale.storefrontUrls();
  const volley = volleys(first, (count) => checkouts(sale, count));
  return async () => {
    const fired = await volley(url, { seconds: SECONDS, connections: CONNECTIONS });
    if (fired.refused > 0) throw new Error(`${fired.refused} checkouts were refused`);
    return fired.perSecond;
  };
}

export async function checkout(): Promise<Result[]> {
  const sale = await benchSale(1, STOCK);
  const postgres = await startPostgres();
  await postgres.createDatabases(['naive']);
  const db = new pg.Client({ connectionString: postgres.url('naive') });
  await db.connect();
  await db.query('CREATE TABLE stock (id int PRIMARY KEY, available bigint CHECK (available >= 0))');
  await db.query('CREATE TABLE orders (token text PRIMARY KEY, buyer text NOT NULL)');
  await db.query('INSERT INTO stock VALUES (1, 1000000000)');
  const naive = await startBaseline('naive-checkout', postgres.url('naive'));
  try {
    let series = 0;
    const theirVolley = volleys(20_000, (count) => {
      const run = series++;
      return Array.from({ length: count }, (_, i) => ({
        path: '/checkout',
        buyer: `n${i}`,
        body: JSON.stringify({ token: `n${run}-${i}` }),
      }));
    });
    const theirs = async () => {
      const fired = await theirVolley(naive.url, { seconds: SECONDS, connections: CONNECTIONS });
      if (fired.refused > 0) throw new Error(`${fired.refused} naive checkouts failed`);
      return fired.perSecond;
    };
    const ours = turns(sale);
    await ours();
    return [
      await compare('checkout / naive transaction, 128 clients', 'requests/s', 5, ours, theirs, 15),
      await compare('checkout / the batch function by pgbench, 128 rows', 'orders/s', 3, ours, () =>
        limit(sale, postgres.bin),
      ),
    ];
  } finally {
    await naive.stop();
    await db.end();
    await postgres.stop();
    await sale.stop();
  }
}

/** What the database can do: the same function, two clients, no HTTP, no Redis. Orders per second. */
async function limit(sale: TestSale, bin: string): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'flashsale-pgbench-'));
  const [shard] = sale.config.shards;
  if (!shard) throw new Error('the sale has no shard');
  const { incarnation } = await sale.registry();
  const script = `SELECT flashsale.checkout('${incarnation}', array_agg(md5(random()::text || i)), array_agg('buyer-' || i),
    array_agg(1::bigint), array_agg('c0'::text), array_agg(1::bigint), array_agg(1000000000::bigint + i), NULL) FROM generate_series(1, 128) AS i;`;
  try {
    const file = join(folder, 'batch.sql');
    await writeFile(file, script.replaceAll('\n', ' '));
    const { stdout } = await promisify(execFile)(
      join(bin, 'pgbench'),
      [
        '-n',
        '-c',
        '2',
        '-j',
        '1',
        '-T',
        String(SECONDS),
        '-f',
        file,
        '-h',
        shard.host,
        '-p',
        String(shard.port),
        '-U',
        databaseRole('storefront'),
        shard.database,
      ],
      { env: { ...process.env, PGPASSWORD: sale.secret(databaseSecret('storefront')) } },
    );
    return Number(/tps = ([\d.]+)/.exec(stdout)?.[1]) * 128;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function shards(): Promise<Result[]> {
  const results: Result[] = [];
  const one = await benchSale(1, STOCK);
  const alone = turns(one);
  try {
    for (const count of [2, 4, 8]) {
      const many = await benchSale(count, STOCK);
      try {
        results.push(await compare(`checkout with ${count} shards / with 1`, 'requests/s', 3, turns(many), alone));
      } finally {
        await many.stop();
      }
    }
    const single = await benchSale(1, STOCK, { FLASHSALE_BATCH_ROWS: '1' });
    try {
      results.push(await compare('checkout in batches / one by one', 'requests/s', 3, alone, turns(single, 20_000)));
    } finally {
      await single.stop();
    }
    return results;
  } finally {
    await one.stop();
  }
}
