// The rows of the databases beside the rows of the models.

import { expect } from 'vitest';
import type { StockHolderId } from '../../../dataplane/protocol/units.ts';
import type { OrderRow } from '../../models/shard-orders.ts';
import { HOLDERS, type World } from '../../models/shard-world.ts';
import { type TestShard, wrongWith } from './fixture.ts';

/** Compares every row of the databases with the models; for the end of a run, because it takes long. */
export async function compareRows(world: World, databases: ReadonlyMap<StockHolderId, TestShard>): Promise<void> {
  for (const [id, { sql, cache, agent }] of databases) {
    const model = world.model(id);
    const orders = await sql.query(
      'SELECT token, buyer, quantity::int, node, status, payment_id FROM orders ORDER BY token',
    );
    expect(orders.rows).toEqual([...model.orders.rows.values()].sort(byToken).map(columnsOf));
    const fences = await sql.query('SELECT node, epoch::int, low_watermark::int FROM nodes ORDER BY node');
    expect(fences.rows).toEqual(
      [...model.fences.rows]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([node, { epoch, lowWatermark }]) => ({ node, epoch, low_watermark: lowWatermark })),
    );
    if (model.incarnation !== undefined) {
      expect(await cache.orderedByBuyer(model.incarnation)).toEqual(model.orderedByBuyer(model.incarnation));
      for (const hop of HOLDERS) expect(await agent.transfersTo(hop, 0, 1000)).toEqual(model.transfersTo(hop, 0, 1000));
    }
    const ledger = await sql.query(`SELECT version::int, kind, delta::int, previous::int, peer_version::int,
        CASE kind WHEN 'cancel' THEN '' ELSE ref END AS ref, peer, destination, payment_id
        FROM ledger WHERE kind <> 'cancel' ORDER BY version`);
    expect(ledger.rows).toEqual(
      model.ledger.rows
        .filter(({ kind }) => kind !== 'cancel')
        .map((row) => ({
          version: row.version,
          kind: row.kind,
          delta: row.delta + 0,
          previous: row.previous ?? null,
          peer_version: row.peerVersion ?? null,
          ref: row.ref,
          peer: row.peer ?? null,
          destination: row.destination ?? null,
          payment_id: row.paymentId ?? null,
        })),
    );
    const relay = await sql.query<{ version: number }>('SELECT version::int FROM relay');
    expect(relay.rows[0]?.version).toBe(model.relayedUpTo);
    expect(await wrongWith(sql)).toEqual([]);
  }
}

const byToken = (a: { token: string }, b: { token: string }) => (a.token < b.token ? -1 : 1);

const columnsOf = ({ token, buyer, quantity, node, status, paymentId }: OrderRow) => ({
  ...{ token, buyer, quantity, node, status },
  payment_id: paymentId ?? null,
});
