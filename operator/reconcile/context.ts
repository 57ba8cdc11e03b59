// What a reconcile of one sale works with: what all sales share, and what is remembered of this one.

import type { ShardConfig } from '../../dataplane/protocol/config.ts';
import type { Millis, ShardId } from '../../dataplane/protocol/units.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import type { OperatorShard } from '../../dataplane/stores/shard/shard.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type TrafficReader, trafficReader } from '../console/read-traffic.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Recorder } from '../kube/events.ts';
import type { OperatorOptions } from '../manifests/options.ts';
import type { Topology } from '../topology/topology.ts';
import { Attempts } from './attempts.ts';
import type { InformerCache, SaleKey } from './informer-cache.ts';
import type { Observed } from './observed.ts';
import { ReferenceReader } from './references.ts';
import { RefusalReader } from './refusals.ts';
import type { SaleSession } from './sale-session.ts';

/** What the reconciles of all sales share. */
export interface ReconcileContext {
  /** The API server, for every write, and for the few reads that the cache cannot answer. */
  client: KubeClient;
  /** The sales and their objects as the watches have shown them; they may be a little old. */
  cache: InformerCache;
  /** Writes the Events that `kubectl describe` shows beside a sale. */
  events: Recorder;
  /** What the operator's owner has set for all sales: images, a default Kafka, where pods may run. */
  options: OperatorOptions;
  /** Connects to a shard's database as the operator. */
  connectShard(shard: ShardConfig, password: string): OperatorShard;
  /** The operator's log. */
  log: Logger;
  /** Returns what is remembered of a sale, made when it is first asked for. */
  state(key: SaleKey): SaleState;
  /** Ends what is kept open for a sale and drops what is remembered of it. */
  forget(key: SaleKey): Promise<void>;
  /** The time since 1970, for statuses and Events, which people read. */
  wall(): Millis;
  /** The time of a clock that never goes back, for waits. */
  now(): Millis;
}

/** What the operator remembers of a sale from one reconcile to the next. Losing it costs a little work and no stock. */
export interface SaleState {
  /** The connection to the sale's registry, and its balancer. */
  readonly session: SaleSession;
  /** Work that may take long and that no reconcile waits for. */
  readonly attempts: Attempts;
  /** The Secrets and ConfigMaps that the sale names. */
  readonly references: ReferenceReader;
  /** Why the sale's StatefulSets do not get their pods. */
  readonly refusals: RefusalReader;
  /** The storefronts' own metrics, for the console. They are asked only while somebody watches. */
  readonly traffic: TrafficReader;
  /** The uid of the pod that had its roles and database made, by stock holder: a pod that was replaced is looked at again. */
  readonly provisioned: Map<string, string>;
  /** Of a sale that is being deleted: how many order events each shard was last known to have left. */
  readonly outboxes: Map<ShardId, number>;
  /** When the outboxes of a sale that is being deleted were done with, by the clock that never goes back. */
  drainedAt: Millis | undefined;
  /** How many reconciles in a row left something to wait for. Each waits longer than the one before. */
  waits: number;
  /** When the status was last written, by the clock that never goes back. */
  statusAt: Millis;
  /** The status that the last reconcile found, written or not, and what the sale waits for. The console shows it. */
  snapshot: { status: FlashSaleStatus; waitingFor?: string } | undefined;
  /** Resolves when the session is closed. `close` sets it, because the end of a sale takes many reconciles. */
  closed: Promise<void> | undefined;
}

/** One reconcile of one sale: who it is about, and what was found of it. */
export interface ReconcileInput {
  context: ReconcileContext;
  key: SaleKey;
  /** The resource as the cache has it. */
  sale: FlashSale;
  state: SaleState;
  /** What the resource asks for. */
  topology: Topology;
  /** What the cluster shows. */
  observed: Observed;
}

/** Makes the state of a sale that was not looked at before. `wake` is called when work that nobody waited for is done. */
export const newSaleState = (session: SaleSession, log: Logger, wake: () => void): SaleState => ({
  session,
  // Conditions say in a sentence what failed; the log has the whole error for whoever needs it.
  attempts: new Attempts(wake, (what, error) => log.debug({ err: error, what }, 'does not work yet')),
  references: new ReferenceReader(),
  refusals: new RefusalReader(),
  traffic: trafficReader(),
  provisioned: new Map(),
  outboxes: new Map(),
  drainedAt: undefined,
  waits: 0,
  statusAt: Number.NEGATIVE_INFINITY,
  snapshot: undefined,
  closed: undefined,
});

/** Ends what is kept open for a sale; no reconcile opens it again. */
export function close(state: SaleState): Promise<void> {
  // Work that is under way would open it again, so it ends first.
  state.closed ??= state.attempts.idle().then(() => state.session.close());
  return state.closed;
}

/** The status that was found last. The cache may hold an older resource than was written. */
export const lastStatus = (sale: FlashSale, { snapshot }: SaleState): FlashSaleStatus | undefined =>
  snapshot?.status ?? sale.status;
