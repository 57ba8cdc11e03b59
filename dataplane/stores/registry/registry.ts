// The typed way to talk to the registry in the pool's database: what the whole sale must agree on. One method per
// SQL function; decides nothing. Each call that writes carries the incarnation of the sale it is meant for, and rejects
// with WrongIncarnation when the registry is another one's.

import type { Epoch, Incarnation, NodeId, ShardId, Units } from '../../protocol/units.ts';

export interface RegistryNode {
  id: NodeId;
  epoch: Epoch;
  /** The lifetime totals of units granted to the node and revoked from it. */
  granted: Units;
  revoked: Units;
  /** True when the pool's agent could reach the node the last time. Grants go only to reachable nodes. */
  reachable: boolean;
}

export interface RegistryShard {
  id: ShardId;
  shardIncarnation: Incarnation;
  /** True when the nodes' epochs are copied to the shard, so that it may be used. */
  joined: boolean;
  /** The lifetime total of the shard's cancelled units, as its own agent told it. */
  cancelled: Units;
  /** Of those, the ones that became virtual stock again. */
  credited: Units;
}

/**
 * The steps of a resize (protocol: "Changing the number of cache nodes"). The pool's agent drives them, and each is
 * idempotent:
 * none → draining (every identity paused, live tokens end, leaving nodes revoked to zero)
 *      → rebuilding (new layout number and count are in force; nodes rebuild their buyers and take the identity) → none.
 */
export type ResizeStep = 'none' | 'draining' | 'rebuilding';

/** Units that each leaving node still accounts for: granted − revoked. */
export type HeldUnits = Partial<Record<NodeId, Units>>;

export interface RegistryView {
  incarnation: Incarnation;
  /** The generation of the last set_supply. */
  generation: number;
  target: Units;
  supplied: Units;
  owed: Units;
  layout: number;
  /** Nodes c0 … c(count−1) take purchases. */
  count: number;
  /** What the resource asks for. A resize that runs is not diverted by it; another one may follow. */
  wantedCount: number;
  resize: ResizeStep;
  /** Where the resize goes that runs; null: none runs. */
  resizingTo: number | null;
  /** By the resource. An identity is paused when this or a resize asks for it. */
  paused: boolean;
  /** The newest balancer's. No command of a higher one can be genuine. */
  term: number;
  nodes: RegistryNode[];
  shards: RegistryShard[];
}

/**
 * The calls of the operator and the local driver (database role flashsale_operator), which write what is wanted and
 * drive nothing.
 */
export interface OperatorRegistry {
  read(): Promise<RegistryView | undefined>;
  /** Absolute; refused (false) when generation ≤ the last. Raises at once; a reduction is carried out by the pool's agent. */
  setSupply(incarnation: Incarnation, generation: number, target: Units): Promise<boolean>;
  /** Refused (false) when another wish had a newer generation. */
  setPaused(incarnation: Incarnation, generation: number, paused: boolean): Promise<boolean>;
  /** The node rows are made at once; the pool's agent does the rest. The first call sets the layout without a resize. False as above. */
  wantNodes(incarnation: Incarnation, generation: number, count: number): Promise<boolean>;
  /** A balancer's term: higher than any before. */
  nextTerm(): Promise<number>;
  close(): Promise<void>;
}

/** The calls of cache agents (database role flashsale_cache). */
export interface CacheRegistry {
  read(): Promise<RegistryView | undefined>;
  /** Compare and set `from` → `from + 1`; undefined: somebody else was first. */
  raiseEpoch(incarnation: Incarnation, node: NodeId, from: Epoch): Promise<Epoch | undefined>;
  close(): Promise<void>;
}

/** The calls of shard agents and the pool's agent (database role flashsale_owner). */
export interface AgentRegistry extends CacheRegistry {
  /** Makes the registry's one sale row with a fresh incarnation, unless there is one. */
  initialize(): Promise<void>;
  /** A shard enters first, then copies the epochs, then is used. */
  enterShard(incarnation: Incarnation, id: ShardId, shardIncarnation: Incarnation): Promise<void>;
  shardJoined(incarnation: Incarnation, id: ShardId): Promise<void>;
  setReachable(incarnation: Incarnation, node: NodeId, reachable: boolean): Promise<void>;
  /**
   * Books `revokedTotal − revoked` of `node`, from its current epoch only; pays what a lowered supply is owed
   * (min(x, max(0, supplied − owed − target))), grants the rest to `grantTo`; one transaction. Books nothing when
   * `grantTo` is outside the layout or about to leave it.
   */
  book(
    incarnation: Incarnation,
    node: NodeId,
    epoch: Epoch,
    revokedTotal: Units,
    grantTo: NodeId,
  ): Promise<{ booked: Units; owed: Units; granted: Units }>;
  /**
   * Tells the lifetime total of cancelled units from the shard's own database. It only rises; the total of another
   * database than the one that entered changes nothing.
   */
  tellCancelled(incarnation: Incarnation, id: ShardId, shardIncarnation: Incarnation, total: Units): Promise<void>;
  /**
   * Cancelled units of a shard become virtual stock of `node`: those that were told and not credited before; nothing
   * when the node is outside the layout or about to leave it.
   */
  credit(incarnation: Incarnation, shard: ShardId, node: NodeId): Promise<Units>;
  /** Pays `owed` out of the pool's own stock by a negative supply row; answers the units paid. */
  payOwed(incarnation: Incarnation): Promise<Units>;
  /**
   * Moves a resize on; compare and set of the layout and the step, so that two agents agree, and one that was held up
   * since an earlier resize does nothing. `held`: granted − revoked of each leaving node, as it was seen when it had
   * nothing more to give back; another total in the registry refuses the end of draining.
   */
  resize(incarnation: Incarnation, layout: number, from: ResizeStep, to: ResizeStep, held: HeldUnits): Promise<boolean>;
}
