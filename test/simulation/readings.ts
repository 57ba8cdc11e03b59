// What the real audit would read from the stores of a run, at one instant.

import { nodeNumber, type StockHolderId, type Units } from '../../dataplane/protocol/units.ts';
import type { NodeReading, Readings, ShardReading } from '../../operator/audit/check.ts';
import type { SaleRow } from '../models/registry.ts';
import type { ShardModel } from '../models/shard.ts';
import type { NodePlace } from './stores.ts';
import type { World } from './world.ts';

export function readingsOf(world: World, sale: SaleRow): Readings {
  const { stores, scenario } = world;
  const { registry } = stores.pool.model;
  const readable = [...stores.nodes.values()].filter((node) => isTrusted(world, node));
  return {
    registry: {
      supplied: sale.supplied,
      owed: sale.owed,
      count: sale.count,
      nodes: [...registry.nodes.values()],
      credited: Object.fromEntries([...registry.shards.values()].map(({ id, credited }) => [id, credited])),
    },
    shards: [
      shardReading('pool', stores.pool.model),
      ...[...stores.shards.values()].map(({ id, model }) => shardReading(id, model)),
    ],
    nodes: readable.map(nodeReading),
    // The others are counted by what the registry granted them.
    unread: [],
    perBuyer: scenario.perBuyer,
  };
}

/** Its data is what it says: it is in the layout of this sale, and what it holds was not rolled back by a restart. */
export function isTrusted({ stores, scenario, incarnation }: World, { id, model }: NodePlace): boolean {
  const { identity, recoveredIn } = model.data;
  const { sale } = stores.pool.model.registry;
  if (!identity || !sale || identity.incarnation !== incarnation || nodeNumber(id) >= sale.count) return false;
  return scenario.durability === 'Always' || recoveredIn === model.run;
}

function shardReading(peer: StockHolderId, { ledger, orders, available, version }: ShardModel): ShardReading {
  const { rows } = ledger;
  const sum = (kind: string): Units => rows.reduce((total, row) => total + (row.kind === kind ? row.delta : 0), 0);
  const transfers = (kind: string) =>
    rows.flatMap(({ kind: found, peer: hop, destination, delta, version: own, peerVersion }) =>
      found === kind && hop && destination
        ? [{ peer: hop, destination, units: Math.abs(delta), version: peerVersion ?? own }]
        : [],
    );
  return {
    peer,
    available,
    version,
    ledger: {
      rows: rows.length,
      lowest: rows[0]?.version ?? 0,
      highest: rows.at(-1)?.version ?? 0,
      sum: rows.reduce((total, row) => total + row.delta, 0),
      orders: sum('order'),
      cancels: sum('cancel'),
      supply: sum('supply'),
    },
    sold: [...orders.rows.values()].reduce((n, { status, quantity }) => n + (status === 'cancelled' ? 0 : quantity), 0),
    orders: [...orders.rows.values()].map(({ token, buyer, quantity, node, status }) => ({
      ...{ token, buyer, quantity, node },
      cancelled: status === 'cancelled',
    })),
    out: transfers('transfer_out'),
    in: transfers('transfer_in'),
  };
}

function nodeReading({ id, model }: NodePlace): NodeReading {
  const { identity, virtual, granted, revoked, pinned, returnedUnits } = model.data;
  return {
    node: id,
    epoch: identity?.epoch ?? 0,
    ...{ virtual, granted, revoked, returnedUnits },
    live: model.live().map((token) => ({ id: token.id, shard: token.shard, quantity: token.quantity })),
    pinned: Object.fromEntries(pinned),
  };
}
