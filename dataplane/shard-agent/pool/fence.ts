// Fences a leaving node that cannot be asked: gives up its live tokens, and takes over what it had not sold. These are
// the first steps of a recovery, without the node. Its row in the registry stays, with everything revoked that was
// never ordered.

import type { Epoch, Incarnation, NodeId, ShardId, Units } from '../../protocol/units.ts';
import type { AgentRegistry } from '../../stores/registry/registry.ts';
import type { CacheShard } from '../../stores/shard/shard.ts';

/** A node that nothing can be sold through any more, as of this epoch. */
export interface Fenced {
  epoch: Epoch;
  /** Units ever ordered through it: what it accounts for once the rest is booked. */
  ordered: Units;
}

/**
 * `connect` opens a connection to a shard, and answers undefined where the configuration does not say where the shard
 * is. Undefined: another one raised the epoch first, look again. Rejects when a shard cannot be asked: then the fence
 * is not complete and is tried again whole.
 */
export async function fenceNode(
  registry: Pick<AgentRegistry, 'read' | 'raiseEpoch' | 'book'>,
  connect: (id: ShardId) => CacheShard | undefined,
  incarnation: Incarnation,
  node: NodeId,
  from: Epoch,
  recipient: NodeId,
): Promise<Fenced | undefined> {
  const epoch = await registry.raiseEpoch(incarnation, node, from);
  if (epoch === undefined) return undefined;
  // Only now: a shard that enters the registry later copies the raised epoch.
  const view = await registry.read();
  const granted = view?.nodes.find(({ id }) => id === node)?.granted;
  if (view?.incarnation !== incarnation || granted === undefined)
    throw new Error(`the registry does not know ${node} any more`);
  const clients = view.shards.map(({ id }) => connectTo(connect, id));
  try {
    for (const client of clients) await client.raiseEpoch(incarnation, node, epoch);
    let ordered = 0;
    for (const client of clients) ordered += await client.orderedThrough(incarnation, node);
    await registry.book(incarnation, node, epoch, granted - ordered, recipient);
    return { epoch, ordered };
  } finally {
    await Promise.all(clients.map((client) => client.close()));
  }
}

function connectTo(connect: (id: ShardId) => CacheShard | undefined, id: ShardId): CacheShard {
  const client = connect(id);
  if (!client) throw new Error(`${id} is a shard of the sale, but the configuration does not say where it is`);
  return client;
}
