// What is known of a sale → what the console shows of it. Pure; every host builds its snapshots with it, from the
// figures of the resource's status and from the resource table.

import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, NodeId, ShardId, StockHolderId } from '../../dataplane/protocol/units.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import type { Flow, NodeRow, SaleSnapshot, SaleSummary, ShardRow, Traffic } from './source.ts';

export interface SaleKnowledge {
  sale: Pick<FlashSale, 'metadata' | 'spec'>;
  status: FlashSaleStatus;
  /** The resource table; absent: no report was read yet, or this process may not read it. */
  table?: Pick<ResourceTable, 'shard' | 'pool' | 'levels' | 'flows'> | undefined;
  waitingFor?: string | undefined;
  /** See SaleSnapshot; the window's opening counts without being named here. */
  openSince?: Millis | undefined;
  traffic?: Traffic | undefined;
}

export const summaryOf = ({ sale, status }: Pick<SaleKnowledge, 'sale' | 'status'>): SaleSummary =>
  known({
    namespace: sale.metadata.namespace,
    name: sale.metadata.name,
    sku: sale.spec.sku,
    stock: sale.spec.stock,
    phase: status.phase,
    sold: status.sold,
    available: status.available,
    virtual: status.virtualAvailable,
  });

export function snapshotOf(knowledge: SaleKnowledge, now: Millis): SaleSnapshot {
  const { sale, status, table, waitingFor, traffic } = knowledge;
  const { opensAt, closesAt } = sale.spec.window;
  const window = known({ opensAt: instant(opensAt), closesAt: instant(closesAt) });
  return known({
    ...summaryOf(knowledge),
    at: now,
    waitingFor,
    conditions: status.conditions,
    window,
    openSince: window.opensAt ?? knowledge.openSince ?? instant(sale.metadata.creationTimestamp),
    supplied: status.supplied,
    tokensLive: status.tokensLive,
    inTransfer: status.inTransfer,
    shards: status.shards && shardRows(status.shards, table),
    pool: poolRow(status, table),
    nodes: status.caches && nodeRows(status.caches, table),
    dispersion: dispersionOf(status),
    flows: table && flowsOf(table),
    storefronts:
      status.storefrontReplicas === undefined
        ? undefined
        : { ready: status.storefrontReplicas, wanted: sale.spec.storefront.replicas },
    traffic,
  });
}

const shardRows = (shards: NonNullable<FlashSaleStatus['shards']>, table: SaleKnowledge['table']): ShardRow[] =>
  shards
    .filter(({ id }) => id !== 'pool')
    .map((shard) =>
      known({ ...shard, id: shard.id as ShardId, inFlight: table?.shard(shard.id as ShardId)?.inFlight }),
    );

function poolRow({ shards }: FlashSaleStatus, table: SaleKnowledge['table']): SaleSnapshot['pool'] {
  const pool = table?.pool();
  const ready = shards?.find(({ id }) => id === 'pool')?.ready;
  return pool && known({ ready, available: pool.available, inFlight: pool.inFlight, owed: pool.owed });
}

function nodeRows(caches: NonNullable<FlashSaleStatus['caches']>, table: SaleKnowledge['table']): NodeRow[] {
  const paused = new Map(table?.levels().map((level) => [level.node, level.paused]));
  return caches.map(({ id, ready, epoch, virtualAvailable, tokensLive }) =>
    known({
      id: id as NodeId,
      ready,
      epoch,
      virtual: virtualAvailable,
      tokensLive,
      paused: paused.get(id as NodeId),
    }),
  );
}

function dispersionOf({ dispersion }: FlashSaleStatus): SaleSnapshot['dispersion'] {
  const { coefficientOfVariation, min, max, mean } = dispersion ?? {};
  return coefficientOfVariation === undefined || min === undefined || max === undefined || mean === undefined
    ? undefined
    : { coefficientOfVariation, min, max, mean };
}

const flowsOf = (table: Pick<ResourceTable, 'flows'>): Flow[] =>
  [...table.flows()].flatMap(([from, sent]) =>
    Object.entries(sent).flatMap(([to, units = 0]) => (units > 0 ? [{ from, to: to as StockHolderId, units }] : [])),
  );

const instant = (text: string | undefined): Millis | undefined => (text === undefined ? undefined : Date.parse(text));

type Known<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** Leaves out fields that are undefined. */
const known = <T extends object>(fields: T): Known<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Known<T>;
