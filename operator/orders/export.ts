// Exports the orders of a sale: reads each shard's database a page at a time, as the role that may only read, and hands
// out one piece of text after the other. It needs no storefront, no agent and no Kafka, and holds one page in memory.

import { databaseSecret, type SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis, ShardId, Version } from '../../dataplane/protocol/units.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import { messageOf, UserError } from '../../dataplane/runtime/user-error.ts';
import { connectOrdersReader } from '../../dataplane/stores/shard/postgres.ts';
import type { OrdersPage, OrdersReader } from '../../dataplane/stores/shard/shard.ts';
import { type Cursor, cursorText } from './cursor.ts';
import { FRAMES, type OrderFormat, recordOf } from './record.ts';

const ORDERS_A_PAGE = 1000;

export interface ExportOptions {
  format: OrderFormat;
  /** Where an earlier export ended; empty: from the first order. */
  after: Cursor;
  /** Only orders placed at this time since 1970 or later, by their shard's clock. */
  since?: Millis;
}

/** How an export connects to a shard. */
export type ConnectReader = (shard: SaleConfig['shards'][number]) => OrdersReader;

export const readersOf =
  (secret: Secret): ConnectReader =>
  (shard) =>
    connectOrdersReader(shard, secret(databaseSecret('audit')));

/**
 * Yields the export as text, and returns the cursor at which the next one goes on. Throws `UserError` when a database
 * does not answer; the message has the cursor up to which the text is whole.
 */
export async function* exportOrders(
  sale: Pick<SaleConfig, 'namespace' | 'name' | 'sku' | 'shards'>,
  connect: ConnectReader,
  { format, after, since }: ExportOptions,
): AsyncGenerator<string, Cursor> {
  const { before, between, after: end, line } = FRAMES[format];
  const cursor = new Map<ShardId, Version>(after);
  let isFirst = true;
  if (before !== '') yield before;
  for (const shard of sale.shards) {
    const reader = connect(shard);
    try {
      for (let more = true; more; ) {
        const page = await pageOf(reader, shard.id, cursor, since);
        const lines = page.orders.map((placed) => line(recordOf(sale, shard.id, placed)));
        if (lines.length > 0) yield (isFirst ? '' : between) + lines.join(between);
        isFirst &&= lines.length === 0;
        cursor.set(shard.id, page.upTo);
        more = page.more;
      }
    } finally {
      await reader.close();
    }
  }
  if (end !== '') yield end;
  return cursor;
}

async function pageOf(reader: OrdersReader, shard: ShardId, cursor: Cursor, since?: Millis): Promise<OrdersPage> {
  try {
    return await reader.ordersPage(cursor.get(shard) ?? 0, ORDERS_A_PAGE, since === undefined ? {} : { since });
  } catch (error) {
    const done = cursorText(cursor);
    const where = done === '' ? '' : `; what was printed is whole up to --after ${done}`;
    throw new UserError(`the database of shard ${shard} does not answer: ${messageOf(error)}${where}`);
  }
}
