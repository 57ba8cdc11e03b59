// (a) A purchase with all it must do, against a loop that only lowers a counter and leaves a token; and against a bare
// echo. (e) What a token costs in Redis.

import { readFileSync } from 'node:fs';
import { startRedis } from '../harness/redis.ts';
import { benchSale, CONNECTIONS, purchases, startBaseline } from './bench-sale.ts';
import { compare, figure, type Result } from './result.ts';
import { volleys, wrk } from './wrk.ts';

const SECONDS = 5;
const TURNS = 5;

export async function purchase(): Promise<Result[]> {
  const sale = await benchSale(1, 5_000_000);
  // The same durability as the sale's own nodes.
  const redis = await startRedis({ enabled: true });
  const decr = await startBaseline('decr', String(redis.port), 'agent', redis.passwordOf('agent'));
  const echo = await startBaseline('echo');
  try {
    await redis.raw('agent').set('stock', 1e9);
    const [url = ''] = sale.storefrontUrls();
    const volley = volleys(120_000, purchases);
    const fire = async (at: string) => {
      const shots = await volley(at, { seconds: SECONDS, connections: CONNECTIONS });
      if (shots.refused > 0) throw new Error(`${shots.refused} purchases were refused`);
      return shots.perSecond;
    };
    await fire(url);
    await fire(decr.url);
    return [
      await compare(
        'purchase / hand-written DECR and token',
        'requests/s',
        TURNS,
        () => fire(url),
        () => fire(decr.url),
        0.8,
      ),
      await compare(
        'purchase / bare node:http echo',
        'requests/s',
        3,
        () => fire(url),
        () => fire(echo.url),
      ),
    ];
  } finally {
    await Promise.all([decr.stop(), echo.stop()]);
    await redis.stop();
    await sale.stop();
  }
}

export async function memory(): Promise<Result[]> {
  const sale = await benchSale(1, 1_000_000);
  try {
    const [node] = sale.config.cache.nodes;
    const { Redis } = await import('ioredis');
    const redis = new Redis({
      host: node?.host ?? '',
      port: node?.port ?? 0,
      username: 'agent',
      password: sale.secret('redis-agent'),
    });
    const used = async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]);
    const issued = () => redis.llen('sequences');
    const [url = ''] = sale.storefrontUrls();
    await wrk(url, purchases(1000), { seconds: 1, connections: 8 });
    const before = { bytes: await used(), tokens: await issued() };
    await wrk(url, purchases(100_000), { seconds: 6, connections: CONNECTIONS });
    const after = { bytes: await used(), tokens: await issued() };
    redis.disconnect();
    const pid = sale.processes.list().find(({ name }) => name === 'storefront-0')?.pid;
    const rss = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
    return [
      figure('storefront RSS after 100,000 purchases', 'MiB', rss, 200),

      figure(
        'Redis memory of a token, its buyer included',
        'bytes',
        (after.bytes - before.bytes) / (after.tokens - before.tokens),
        400,
      ),
    ];
  } finally {
    await sale.stop();
  }
}
