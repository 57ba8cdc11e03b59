// One reconcile of one sale: from what the resource says and the cluster shows to what is to be done now, step by step.
// Every step is idempotent and waits for nothing; what cannot be done yet is done by a later reconcile.
//
//   adopt → observe → prerequisites (references, secrets, Kafka) → objects (policies, pool, shards, caches, storefronts) →
//   databases → registry (supply, nodes, pause) and balancer → report

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import type { FlashSale, FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type KubeObject, keyOf, RESOURCES } from '../kube/objects.ts';
import { type Manifests, manifestsOf } from '../manifests/manifests.ts';
import { nameOf } from '../manifests/objects.ts';
import { placeInCluster } from '../manifests/placement.ts';
import { agree } from '../sale/agree.ts';
import { nodesToRun, type Wanted, wantedOf } from '../sale/registry-steps.ts';
import { saleConfig } from '../topology/placement.ts';
import type { Topology } from '../topology/topology.ts';
import { FINALIZER, topologyOf } from './adopt.ts';
import { aboveLimits, plaintextPasswords } from './allowed.ts';
import { firstConditions } from './conditions.ts';
import { lastStatus, type ReconcileContext, type ReconcileInput } from './context.ts';
import { makeDatabases } from './databases.ts';
import { type DegradedReason, degradedReasonsOf, readinessOf, tooFewShards } from './degraded-reasons.ts';
import { finalize } from './finalize.ts';
import type { InformerCache } from './informer-cache.ts';
import { nudgePods } from './nudge.ts';
import { makeObjects } from './objects.ts';
import { observe } from './observed.ts';
import { progressOf } from './progress.ts';
import { type Outcome, report, statusObject } from './report.ts';
import { saleSecrets, startFingerprint } from './secrets.ts';

/** Shards report every second: silent for so long, Kafka does not carry their reports. */
const SILENT: Millis = 15_000;

/** Brings the sale nearer to what its resource says. Returns after how long it is to be looked at again. */
export async function reconcile(sale: FlashSale, context: ReconcileContext): Promise<{ again: Millis }> {
  if (sale.metadata.deletionTimestamp !== undefined) return finalize(sale, context);
  await adopt(sale, context);
  const input = await look(sale, context);
  return report(input, await converge(input));
}

/** Puts the finalizer on the sale. Without it, a sale could vanish and leave its topics behind. */
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

/** Gathers what the sale asks for and what the cluster shows of it. */
async function look(sale: FlashSale, context: ReconcileContext): Promise<ReconcileInput> {
  const key = keyOf(sale.metadata.namespace, sale.metadata.name);
  const state = context.state(key);
  const shown = observe(context.cache.owned(key), context.cache.pods(key));
  const observed = await state.refusals.read(shown, sale.metadata.namespace, context);
  return { context, key, sale, state, topology: topologyOf(sale), observed };
}

/** Carries out the steps in their order. Each adds what is wrong; the first that is named matters most. */
async function converge(input: ReconcileInput): Promise<Outcome> {
  const { context, key, sale, state, topology, observed } = input;
  const prerequisites = await readPrerequisites(input);
  const degradedReasons = [
    ...degradedReasonsOf(observed).map((degradedReason) => namingClass(degradedReason, topology)),
    ...prerequisites.degradedReasons,
  ];
  // Without these nothing could start, so nothing is made that would only wait and fail.
  if (!isComplete(prerequisites, topology)) {
    const message = degradedReasons.map((degradedReason) => degradedReason.message).join('; ');
    return { degradedReasons, progress: { reason: 'Starting', message } };
  }
  const { secrets, kafka } = prerequisites;
  const { config, manifests } = planObjects(input, secrets);
  const made = await makeObjects(context, key, sale as unknown as KubeObject, manifests, prerequisites.secretExists);
  degradedReasons.push(...made.degradedReasons);
  if (made.isTaken) {
    const message = made.degradedReasons.map((degradedReason) => degradedReason.message).join('; ');
    return { degradedReasons, progress: { reason: 'Starting', message } };
  }
  await nudgePods(context, key, config);

  const databases = await makeDatabases(context, state, config, secrets, observed.pods);
  const wanted = wantedOf(topology);
  const secret: Secret = (name) => secrets.get(name) ?? '';
  if (databases.pool) degradedReasons.push(...(await tellRegistry(input, config, secret, wanted)));

  const { view: registry, table } = state.session;
  const last = lastStatus(sale, state);
  degradedReasons.push(...silence(input, kafka, last), ...tooFewShards(registry, topology));
  const progress = progressOf({
    ...{ served: wasServing(last), observed, registry, table, wanted },
    ...{ databases: databases.waiting, rollout: made.rollout },
  });
  return { degradedReasons, progress };
}

/** What must be known before any object of the sale can be made. */
interface Prerequisites {
  /** The values of all secrets, by file name of the secrets folder. */
  secrets: ReadonlyMap<string, string>;
  /** The Secret that holds them is in the cluster already, so it may be edited, and must not be made anew. */
  secretExists: boolean;
  /** Nothing is to be made of the sale as it is written: it asks for what is not allowed. */
  isRefused: boolean;
  /** The secrets that the sale names which may be used: those that were read, and in a sale that has run the former ones, too. */
  usable: ReadonlySet<string>;
  /** The addresses of the Kafka brokers; undefined: none are named anywhere. */
  kafka: readonly string[] | undefined;
  degradedReasons: DegradedReason[];
}

/** The sales of the namespace that were created before this one. */
function earlierThan({ metadata }: FlashSale, cache: InformerCache): Topology[] {
  const { namespace, name, creationTimestamp = '' } = metadata;
  const isEarlier = ({ metadata: other }: FlashSale): boolean => {
    if (other.namespace !== namespace || other.name === name) return false;
    const { creationTimestamp: theirs = '' } = other;
    return theirs === creationTimestamp ? other.name < name : theirs < creationTimestamp;
  };
  return cache.sales().filter(isEarlier).map(topologyOf);
}

async function readPrerequisites({
  context,
  key,
  sale,
  state,
  topology,
  observed,
}: ReconcileInput): Promise<Prerequisites> {
  const { client, cache, options, now } = context;
  const blocks = readinessOf(observed).absent.length > 0;
  const { given, missing, unusable, invalid } = await state.references.read(client, topology, now());
  const refused = [
    ...plaintextPasswords(topology, options.tenants),
    ...aboveLimits(topology, earlierThan(sale, cache), options.tenants),
  ];
  const held = cache.find(key, { kind: 'Secret', metadata: { name: nameOf(topology, 'secrets') } });
  const { values: secrets, exists: secretExists } = await saleSecrets(client, topology, sale.metadata, held, given);
  const kafka = topology.kafka.brokers ?? options.kafka?.bootstrapServers;
  const noKafka: DegradedReason = {
    ...{ reason: 'KafkaUnavailable', blocks },
    message: 'no Kafka is named: set spec.kafka.bootstrapServers, or give the operator a default',
  };
  const degradedReasons = [
    ...refused.map((message): DegradedReason => ({ reason: 'NotAllowed', message, blocks })),
    ...missing.map((message): DegradedReason => ({ reason: 'MissingReference', message, blocks })),
    ...invalid.map((message): DegradedReason => ({ reason: 'InvalidReference', message, blocks })),
    ...(kafka ? [] : [noKafka]),
  ];
  // What an earlier sale of this name was given is not this one's to use.
  const hasRun = lastStatus(sale, state)?.incarnation !== undefined;
  const usable = new Set(hasRun ? secrets.keys() : given.keys());
  return {
    ...{ secrets, secretExists, kafka, degradedReasons, usable },
    isRefused: refused.length > 0 || unusable.length > 0,
  };
}

const isComplete = (
  found: Prerequisites,
  { givenSecrets }: Topology,
): found is Prerequisites & { kafka: readonly string[] } =>
  !found.isRefused && found.kafka !== undefined && givenSecrets.every(({ file }) => found.usable.has(file));

/** Decides which objects the sale consists of, and what its roles read as their configuration. */
function planObjects(
  { context, sale, state, topology, observed }: ReconcileInput,
  secrets: ReadonlyMap<string, string>,
): { config: SaleConfig; manifests: Manifests } {
  const { options } = context;
  const running = observed.workloads.cache?.wanted ?? 0;
  const cachePods = nodesToRun(state.session.view, topology.caches.nodes.length, running);
  const site = { cachePods, ...(options.kafka ? { kafka: options.kafka } : {}) };
  const config = saleConfig(topology, placeInCluster(topology, site));
  const startedWith = startFingerprint(secrets, config.kafka);
  return { config, manifests: manifestsOf({ sale, topology, options, secrets, cachePods, config, startedWith }) };
}

/** Tells the registry what the resource wants, and gives the balancer its newest configuration. */
async function tellRegistry(
  { state: { session, attempts } }: ReconcileInput,
  config: SaleConfig,
  secret: Secret,
  wanted: Wanted,
): Promise<DegradedReason[]> {
  const attempt = await attempts.try('registry', async () => {
    await agree({ read: () => session.read(config, secret), take: (step) => session.take(step) }, wanted);
    await session.balance(config, secret);
  });
  // A registry that never answered is only not there yet.
  if (attempt.done || !attempt.error || !session.view) return [];
  const message = `the registry in the transfer pool does not answer: ${attempt.error.message}`;
  return [{ reason: 'ShardsNotReady', message, blocks: false }];
}

/** Names Kafka when no shard was heard of for a while: reports come every second over Kafka, whatever happens. */
function silence(
  { context: { now }, state: { session } }: ReconcileInput,
  brokers: readonly string[],
  status: FlashSaleStatus | undefined,
): DegradedReason[] {
  const { table } = session;
  const holders = ['pool' as const, ...(table?.shards().map(({ shard }) => shard) ?? [])];
  const heard = holders.map((holder) => table?.heardAt(holder) ?? 0);
  const last = Math.max(0, ...heard, session.balancingSince ?? now());
  if (now() - last < SILENT) return [];
  const message = `no shard was heard of for ${Math.round((now() - last) / 1000)} s: Kafka at ${brokers.join(', ')} may be out of reach`;
  // Before the first reports no shard has got its stock.
  return [{ reason: 'KafkaUnavailable', message, blocks: status?.available === undefined }];
}

/** Once a sale served buyers, a part that is down makes it Degraded, and is no start. */
function wasServing(status: FlashSaleStatus | undefined): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' || (status?.available !== undefined && ready?.reason !== 'Starting');
}

/** Adds the storage class that a volume waits for, which the scheduler does not say. */
function namingClass(degradedReason: DegradedReason, { caches, shards }: Topology): DegradedReason {
  const classes = new Set([caches.storage, shards.storage].flatMap(({ storageClassName }) => storageClassName ?? []));
  if (degradedReason.reason !== 'VolumePending' || classes.size === 0) return degradedReason;
  return {
    ...degradedReason,
    message: `${degradedReason.message} The resource asks for storage class ${[...classes].join(' and ')}.`,
  };
}
