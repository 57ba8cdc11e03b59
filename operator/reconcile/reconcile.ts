// One pass over one sale: from what the resource says and the cluster shows to what is to be done now, step by step.
// Every step is idempotent and waits for nothing; what cannot be done yet is done by a later pass.
//
//   adopt → refusals → references → secrets → objects (Kafka's address, policies, pool, shards, caches, storefronts) →
//   databases → registry (supply, nodes, pause) → balancer → status

import { isDeepStrictEqual } from 'node:util';
import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type KubeObject, keyOf, RESOURCES } from '../kube/objects.ts';
import { manifestsOf } from '../manifests/manifests.ts';
import { nameOf } from '../manifests/objects.ts';
import { placeInCluster } from '../manifests/placement.ts';
import { agree } from '../sale/agree.ts';
import { nodesToRun, type Wanted, wantedOf } from '../sale/registry-steps.ts';
import { saleConfig } from '../topology/placement.ts';
import type { Topology } from '../topology/topology.ts';
import { FINALIZER, topologyOf } from './adopt.ts';
import { firstConditions, type Progress } from './conditions.ts';
import type { ReconcileContext, SaleState } from './context.ts';
import { makeDatabases } from './databases.ts';
import { type DegradedReason, degradedReasonsOf, readinessOf, tooFewShards } from './degraded-reasons.ts';
import { finalize } from './finalize.ts';
import type { SaleKey } from './informer-cache.ts';
import { nudgePods } from './nudge.ts';
import { makeObjects } from './objects.ts';
import { type Observed, observe } from './observed.ts';
import { progressOf } from './progress.ts';
import { saleSecrets, startFingerprint } from './secrets.ts';
import { statusOf } from './status.ts';

/** A sale at rest is looked at so often, for what shows in no event: silent shards, edited references. */
const AT_REST: Millis = 60_000;
/** What is waited for shows in no event either: a database that begins to answer, a registry that is being told. */
const WAITING: { first: Millis; most: Millis } = { first: 500, most: 20_000 };
/** The figures of a sale that sells change all the time. */
const STATUS_EVERY: Millis = 1000;
/** Shards report every second: silent for so long, Kafka does not carry their reports. */
const SILENT: Millis = 15_000;

export async function reconcile(sale: FlashSale, kit: ReconcileContext): Promise<{ again: Millis }> {
  if (sale.metadata.deletionTimestamp !== undefined) return finalize(sale, kit);
  const key = keyOf(sale.metadata.namespace, sale.metadata.name);
  await adopt(sale, kit);
  const memo = kit.state(key);
  const shown = observe(kit.cache.owned(key), kit.cache.pods(key));
  const observed = await memo.refusals.read(shown, sale.metadata.namespace, kit);
  const pass: Pass = { kit, key, sale, memo, topology: topologyOf(sale), observed };
  return report(pass, await converge(pass));
}

interface Pass {
  kit: ReconcileContext;
  key: SaleKey;
  sale: FlashSale;
  memo: SaleState;
  topology: Topology;
  observed: Observed;
}

interface Outcome {
  troubles: DegradedReason[];
  progress: Progress | undefined;
}

/** Until the finalizer is on it, a sale could vanish and leave its topics behind. */
async function adopt({ metadata, status }: FlashSale, { client, wall }: ReconcileContext): Promise<void> {
  const { namespace, name, finalizers = [], generation = 1, resourceVersion } = metadata;
  if (!finalizers.includes(FINALIZER))
    await client.patch(RESOURCES.FlashSale, namespace, name, {
      metadata: { finalizers: [...finalizers, FINALIZER], resourceVersion },
    });
  if (status?.conditions !== undefined) return;
  const conditions = firstConditions(new Date(wall()).toISOString());
  await client.applyStatus(statusObject(metadata, { observedGeneration: generation, phase: 'Pending', conditions }));
}

async function converge({ kit, key, sale, memo, topology, observed }: Pass): Promise<Outcome> {
  const { client, cache, options } = kit;
  const troubles = degradedReasonsOf(observed).map((trouble) => namingClass(trouble, topology));
  const blocks = readinessOf(observed).absent.length > 0;

  const { given, missing } = await memo.references.read(client, topology, kit.now());
  troubles.push(...missing.map((message): DegradedReason => ({ reason: 'MissingReference', message, blocks })));
  const held = cache.find(key, { kind: 'Secret', metadata: { name: nameOf(topology, 'secrets') } });
  const { values: secrets, exists } = await saleSecrets(client, topology, held, given);
  const kafka = topology.kafka.brokers ?? options.kafka?.bootstrapServers;
  if (!kafka)
    troubles.push({
      ...{ reason: 'KafkaUnavailable', blocks },
      message: 'no Kafka is named: set spec.kafka.bootstrapServers, or give the operator a default',
    });
  // Without these nothing could start, so nothing is made that would only wait and fail.
  if (!kafka || topology.givenSecrets.some(({ file }) => !secrets.has(file)))
    return { troubles, progress: { reason: 'Starting', message: troubles.map(({ message }) => message).join('; ') } };

  const cachePods = nodesToRun(memo.session.view, topology.caches.nodes.length, observed.workloads.cache?.wanted ?? 0);
  const site = { cachePods, ...(options.kafka ? { kafka: options.kafka } : {}) };
  const config = saleConfig(topology, placeInCluster(topology, site));
  const startedWith = startFingerprint(secrets, config.kafka);
  const manifests = manifestsOf({ sale, topology, options, secrets, cachePods, config, startedWith });
  const made = await makeObjects(kit, key, sale as unknown as KubeObject, manifests, exists);
  troubles.push(...made.troubles);
  await nudgePods(kit, key, config);

  const databases = await makeDatabases(kit, memo, config, secrets, observed.pods);
  const wanted = wantedOf(topology);
  if (databases.pool) troubles.push(...(await tellRegistry(memo, config, (name) => secrets.get(name) ?? '', wanted)));
  troubles.push(...silence(kit, memo, kafka, lastStatus(sale, memo)));
  const served = wasServing(lastStatus(sale, memo));
  const { view: registry, table } = memo.session;
  troubles.push(...tooFewShards(registry, topology));
  const { rollout } = made;
  const progress = progressOf({ served, observed, registry, table, wanted, databases: databases.waiting, rollout });
  return { troubles, progress };
}

/** What was found last; the copy of the resource may be older than what was written to it. */
const lastStatus = (sale: FlashSale, { snapshot }: SaleState): FlashSaleStatus | undefined =>
  snapshot?.status ?? sale.status;

/** Once a sale served buyers, a part that is down is a trouble and no start. */
function wasServing(status: FlashSaleStatus | undefined): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' || (status?.available !== undefined && ready?.reason !== 'Starting');
}

/** The scheduler does not say which class a volume waits for. */
function namingClass(trouble: DegradedReason, { caches, shards }: Topology): DegradedReason {
  const classes = new Set([caches.storage, shards.storage].flatMap(({ storageClassName }) => storageClassName ?? []));
  if (trouble.reason !== 'VolumePending' || classes.size === 0) return trouble;
  return {
    ...trouble,
    message: `${trouble.message} The resource asks for storage class ${[...classes].join(' and ')}.`,
  };
}

/** Tells the registry what the resource wants, and keeps the balancer at it. */
async function tellRegistry(
  { session, attempts }: SaleState,
  config: SaleConfig,
  secret: Secret,
  wanted: Wanted,
): Promise<DegradedReason[]> {
  const attempt = await attempts.try('registry', async () => {
    await agree({ read: () => session.read(config, secret), take: (step) => session.take(step) }, wanted);
    await session.balance(config, secret);
  });
  // Before it ever answered, it is only not there yet.
  if (attempt.done || !attempt.error || !session.view) return [];
  const message = `the registry in the transfer pool does not answer: ${attempt.error.message}`;
  return [{ reason: 'ShardsNotReady', message, blocks: false }];
}

/** Reports come every second over Kafka, whatever happens. */
function silence(
  { now }: ReconcileContext,
  memo: SaleState,
  brokers: readonly string[],
  status: FlashSaleStatus | undefined,
): DegradedReason[] {
  const { table } = memo.session;
  const heard = ['pool' as const, ...(table?.shards().map(({ shard }) => shard) ?? [])].map(
    (peer) => table?.heardAt(peer) ?? 0,
  );
  const last = Math.max(0, ...heard, memo.session.balancingSince ?? now());
  if (now() - last < SILENT) return [];
  const message = `no shard was heard of for ${Math.round((now() - last) / 1000)} s: Kafka at ${brokers.join(', ')} may be out of reach`;
  // Before the first reports no shard has got its stock.
  return [{ reason: 'KafkaUnavailable', message, blocks: status?.available === undefined }];
}

/** Writes the status if it changed; answers when to look again. */
async function report(pass: Pass, { troubles, progress }: Outcome): Promise<{ again: Millis }> {
  const { kit, sale, topology, observed, memo } = pass;
  const { view: registry, table, cycle } = memo.session;
  const status = statusOf(
    {
      sale,
      last: lastStatus(sale, memo),
      topology,
      observed,
      registry,
      table,
      period: cycle?.length,
      troubles,
      progress,
    },
    kit.wall(),
  );
  tell(pass, status);
  memo.snapshot = { status, ...(progress ? { waitingFor: progress.message } : {}) };

  const due = memo.statusAt + STATUS_EVERY - kit.now();
  const changed = !isDeepStrictEqual(status, sale.status);
  if (changed && due <= 0) {
    await kit.client.applyStatus(statusObject(sale.metadata, status));
    memo.statusAt = kit.now();
  }
  const waits = progress !== undefined || troubles.length > 0;
  memo.waits = waits ? memo.waits + 1 : 0;
  const wait = waits ? Math.min(WAITING.most, WAITING.first * 1.3 ** memo.waits) : untilBoundary(topology, kit.wall());
  return { again: changed && due > 0 ? Math.min(due, wait) : wait };
}

/** Of the window: then the phase is another one. */
function untilBoundary({ settings: { window } }: Topology, wall: Millis): Millis {
  const coming = [window.opensAt, window.closesAt].flatMap((at) => (at !== undefined && at > wall ? [at - wall] : []));
  return Math.min(AT_REST * (0.8 + 0.4 * Math.random()), ...coming.map((wait) => wait + 50));
}

/** Changes of Ready and Degraded are events, too: people look there first. */
function tell({ kit, sale, memo }: Pass, status: FlashSaleStatus): void {
  for (const { type, status: is, reason, message } of status.conditions ?? []) {
    if (type !== 'Ready' && type !== 'Degraded') continue;
    const before = lastStatus(sale, memo)?.conditions?.find((condition) => condition.type === type);
    if (before?.reason === reason && before.status === is) continue;
    const bad = type === 'Degraded' ? is === 'True' : is === 'False' && reason !== 'Starting' && reason !== 'Resizing';
    if (type === 'Degraded' && !bad && before?.status !== 'True') continue;
    kit.events.event(sale as unknown as KubeObject, bad ? 'Warning' : 'Normal', reason, 'Reconcile', message);
  }
}

const statusObject = ({ namespace, name }: FlashSale['metadata'], status: FlashSaleStatus): KubeObject => ({
  apiVersion: RESOURCES.FlashSale.apiVersion,
  kind: 'FlashSale',
  metadata: { namespace, name },
  status,
});
