// How a sale stands, as text: the same for a sale on this machine and in a cluster, but for what it runs as.

import type { ConditionStatus, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { number, span, styled, table } from './output.ts';

export interface StatusView {
  namespace: string;
  name: string;
  status: FlashSaleStatus;
  waitingFor?: string;
  /** Processes or pods, as a table. */
  parts: string;
}

export function statusText({ namespace, name, status, waitingFor, parts }: StatusView, now: number): string {
  const head = [
    `${styled('bold', `${namespace}/${name}`)}  ${status.phase ?? 'Pending'}`,
    ...(waitingFor === undefined ? [] : [styled('yellow', `waiting for ${waitingFor}`)]),
  ];
  const { conditions = [] } = status;
  return [
    head.join('\n'),
    ...(conditions.length > 0 ? [conditionsTable(conditions, now)] : []),
    stockTable(status),
    cachesTable(status),
    shardsTable(status),
    ...(parts === '' ? [] : [parts]),
  ].join('\n\n');
}

const conditionsTable = (conditions: ConditionStatus[], now: number): string =>
  table([
    ['CONDITION', 'STATUS', 'REASON', 'FOR', 'MESSAGE'],
    ...conditions.map(({ type, status, reason, lastTransitionTime, message }) => [
      type,
      isTrouble(type, status) ? styled('red', status) : status,
      reason,
      span(now - Date.parse(lastTransitionTime)),
      message,
    ]),
  ]);

const isTrouble = (type: string, status: string): boolean =>
  status === (type === 'Degraded' ? 'True' : 'False') && ['Ready', 'Degraded', 'Authenticated'].includes(type);

const stockTable = (status: FlashSaleStatus): string =>
  table(
    [
      ['SUPPLIED', 'SOLD', 'AVAILABLE', 'VIRTUAL', 'LIVE TOKENS', 'IN TRANSFER', 'DISPERSION'],
      [
        ...[status.supplied, status.sold, status.available, status.virtualAvailable, status.tokensLive].map(number),
        number(status.inTransfer),
        dispersion(status),
      ],
    ],
    [0, 1, 2, 3, 4, 5, 6],
  );

export const dispersion = (status: FlashSaleStatus): string =>
  status.dispersion?.coefficientOfVariation?.toFixed(2) ?? '–';

export const cachesTable = ({ caches = [] }: FlashSaleStatus): string =>
  table(
    [
      ['CACHE', 'READY', 'EPOCH', 'VIRTUAL', 'LIVE TOKENS'],
      ...caches.map((c) => [c.id, yes(c.ready), ...[c.epoch, c.virtualAvailable, c.tokensLive].map(number)]),
    ],
    [2, 3, 4],
  );

export const shardsTable = ({ shards = [] }: FlashSaleStatus): string =>
  table(
    [
      ['SHARD', 'READY', 'AVAILABLE', 'PINNED', 'SOLD'],
      ...shards.map((s) => [s.id, yes(s.ready), ...[s.available, s.pinned, s.sold].map(number)]),
    ],
    [2, 3, 4],
  );

const yes = (ready: boolean | undefined): string => (ready ? 'yes' : 'no');
