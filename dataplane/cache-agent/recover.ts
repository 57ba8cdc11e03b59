// Recovers a cache node: gives it numbers it can sell by, whatever it lost (protocol: "Losing a cache node";
// R32). The old epoch's tokens cannot sell any more, and what was ordered is read from the shards, where orders
// are. A brand-new node and a node under a new layout are recovered the same way: nothing was ordered through the one,
// and no token is live on the other.
//
// A recovery may be cut off anywhere and begun again, and two at once are safe: the epoch is taken by compare-and-set,
// the flush requires it to be the newest, and everything after requires the flush's mark. It turns no user on.

import { ownerNode } from '../protocol/owner-node.ts';
import type { BuyerId, Epoch, NodeId, ShardId, Units } from '../protocol/units.ts';
import type { AgentNode, NodeIdentity } from '../stores/cache-node/cache-node.ts';
import type { CacheRegistry, RegistryView } from '../stores/registry/registry.ts';
import type { CacheShard } from '../stores/shard/shard.ts';
import { modeOf } from './decide.ts';

export interface RecoveryDeps {
  self: NodeId;
  node: Pick<AgentNode, 'beginRecovery' | 'recoverBuyers' | 'endRecovery'>;
  registry: Pick<CacheRegistry, 'read' | 'raiseEpoch'>;
  /** Returns undefined when the configuration does not know the shard's address yet. */
  shard(id: ShardId): CacheShard | undefined;
  /**
   * Is called after each of the steps 1 to 5, where a test may end the process. Step 5 is before the identity is
   * written.
   */
  passed(step: 1 | 2 | 3 | 4 | 5): void;
}

/** With `overtaken`, another recovery of this node is newer, and will finish. */
export type RecoveryOutcome = { kind: 'recovered'; epoch: Epoch; virtual: Units } | { kind: 'overtaken' };

/** Is thrown when a recovery cannot begin yet. Nothing was done; the message says what it waits for. */
export class NotReady extends Error {
  override name = 'NotReady';
}

const BUYERS_AT_ONCE = 500;

/**
 * Recovers the node. Rejects when a store fails to answer (StoreUnknown) or is not there yet (NotReady); it may be
 * called again.
 */
export async function recover(deps: RecoveryDeps): Promise<RecoveryOutcome> {
  const { self, node, registry } = deps;
  const before = await read(deps);
  // The shards are looked at first: an epoch raised for nothing does no harm, but voids what the last one left.
  await shardsOf(deps, before);

  const epoch = await registry.raiseEpoch(before.incarnation, self, rowOf(deps, before).epoch);
  if (epoch === undefined) return { kind: 'overtaken' };
  deps.passed(1);
  // After the epoch: what was booked or credited under the old one is in here, and nothing more can be.
  const view = await read(deps);
  if (view.incarnation !== before.incarnation) return { kind: 'overtaken' };
  const { granted, revoked } = rowOf(deps, view);

  const { incarnation } = view;
  if (!(await node.beginRecovery(incarnation, epoch))) return { kind: 'overtaken' };
  deps.passed(2);

  const shards = await shardsOf(deps, view);
  await Promise.all(shards.map((shard) => shard.raiseEpoch(incarnation, self, epoch)));
  deps.passed(3);

  // Only now are these numbers final: every shard refuses what the old epoch left under way.
  const ordered = sum(await Promise.all(shards.map((shard) => shard.orderedThrough(incarnation, self))));
  const buyers = merge(await Promise.all(shards.map((shard) => shard.orderedByBuyer(incarnation))), (buyer) =>
    isOwner(self, buyer, view),
  );
  deps.passed(4);

  for (let i = 0; i < buyers.length; i += BUYERS_AT_ONCE)
    if (!(await node.recoverBuyers(incarnation, epoch, buyers.slice(i, i + BUYERS_AT_ONCE))))
      return { kind: 'overtaken' };
  deps.passed(5);

  const mode = modeOf(view);
  const { layout, count } = view;
  const identity: NodeIdentity = { incarnation, node: self, epoch, layout, count, paused: mode !== 'selling' };
  if (!(await node.endRecovery(identity, mode, { granted, revoked, ordered }))) return { kind: 'overtaken' };
  return { kind: 'recovered', epoch, virtual: granted - revoked - ordered };
}

async function read({ registry }: RecoveryDeps): Promise<RegistryView> {
  const view = await registry.read();
  if (view === undefined) throw new NotReady('the registry has no sale yet');
  return view;
}

function rowOf({ self }: RecoveryDeps, view: RegistryView) {
  const row = view.nodes.find(({ id }) => id === self);
  if (row === undefined) throw new NotReady(`the registry does not know ${self}`);
  return row;
}

/** Returns every shard that the registry names, each of which has joined this sale. */
async function shardsOf({ shard }: RecoveryDeps, view: RegistryView): Promise<CacheShard[]> {
  return Promise.all(
    view.shards.map(async ({ id }) => {
      const client = shard(id);
      if (client === undefined) throw new NotReady(`the address of shard ${id} is not known yet`);
      const { incarnation } = await client.info();
      if (incarnation !== view.incarnation) throw new NotReady(`shard ${id} has not joined the sale`);
      return client;
    }),
  );
}

const isOwner = (self: NodeId, buyer: BuyerId, { count }: RegistryView): boolean => ownerNode(buyer, count) === self;

const sum = (units: Units[]): Units => units.reduce((a, b) => a + b, 0);

function merge(shards: Map<BuyerId, Units>[], mine: (buyer: BuyerId) => boolean): [BuyerId, Units][] {
  const total = new Map<BuyerId, Units>();
  for (const shard of shards)
    for (const [buyer, units] of shard) if (mine(buyer)) total.set(buyer, (total.get(buyer) ?? 0) + units);
  return [...total];
}
