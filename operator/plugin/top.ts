// How fast sales sell: two readings of them, some time apart, into figures. Pure.

import type { Millis, Units } from '../../dataplane/protocol/units.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { number, table } from '../cli/output.ts';
import { fullName } from '../cli/sales.ts';
import { dispersion } from '../cli/status-text.ts';
import { newsOf } from './sale-text.ts';

export interface Reading {
  at: Millis;
  sales: FlashSale[];
}

export interface TopRow {
  sale: FlashSale;
  /** Units a second between the two readings; absent: it is not known yet. */
  soldPerSecond?: number;
}

/** The fastest first, then by name. `before`: absent for the first reading. */
export function topRows(before: Reading | undefined, now: Reading): TopRow[] {
  const former = new Map((before?.sales ?? []).map((sale) => [sale.metadata.uid ?? fullName(sale), sale.status?.sold]));
  const seconds = before === undefined ? 0 : (now.at - before.at) / 1000;
  return now.sales
    .map((sale) => {
      const rate = rateOf(former.get(sale.metadata.uid ?? fullName(sale)), sale.status?.sold, seconds);
      return { sale, ...(rate === undefined ? {} : { soldPerSecond: rate }) };
    })
    .sort(
      (a, b) =>
        (b.soldPerSecond ?? 0) - (a.soldPerSecond ?? 0) ||
        fullName(a.sale).localeCompare(fullName(b.sale), 'en', { numeric: true }),
    );
}

/** Cancelled orders may be more than new ones: then nothing was sold. */
const rateOf = (from: Units | undefined, to: Units | undefined, seconds: number): number | undefined =>
  from === undefined || to === undefined || seconds <= 0 ? undefined : Math.max(0, Math.round((to - from) / seconds));

/** Writes the table. `namespaces` says whether to name the namespace of each sale. */
export const topTable = (rows: TopRow[], namespaces: boolean): string =>
  table(
    [
      [
        'SALE',
        'PHASE',
        'SOLD/S',
        'SOLD',
        'OF',
        '%',
        'AVAILABLE',
        'VIRTUAL',
        'LIVE TOKENS',
        'IN TRANSFER',
        'DISPERSION',
        '',
      ],
      ...rows.map(({ sale, soldPerSecond }) => {
        const { status = {} } = sale;
        return [
          namespaces ? fullName(sale) : sale.metadata.name,
          status.phase ?? 'Pending',
          number(soldPerSecond),
          number(status.sold),
          number(status.supplied),
          share(status),
          ...[status.available, status.virtualAvailable, status.tokensLive, status.inTransfer].map(number),
          dispersion(status),
          newsOf(sale),
        ];
      }),
    ],
    [2, 3, 4, 5, 6, 7, 8, 9, 10],
  );

const share = ({ sold, supplied }: FlashSaleStatus): string =>
  sold === undefined || !supplied ? '–' : String(Math.floor((100 * sold) / supplied));

export const topReport = (rows: TopRow[]) =>
  rows.map(({ sale, soldPerSecond }) => ({
    namespace: sale.metadata.namespace,
    name: sale.metadata.name,
    soldPerSecond: soldPerSecond ?? null,
    status: sale.status ?? {},
  }));
