// What the real audit would read from the stores of a run, at one instant.

import { nodeNumber, type Units } from '../../dataplane/protocol/units.ts';
import type { NodeReading, Readings, ShardReading } from '../../operator/audit/check.ts';
import type { NodeModel } from './model/node.ts';
import type { ShardModel } from './model/shard.ts';
import type { World } from './world.ts';

export function readingsOf(world: World): Readings {
  const { registry, shards, nodes, scenario } = world;
  const readable = [...nodes.values()].filter((node) => isTrusted(world, node));
  return {
    registry: {
      supplied: registry.supplied,
      owed: registry.owed,
      nodes: [...registry.nodes.values()],
      credited: Object.fromEntries([...registry.shards.values()].map(({ id, credited }) => [id, credited])),
    },
    shards: [registry, ...shards.values()].map(shardReading),
    nodes: readable.map(nodeReading),
    // The others are counted by what the registry granted them.
    unread: [],
    perBuyer: scenario.perBuyer,
  };
}

/** Its data is what it says: it is in the layout, and what it holds was not rolled back by a restart. */
export function isTrusted({ registry, scenario }: World, node: NodeModel): boolean {
  const { identity, recoveredIn } = node.data;
  if (!identity || nodeNumber(node.id) >= registry.count) return false;
  return scenario.durability === 'Always' || recoveredIn === node.run;
}

function shardReading(shard: ShardModel): ShardReading {
  const { ledger } = shard;
  const sum = (kind: string): Units => ledger.reduce((total, row) => total + (row.kind === kind ? row.delta : 0), 0);
  const transfers = (kind: string) =>
    ledger.flatMap(({ kind: found, peer, destination, delta, version, peerVersion }) =>
      found === kind && peer && destination
        ? [{ peer, destination, units: Math.abs(delta), version: peerVersion ?? version }]
        : [],
    );
  return {
    peer: shard.peer,
    available: shard.available,
    version: shard.version,
    ledger: {
      rows: ledger.length,
      lowest: ledger[0]?.version ?? 0,
      highest: ledger.at(-1)?.version ?? 0,
      sum: ledger.reduce((total, row) => total + row.delta, 0),
      orders: sum('order'),
      cancels: sum('cancel'),
      supply: sum('supply'),
    },
    orders: [...shard.orders.values()].map(({ token, buyer, quantity, node, status }) => ({
      ...{ token, buyer, quantity, node },
      cancelled: status === 'cancelled',
    })),
    out: transfers('transfer_out'),
    in: transfers('transfer_in'),
  };
}

function nodeReading({ id, data }: NodeModel): NodeReading {
  return {
    node: id,
    epoch: data.identity?.epoch ?? 0,
    virtual: data.virtual,
    granted: data.granted,
    revoked: data.revoked,
    live: [...data.tokens.values()]
      .filter(({ state }) => state === 'live')
      .map((token) => ({ id: token.id, shard: token.shard, quantity: token.quantity })),
    pinned: Object.fromEntries(data.pinned),
    returnedUnits: data.returnedUnits,
  };
}
