// The export of orders over shards that are arrays: whole, in order, a page at a time, and resumed where it ended.

import { describe, expect, test } from 'vitest';
import type { ShardId } from '../../../dataplane/protocol/units.ts';
import type { OrdersReader, PlacedOrder } from '../../../dataplane/stores/shard/shard.ts';
import { momentOf } from '../../../operator/cli/commands/orders.ts';
import { type Cursor, cursorText, parseCursor } from '../../../operator/orders/cursor.ts';
import { type ExportOptions, exportOrders } from '../../../operator/orders/export.ts';
import type { OrderFormat } from '../../../operator/orders/record.ts';

const AT = Date.UTC(2026, 10, 27, 12);
const order = (version: number, rest: Partial<PlacedOrder> = {}): PlacedOrder => ({
  ...{ token: `token-${version}`, buyer: `buyer-${version}`, quantity: 1, status: 'placed', version, placedAt: AT },
  ...rest,
});

/** Two orders a page at most. What is pushed into the arrays later comes on later pages. */
function shop(shards: Record<ShardId, PlacedOrder[] | Error>) {
  const asked: number[] = [];
  const sale = {
    ...{ namespace: 'shop', name: 'phone-launch', sku: 'PHONE-17' },
    shards: (Object.keys(shards) as ShardId[]).map((id) => ({ id, host: 'h', port: 1, database: id })),
  };
  const connect = ({ id }: { id: ShardId }): OrdersReader => ({
    async ordersPage(after) {
      const orders = shards[id] ?? [];
      if (orders instanceof Error) throw orders;
      const rest = orders.filter(({ version }) => version > after);
      const page = rest.slice(0, 2);
      asked.push(page.length);
      return { incarnation: 'i', orders: page, upTo: page.at(-1)?.version ?? after, more: rest.length > 2 };
    },
    close: async () => undefined,
  });
  const read = async (options: Partial<ExportOptions> & { format: OrderFormat }) => {
    const pieces = exportOrders(sale, connect, { after: new Map(), ...options });
    let text = '';
    for (;;) {
      const { value, done } = await pieces.next();
      if (done) return { text, cursor: value };
      text += value;
    }
  };
  return { read, asked };
}

describe('an export', () => {
  test('has every order of every shard, a page at a time', async () => {
    const { read, asked } = shop({ s0: [order(1), order(4), order(9)], s1: [], s2: [order(2)] });
    const { text, cursor } = await read({ format: 'ndjson' });
    const rows = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows.map(({ shard, version }) => `${shard}:${version}`)).toEqual(['s0:1', 's0:4', 's0:9', 's2:2']);
    expect(rows[0]).toEqual({
      ...{ order: 's0-token-1', namespace: 'shop', sale: 'phone-launch', sku: 'PHONE-17', shard: 's0', version: 1 },
      ...{ status: 'placed', quantity: 1, buyer: 'buyer-1', placedAt: '2026-11-27T12:00:00.000Z' },
    });
    expect(Math.max(...asked)).toBe(2);
    expect(cursorText(cursor)).toBe('s0:9,s1:0,s2:2');
  });

  test('goes on where the one before ended: nothing is skipped, nothing comes twice', async () => {
    const s0 = [order(1), order(2), order(3)];
    const { read } = shop({ s0, s1: [order(1)] });
    const first = await read({ format: 'ndjson' });
    s0.push(order(7), order(8));
    const second = await read({ format: 'ndjson', after: parseCursor(cursorText(first.cursor)) });
    const versions = (text: string) => [...text.matchAll(/"order":"(s\d-token-\d)"/g)].map(([, id]) => id);
    expect(versions(second.text)).toEqual(['s0-token-7', 's0-token-8']);
    expect(cursorText(second.cursor)).toBe('s0:8,s1:1');
  });

  test('says up to where it is whole when a database goes away', async () => {
    const { read } = shop({ s0: [order(5)], s1: new Error('connection refused') });
    await expect(read({ format: 'csv' })).rejects.toThrow(
      'the database of shard s1 does not answer: connection refused; what was printed is whole up to --after s0:5',
    );
  });
});

describe('the formats', () => {
  const odd = order(1, { buyer: 'a "b", c', paymentId: 'pay-1', status: 'paid' });

  test('csv has a head, and quotes what must be quoted', async () => {
    const { text } = await shop({ s0: [odd] }).read({ format: 'csv' });
    expect(text).toBe(
      'order,namespace,sale,sku,shard,version,status,quantity,buyer,paymentId,placedAt\r\n' +
        's0-token-1,shop,phone-launch,PHONE-17,s0,1,paid,1,"a ""b"", c",pay-1,2026-11-27T12:00:00.000Z\r\n',
    );
  });

  test.each([0, 1, 5])('json is one list, also of %i orders', async (count) => {
    const orders = Array.from({ length: count }, (_, i) => order(i + 1));
    const { text } = await shop({ s0: [], s1: orders, s2: [] }).read({ format: 'json' });
    expect(JSON.parse(text)).toHaveLength(count);
  });
});

test.each(['', 's0', 's0:', 's0:x', 'c0:1', 's0:1;s1:2', 's0:99999999999999999'])('%j is no cursor', (text) => {
  expect(() => parseCursor(text)).toThrow('is no cursor; write what an export printed last');
});

test('a cursor is read as it is written', () => {
  const cursor: Cursor = new Map([
    ['s0', 120],
    ['s12', 0],
  ]);
  expect(parseCursor(cursorText(cursor))).toEqual(cursor);
});

test.each([
  ['2026-12-01T12:00:00Z', Date.UTC(2026, 11, 1, 12)],
  ['2026-12-01T13:00:00+01:00', Date.UTC(2026, 11, 1, 12)],
  ['1h30m', AT - 5_400_000],
  ['2026-12-01', undefined],
  ['2026-13-41T12:00:00Z', undefined],
  ['yesterday', undefined],
])('--since %s', (text, expected) => {
  expect(momentOf(text, AT)).toBe(expected);
});
