// One order as it is exported, and how it is written: as a line of CSV, as JSON, or as one of many lines of JSON. Pure.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import {
  type BuyerId,
  type OrderId,
  orderId,
  type ShardId,
  type Units,
  type Version,
} from '../../dataplane/protocol/units.ts';
import type { OrderStatus, PlacedOrder } from '../../dataplane/stores/shard/shard.ts';

export const ORDER_FORMATS = ['csv', 'json', 'ndjson'] as const;
export type OrderFormat = (typeof ORDER_FORMATS)[number];

export interface OrderRecord {
  order: OrderId;
  namespace: string;
  sale: string;
  sku: string;
  shard: ShardId;
  /** The version of the order's placing: together with the shard, its place in the export. */
  version: Version;
  status: OrderStatus;
  quantity: Units;
  buyer: BuyerId;
  paymentId?: string;
  /** As in RFC 3339, by the shard's own clock. */
  placedAt: string;
}

/** The columns of the CSV, in their order. */
const COLUMNS = [
  'order',
  'namespace',
  'sale',
  'sku',
  'shard',
  'version',
  'status',
  'quantity',
  'buyer',
  'paymentId',
  'placedAt',
] as const satisfies (keyof OrderRecord)[];

export function recordOf(sale: Pick<SaleConfig, 'namespace' | 'name' | 'sku'>, shard: ShardId, placed: PlacedOrder) {
  const { token, version, status, quantity, buyer, paymentId, placedAt } = placed;
  const record: OrderRecord = {
    order: orderId(shard, token),
    ...{ namespace: sale.namespace, sale: sale.name, sku: sale.sku, shard, version, status, quantity, buyer },
    ...(paymentId === undefined ? {} : { paymentId }),
    placedAt: new Date(placedAt).toISOString(),
  };
  return record;
}

/** What stands before the first order, between two, and after the last. */
export interface Frame {
  before: string;
  between: string;
  after: string;
  line(record: OrderRecord): string;
}

export const FRAMES: Record<OrderFormat, Frame> = {
  csv: {
    ...{ before: `${COLUMNS.join(',')}\r\n`, between: '', after: '' },
    line: (record) => `${COLUMNS.map((column) => cell(record[column])).join(',')}\r\n`,
  },
  json: { before: '[', between: ',', after: '\n]\n', line: (record) => `\n  ${JSON.stringify(record)}` },
  ndjson: { before: '', between: '', after: '', line: (record) => `${JSON.stringify(record)}\n` },
};

/** RFC 4180: a field with a quote, a comma or an end of line stands in quotes, and its quotes are doubled. */
function cell(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
