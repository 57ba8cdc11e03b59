// The last step of a reconcile: says in the resource's status and in Events how the sale is, and when to look again.

import { isDeepStrictEqual } from 'node:util';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import type { Topology } from '../topology/topology.ts';
import type { Progress } from './conditions.ts';
import { lastStatus, type ReconcileInput } from './context.ts';
import type { DegradedReason } from './degraded-reasons.ts';
import { statusOf } from './status.ts';

/** A sale at rest is looked at so often, for what shows in no event: silent shards, edited references. */
const AT_REST: Millis = 60_000;
/** What is waited for shows in no event either: a database that begins to answer, a registry that is being told. */
const WAITING: { first: Millis; longest: Millis } = { first: 500, longest: 20_000 };
/** The figures of a sale that sells change all the time. */
const STATUS_EVERY: Millis = 1000;

/** What the steps before have left to say. */
export interface Outcome {
  /** What is wrong, most important first. */
  degradedReasons: DegradedReason[];
  /** What is still under way; undefined: everything is as the resource says. */
  progress: Progress | undefined;
}

/** Writes the status if it changed. Returns after how long the sale is to be looked at again. */
export async function report(input: ReconcileInput, outcome: Outcome): Promise<{ again: Millis }> {
  const { context, sale, topology, observed, state } = input;
  const { degradedReasons, progress } = outcome;
  const { view: registry, table, cycle } = state.session;
  const last = lastStatus(sale, state);
  const status = statusOf(
    { sale, last, topology, observed, registry, table, period: cycle?.length, degradedReasons, progress },
    context.wall(),
  );
  announce(input, status);
  state.snapshot = { status, ...(progress ? { waitingFor: progress.message } : {}) };

  const due = state.statusAt + STATUS_EVERY - context.now();
  const changed = !isDeepStrictEqual(status, sale.status);
  if (changed && due <= 0) {
    await context.client.applyStatus(statusObject(sale.metadata, status));
    state.statusAt = context.now();
  }
  const waits = progress !== undefined || degradedReasons.length > 0;
  state.waits = waits ? state.waits + 1 : 0;
  const wait = waits
    ? Math.min(WAITING.longest, WAITING.first * 1.3 ** state.waits)
    : untilNextLook(topology, context.wall());
  return { again: changed && due > 0 ? Math.min(due, wait) : wait };
}

/** A sale at rest is looked at when its window opens or closes too, for then its phase is another one. */
function untilNextLook({ settings: { window } }: Topology, wall: Millis): Millis {
  const coming = [window.opensAt, window.closesAt].flatMap((at) => (at !== undefined && at > wall ? [at - wall] : []));
  return Math.min(AT_REST * (0.8 + 0.4 * Math.random()), ...coming.map((wait) => wait + 50));
}

/** Changes of Ready, Degraded and Authenticated are Events, too: people look there first. */
function announce({ context, sale, state }: ReconcileInput, status: FlashSaleStatus): void {
  for (const { type, status: is, reason, message } of status.conditions ?? []) {
    if (type !== 'Ready' && type !== 'Degraded' && type !== 'Authenticated') continue;
    const before = lastStatus(sale, state)?.conditions?.find((condition) => condition.type === type);
    if (before?.reason === reason && before.status === is) continue;
    const bad = type === 'Degraded' ? is === 'True' : is === 'False' && reason !== 'Starting' && reason !== 'Resizing';
    // That nothing was ever wrong is no news.
    const wasBad = before !== undefined && before.status === (type === 'Degraded' ? 'True' : 'False');
    if (type !== 'Ready' && !bad && !wasBad) continue;
    context.events.event(sale as unknown as KubeObject, bad ? 'Warning' : 'Normal', reason, 'Reconcile', message);
  }
}

/** A FlashSale that says its status and nothing else, as a server-side apply wants it. */
export const statusObject = ({ namespace, name }: FlashSale['metadata'], status: FlashSaleStatus): KubeObject => ({
  apiVersion: RESOURCES.FlashSale.apiVersion,
  kind: 'FlashSale',
  metadata: { namespace, name },
  status,
});
