// Reads the databases for the audit: one snapshot each, all brought to a consistent cut (cut.ts). Reads only, as the
// role that may only read.

import pg from 'pg';
import type { Address, SaleConfig } from '../../dataplane/protocol/config.ts';
import { databaseRole } from '../../dataplane/protocol/config.ts';
import type { NodeId, ShardId, StockHolderId, Version } from '../../dataplane/protocol/units.ts';
import type { OrderRow, RegistryReading, ShardReading, TransferRow } from './check.ts';
import { consistentCut, type LedgerEnds } from './cut.ts';

const number = (value: unknown): number => Number(value ?? 0);

interface TransferColumns {
  kind: 'transfer_in' | 'transfer_out';
  version: string;
  delta: string;
  peer: StockHolderId;
  destination: StockHolderId;
  peer_version: string | null;
}

class Snapshot {
  readonly peer: StockHolderId;
  private readonly client: pg.Client;
  private transfers: TransferColumns[] = [];
  version: Version = 0;

  constructor(peer: StockHolderId, at: Address & { database: string }, password: string) {
    this.peer = peer;
    this.client = new pg.Client({
      host: at.host,
      port: at.port,
      database: at.database,
      user: databaseRole('audit'),
      password,
      connectionTimeoutMillis: 5000,
      options: '-c search_path=flashsale -c statement_timeout=60000',
    });
    this.client.on('error', () => undefined);
  }

  async open(): Promise<void> {
    await this.client.connect();
    await this.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    this.version = number((await this.client.query<{ version: string }>('SELECT version FROM stock')).rows[0]?.version);
    const { rows } = await this.client.query<TransferColumns>(
      "SELECT kind, version, delta, peer, destination, peer_version FROM ledger WHERE kind IN ('transfer_in', 'transfer_out')",
    );
    this.transfers = rows;
  }

  /** The transfers that it has sent, as `hop@version`. */
  get sendings(): Set<string> {
    return new Set(
      this.transfers.flatMap((t) => (t.kind === 'transfer_out' ? [`${t.peer}@${number(t.version)}`] : [])),
    );
  }

  get receipts() {
    return this.transfers
      .filter((t) => t.kind === 'transfer_in')
      .map((t) => ({ version: number(t.version), from: t.peer, sent: number(t.peer_version) }));
  }

  async readAt(cut: Version): Promise<ShardReading> {
    const of = (kind: TransferColumns['kind']): TransferRow[] =>
      this.transfers
        .filter((t) => t.kind === kind && number(t.version) <= cut)
        .map((t) => ({
          peer: t.peer,
          destination: t.destination,
          units: Math.abs(number(t.delta)),
          version: number(kind === 'transfer_out' ? t.version : t.peer_version),
        }));
    const { rows } = await this.client.query<Record<string, string | null>>(
      `SELECT count(*) AS rows, min(version) AS lowest, max(version) AS highest, sum(delta) AS sum,
              sum(delta) FILTER (WHERE kind = 'order') AS orders, sum(delta) FILTER (WHERE kind = 'cancel') AS cancels,
              sum(delta) FILTER (WHERE kind = 'supply') AS supply
         FROM ledger WHERE version <= $1`,
      [cut],
    );
    const sums = rows[0] ?? {};
    const orders = await this.client.query<{
      token: string;
      buyer: string;
      quantity: string;
      node: NodeId;
      cancelled: boolean;
    }>(
      `SELECT o.token, o.buyer, o.quantity, o.node,
              EXISTS (SELECT FROM ledger c WHERE c.kind = 'cancel' AND c.ref = o.token AND c.version <= $1) AS cancelled
         FROM orders o JOIN ledger l ON l.kind = 'order' AND l.ref = o.token AND l.version <= $1`,
      [cut],
    );
    // Orders without a ledger row must be seen too: only those that the cut leaves out are dropped.
    const strays = await this.client.query<{ token: string; buyer: string; quantity: string; node: NodeId }>(
      `SELECT token, buyer, quantity, node FROM orders o
        WHERE NOT EXISTS (SELECT FROM ledger l WHERE l.kind = 'order' AND l.ref = o.token)`,
    );
    const row = (o: {
      token: string;
      buyer: string;
      quantity: string;
      node: NodeId;
      cancelled?: boolean;
    }): OrderRow => ({
      token: o.token,
      buyer: o.buyer,
      quantity: number(o.quantity),
      node: o.node,
      cancelled: o.cancelled ?? false,
    });
    const stock = await this.client.query<{ available: string; version: string; sold: string }>(
      `SELECT available, version, (SELECT coalesce(sum(quantity), 0) FROM orders WHERE status <> 'cancelled') AS sold
         FROM stock`,
    );
    const current = number(stock.rows[0]?.version) === cut;
    return {
      peer: this.peer,
      available: current ? number(stock.rows[0]?.available) : number(sums.sum),
      version: cut,
      ledger: {
        rows: number(sums.rows),
        lowest: number(sums.lowest),
        highest: number(sums.highest),
        sum: number(sums.sum),
        orders: number(sums.orders),
        cancels: number(sums.cancels),
        supply: number(sums.supply),
      },
      sold: number(stock.rows[0]?.sold),
      orders: [...orders.rows, ...strays.rows].map(row),
      out: of('transfer_out'),
      in: of('transfer_in'),
    };
  }

  async registry(): Promise<RegistryReading> {
    const sale = await this.client.query<{ supplied: string; owed: string; count: number }>(
      'SELECT supplied, owed, count FROM sale',
    );
    const nodes = await this.client.query<{ node: NodeId; epoch: string; granted: string; revoked: string }>(
      'SELECT node, epoch, granted, revoked FROM registry_nodes ORDER BY number',
    );
    const shards = await this.client.query<{ shard: ShardId; credited: string }>(
      'SELECT shard, credited FROM registry_shards',
    );
    return {
      supplied: number(sale.rows[0]?.supplied),
      owed: number(sale.rows[0]?.owed),
      count: sale.rows[0]?.count ?? 0,
      nodes: nodes.rows.map((n) => ({
        id: n.node,
        epoch: number(n.epoch),
        granted: number(n.granted),
        revoked: number(n.revoked),
      })),
      credited: Object.fromEntries(shards.rows.map((s) => [s.shard, number(s.credited)])),
    };
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

/** Every database at one consistent cut, and the registry as its database's snapshot has it. */
export async function readShards(
  config: SaleConfig,
  password: string,
): Promise<{ shards: ShardReading[]; registry: RegistryReading }> {
  const databases = [
    ...config.shards.map((s) => ({ peer: s.id, open: () => new Snapshot(s.id, s, password) })),
    { peer: 'pool' as const, open: () => new Snapshot('pool', config.pool, password) },
  ];
  const snapshots = databases.map(({ open }) => open());
  const pool = snapshots[snapshots.length - 1] as Snapshot;
  const later: Snapshot[] = [];
  /** What a stock holder has sent by now: a receiver's snapshot may be the younger one. */
  const sentByNow = async (peer: StockHolderId): Promise<Set<string>> => {
    const again = databases.find((each) => each.peer === peer)?.open();
    if (!again) return new Set();
    later.push(again);
    await again.open();
    return again.sendings;
  };
  try {
    // The pool last: the registry's totals are then no older than what the shards hold.
    for (const snapshot of snapshots) await snapshot.open();
    const cut = consistentCut(await withoutForged(snapshots, sentByNow));
    const shards = [];
    for (const snapshot of snapshots) shards.push(await snapshot.readAt(cut.get(snapshot.peer) ?? 0));
    return { shards, registry: await pool.registry() };
  } finally {
    await Promise.all([...snapshots, ...later].map((s) => s.close()));
  }
}

/**
 * Leaves out the receipts that nobody sent. A cut that waited for their sending would take the receiver back to before
 * them, and with it everything that was sold since, so that nobody would see it.
 */
async function withoutForged(
  snapshots: readonly Snapshot[],
  sentByNow: (peer: StockHolderId) => Promise<Set<string>>,
): Promise<LedgerEnds[]> {
  const sent = new Map(snapshots.map((s) => [s.peer, s.sendings]));
  const asked = new Set<StockHolderId>();
  const ends: LedgerEnds[] = [];
  for (const { peer, version, receipts } of snapshots) {
    const genuine = [];
    for (const receipt of receipts) {
      const name = `${peer}@${receipt.sent}`;
      if (!sent.get(receipt.from)?.has(name) && !asked.has(receipt.from)) {
        asked.add(receipt.from);
        sent.set(receipt.from, await sentByNow(receipt.from));
      }
      if (sent.get(receipt.from)?.has(name)) genuine.push(receipt);
    }
    ends.push({ peer, version, receipts: genuine });
  }
  return ends;
}
