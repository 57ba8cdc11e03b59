// The interfaces of shard.ts on PostgreSQL: each method is one function or view of dataplane/stores/shard/sql. They
// decide nothing.

import type { OrderEvent, OrderEventKind, Transfer } from '../../protocol/messages.ts';
import {
  type BuyerId,
  type Incarnation,
  type Millis,
  orderId,
  type ShardId,
  type StockHolderId,
  type TokenId,
  type Units,
  type Version,
} from '../../protocol/units.ts';
import { Database, type DatabaseAddress, type DatabaseOptions } from '../postgres.ts';
import { migrate } from './migrate.ts';
import type {
  AgentShard,
  CacheShard,
  CheckoutOutcome,
  OperatorShard,
  Order,
  OrderAnswer,
  OrdersPage,
  OrdersReader,
  ShardInfo,
  ShardState,
  StorefrontShard,
} from './shard.ts';

type Options = Partial<DatabaseOptions>;

async function info(database: Database): Promise<ShardInfo> {
  const [row] = await database.rows<{ peer_incarnation: Incarnation; incarnation: Incarnation | null }>(
    'info',
    'SELECT * FROM flashsale.info()',
  );
  if (!row) throw new TypeError('info() answers one row');
  return { incarnation: row.incarnation ?? undefined, shardIncarnation: row.peer_incarnation };
}

/** Connects as a storefront. Checkouts have a connection of their own, so that nothing waits in front of a batch. */
export function connectStorefrontShard(
  address: DatabaseAddress,
  password: string,
  options: Options = {},
): StorefrontShard {
  const batches = new Database(address, 'storefront', password, { timeout: 2_000, ...options, connections: 1 });
  const others = new Database(address, 'storefront', password, { timeout: 2_000, ...options });
  const answer = async <T extends string>(
    name: string,
    text: string,
    values: readonly unknown[],
  ): Promise<OrderAnswer<T>> => (await others.value<OrderAnswer<T>>(name, text, values)) ?? { kind: 'unknown' };
  return {
    info: () => info(others),
    async checkout(incarnation, rows, paymentDeadline) {
      if (rows.length === 0) return [];
      const outcomes = await batches.value<CheckoutOutcome[]>(
        'checkout',
        'SELECT flashsale.checkout($1, $2, $3, $4, $5, $6, $7, $8)',
        [
          incarnation,
          rows.map((r) => r.token),
          rows.map((r) => r.buyer),
          rows.map((r) => r.quantity),
          rows.map((r) => r.node),
          rows.map((r) => r.epoch),
          rows.map((r) => r.sequence),
          paymentDeadline ?? null,
        ],
      );
      if (outcomes?.length !== rows.length) throw new TypeError('checkout() answers one outcome for each row');
      return outcomes;
    },
    order: (incarnation, token) =>
      others.value<Order>('order_of', 'SELECT flashsale.order_of($1, $2)', [incarnation, token]),
    pay: (incarnation, token, buyer, paymentId) =>
      answer('pay', 'SELECT flashsale.pay($1, $2, $3, $4)', [incarnation, token, buyer, paymentId]),
    cancel: (incarnation, token, buyer) =>
      answer('cancel', 'SELECT flashsale.cancel($1, $2, $3)', [incarnation, token, buyer]),
    async close() {
      await Promise.all([batches.close(), others.close()]);
    },
  };
}

export function connectCacheShard(address: DatabaseAddress, password: string, options: Options = {}): CacheShard {
  const database = new Database(address, 'cache', password, { timeout: 10_000, connections: 2, ...options });
  return {
    info: () => info(database),
    async closeTokens(incarnation, node, epoch, upTo, tokens) {
      const ordered = await database.value<TokenId[]>(
        'close_tokens',
        'SELECT flashsale.close_tokens($1, $2, $3, $4, $5)',
        [incarnation, node, epoch, upTo, tokens],
      );
      return ordered && new Set(ordered);
    },
    async raiseEpoch(incarnation, node, epoch) {
      await database.rows('raise_epoch', 'SELECT flashsale.raise_epoch($1, $2, $3)', [incarnation, node, epoch]);
    },
    async orderedThrough(incarnation, node) {
      const units = await database.value<Units>('ordered_through', 'SELECT flashsale.ordered_through($1, $2)', [
        incarnation,
        node,
      ]);
      return units ?? 0;
    },
    async orderedByBuyer(incarnation) {
      const rows = await database.rows<{ buyer: BuyerId; units: Units }>(
        'ordered_by_buyer',
        'SELECT * FROM flashsale.ordered_by_buyer($1)',
        [incarnation],
      );
      return new Map(rows.map((r) => [r.buyer, r.units]));
    },
    close: () => database.close(),
  };
}

interface TransferRow {
  incarnation: Incarnation;
  source: StockHolderId;
  source_incarnation: Incarnation;
  hop: StockHolderId;
  destination: StockHolderId;
  units: Units;
  version: Version;
  previous: Version;
}

const transferOf = (row: TransferRow): Transfer => ({
  incarnation: row.incarnation,
  from: row.source,
  fromIncarnation: row.source_incarnation,
  to: row.hop,
  destination: row.destination,
  units: row.units,
  version: row.version,
  previous: row.previous,
});

interface StateRow {
  peer_incarnation: Incarnation;
  incarnation: Incarnation | null;
  version: Version;
  available: Units;
  sold: Units;
  cancelled: Units;
  missed: Units;
  missed_max: Units;
  received: Units;
  command_term: number;
  command_sequence: number;
  sent: Partial<Record<StockHolderId, Units>>;
  received_versions: Partial<Record<StockHolderId, Version>>;
  owed: Units | null;
  allocatable: Units | null;
  supplied: Units | null;
  target: Units | null;
}

function stateOf(row: StateRow): ShardState {
  const { owed, allocatable, supplied, target } = row;
  const isPool = owed !== null && allocatable !== null && supplied !== null && target !== null;
  return {
    peerIncarnation: row.peer_incarnation,
    incarnation: row.incarnation ?? undefined,
    version: row.version,
    available: row.available,
    sold: row.sold,
    cancelled: row.cancelled,
    missed: row.missed,
    missedMax: row.missed_max,
    sent: row.sent,
    received: row.received,
    receivedVersions: row.received_versions,
    command: { term: row.command_term, sequence: row.command_sequence },
    ...(isPool ? { pool: { owed, allocatable, supplied, target } } : {}),
  };
}

interface EventRow {
  incarnation: Incarnation;
  self: ShardId;
  version: Version;
  kind: OrderEventKind;
  token: TokenId;
  buyer: BuyerId;
  quantity: Units;
  payment_id: string | null;
  at_ms: Millis;
}

const eventOf = (row: EventRow): OrderEvent => ({
  incarnation: row.incarnation,
  order: orderId(row.self, row.token),
  shard: row.self,
  version: row.version,
  kind: row.kind,
  buyer: row.buyer,
  quantity: row.quantity,
  ...(row.payment_id === null ? {} : { paymentId: row.payment_id }),
  at: row.at_ms,
});

export function connectAgentShard(address: DatabaseAddress, password: string, options: Options = {}): AgentShard {
  const database = new Database(address, 'owner', password, { timeout: 10_000, ...options });
  return {
    migrate: () => migrate(address, password),
    async join(incarnation, self, peerIncarnation, epochs) {
      await database.rows('join_sale', 'SELECT flashsale.join_sale($1, $2, $3, $4, $5)', [
        incarnation,
        self,
        peerIncarnation,
        epochs.map((e) => e.node),
        epochs.map((e) => e.epoch),
      ]);
    },
    async state() {
      const [row] = await database.rows<StateRow>('state', 'SELECT * FROM flashsale.state');
      if (!row) throw new TypeError('the view state has one row');
      return stateOf(row);
    },
    async execute({ incarnation, term, sequence, legs }) {
      const rows = await database.rows<TransferRow>('execute', 'SELECT * FROM flashsale.execute($1, $2, $3, $4, $5)', [
        incarnation,
        term,
        sequence,
        legs.map((l) => l.destination),
        legs.map((l) => l.units),
      ]);
      return rows.map(transferOf);
    },
    async receive(t) {
      const [row] = await database.rows<{ applied: boolean } & { [K in keyof TransferRow]: TransferRow[K] | null }>(
        'receive',
        'SELECT r.applied, (r.forwarded).* FROM flashsale.receive($1, $2, $3, $4, $5, $6, $7, $8) r',
        [t.incarnation, t.from, t.fromIncarnation, t.to, t.destination, t.units, t.version, t.previous],
      );
      if (!row) throw new TypeError('receive() answers one row');
      return { applied: row.applied, forwarded: row.version === null ? [] : [transferOf(row as TransferRow)] };
    },
    async transfersTo(hop, above, limit) {
      const rows = await database.rows<TransferRow>(
        'transfers_to',
        'SELECT * FROM flashsale.transfers_to($1, $2, $3)',
        [hop, above, limit],
      );
      return rows.map(transferOf);
    },
    async orderEvents(limit) {
      const rows = await database.rows<EventRow>('order_events', 'SELECT * FROM flashsale.order_events($1)', [limit]);
      return rows.map(eventOf);
    },
    async relayed(upTo) {
      await database.rows('relayed', 'SELECT flashsale.relayed($1)', [upTo]);
    },
    async cancelOverdue(limit) {
      return (await database.value<number>('cancel_overdue', 'SELECT flashsale.cancel_overdue($1)', [limit])) ?? 0;
    },
    close: () => database.close(),
  };
}

/** Connects as whoever exports orders. A page may take long: it reads rows that no cache holds any more. */
export function connectOrdersReader(address: DatabaseAddress, password: string, options: Options = {}): OrdersReader {
  const database = new Database(address, 'audit', password, { timeout: 60_000, connections: 1, ...options });
  return {
    async ordersPage(after, limit, { buyer, since }) {
      const page = await database.value<Omit<OrdersPage, 'incarnation'> & { incarnation: Incarnation | null }>(
        'orders_page',
        'SELECT flashsale.orders_page($1, $2, $3, $4)',
        [after, limit, buyer ?? null, since === undefined ? null : new Date(since)],
      );
      if (!page) throw new TypeError('orders_page() answers one document');
      const { incarnation, orders, upTo, more } = page;
      return { incarnation: incarnation ?? undefined, orders, upTo, more };
    },
    close: () => database.close(),
  };
}

export function connectOperatorShard(address: DatabaseAddress, password: string, options: Options = {}): OperatorShard {
  const database = new Database(address, 'operator', password, { connections: 1, ...options });
  return {
    outboxBacklog: async () =>
      (await database.value<number>('outbox_backlog', 'SELECT flashsale.outbox_backlog()', [])) ?? 0,
    close: () => database.close(),
  };
}
