// (d) What a latecomer costs: the purchase of a sale that is sold out, against a bare echo.

import { benchSale, CONNECTIONS, checkouts, purchases, startBaseline } from './bench-sale.ts';
import { compare, type Result } from './result.ts';
import { wrk } from './wrk.ts';

export async function reject(): Promise<Result[]> {
  const sale = await benchSale(1, 8);
  const echo = await startBaseline('echo');
  try {
    const [url = ''] = sale.storefrontUrls();
    await wrk(url, await checkouts(sale, 8), { seconds: 1, connections: 2 });
    const fire = async (at: string, refused: boolean) => {
      const shots = await wrk(at, purchases(20_000), { seconds: 5, connections: CONNECTIONS });
      if (refused && shots.refused !== shots.requests) throw new Error('a sold-out sale sold something');
      return shots.perSecond;
    };
    await fire(url, true);
    return [
      await compare(
        'sold out / bare node:http echo',
        'requests/s',
        5,
        () => fire(url, true),
        () => fire(echo.url, false),
        0.9,
      ),
    ];
  } finally {
    await echo.stop();
    await sale.stop();
  }
}
