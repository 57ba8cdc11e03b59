// What a pass over one sale works with.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import type { FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type TrafficReader, trafficReader } from '../console/read-traffic.ts';
import type { KubeClient } from '../kube/client.ts';
import type { Recorder } from '../kube/events.ts';
import type { OperatorOptions } from '../manifests/options.ts';
import { Attempts } from './attempts.ts';
import type { InformerCache, SaleKey } from './informer-cache.ts';
import { ReferenceReader } from './references.ts';
import { RefusalReader } from './refusals.ts';
import type { SaleSession } from './sale-session.ts';

export interface ReconcileContext {
  client: KubeClient;
  cache: InformerCache;
  events: Recorder;
  options: OperatorOptions;
  log: Logger;
  /** Made when first asked for. */
  state(key: SaleKey): SaleState;
  forget(key: SaleKey): Promise<void>;
  /** Milliseconds of the wall clock, for statuses that people read. */
  wall(): Millis;
  now(): Millis;
}

/** What the operator remembers of a sale from one pass to the next; losing it costs a little work. */
export interface SaleState {
  readonly session: SaleSession;
  /** What may take long. */
  readonly attempts: Attempts;
  readonly references: ReferenceReader;
  readonly refusals: RefusalReader;
  /** For the console: asks the storefronts only while somebody watches. */
  readonly traffic: TrafficReader;
  /** Databases that have their roles, by the pod that serves them. */
  readonly provisioned: Map<string, string>;
  /** Passes in a row that left something to wait for. */
  waits: number;
  statusAt: Millis;
  /** As last found, for whoever watches. */
  snapshot: { status: FlashSaleStatus; waitingFor?: string } | undefined;
  /** Set by `close`, for the sale's end is looked at in many passes. */
  closed: Promise<void> | undefined;
}

/** `wake`: something that passes did not wait for is done. */
export const newSaleState = (session: SaleSession, log: Logger, wake: () => void): SaleState => ({
  session,
  // Conditions tell of it, in a sentence; this is for whoever needs the whole error.
  attempts: new Attempts(wake, (what, error) => log.debug({ err: error, what }, 'does not work yet')),
  references: new ReferenceReader(),
  refusals: new RefusalReader(),
  traffic: trafficReader(),
  provisioned: new Map(),
  waits: 0,
  statusAt: Number.NEGATIVE_INFINITY,
  snapshot: undefined,
  closed: undefined,
});

/** Ends what is kept open for a sale; no pass begins anything of it afterwards. */
export function close(memo: SaleState): Promise<void> {
  // What is under way would open it again.
  memo.closed ??= memo.attempts.idle().then(() => memo.session.close());
  return memo.closed;
}
