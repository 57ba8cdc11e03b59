// The end of a sale, which may come while it sells. First its storefronts end, so that nothing is sold any more; then
// what the merchant was not told yet goes to Kafka; then everything else that runs ends, so that nobody makes the topics
// again; then the topics go, and the sale with what it owns. What was sold stays on its volumes and in the topic of the
// order events unless deletionPolicy says otherwise: the StatefulSets carry that, and the Secret that goes with the
// volumes is owned by nobody then.

import { isDeepStrictEqual } from 'node:util';
import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import { TOPICS, type Topic } from '../../dataplane/protocol/messages.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { deleteTopics } from '../../dataplane/runtime/bus-kafka.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { type KubeObject, keyOf, RESOURCES, resourceOf } from '../kube/objects.ts';
import { nameOf } from '../manifests/objects.ts';
import { ownershipPatch } from '../manifests/ownership.ts';
import { placeInCluster } from '../manifests/placement.ts';
import { retentionPolicy } from '../manifests/sets.ts';
import { saleConfig } from '../topology/placement.ts';
import { FINALIZER, topologyOf } from './adopt.ts';
import { plaintextPasswords } from './allowed.ts';
import { drainingConditions } from './conditions.ts';
import { close, lastStatus, type ReconcileContext } from './context.ts';
import { DRAIN_ANNOTATION, decideDrain, readOutboxes, SKIP_DRAIN } from './drain.ts';
import { componentOf } from './observed.ts';
import { statusObject } from './report.ts';
import { readOwnSecret, valuesOf } from './secrets.ts';

const POLL: Millis = 1000;
const SOON: Millis = 200;
/** For so long a Kafka that is away keeps the sale, and its namespace, from being deleted once its outboxes are done with. */
const KAFKA_WITHIN: Millis = 60_000;

/** Ends the sale step by step. Returns after how long to look again. */
export async function finalize(sale: FlashSale, context: ReconcileContext): Promise<{ again: Millis }> {
  const { namespace, name, finalizers = [], resourceVersion } = sale.metadata;
  const key = keyOf(namespace, name);
  if (!finalizers.includes(FINALIZER)) {
    await context.forget(key);
    return { again: POLL };
  }
  await close(context.state(key));

  if (await isDeletionPolicyPending(sale, context)) return { again: SOON };
  if (await areRunning(sale, context, 'Deployment')) return { again: POLL };
  const state = context.state(key);
  if (state.drainedAt === undefined) {
    if (!(await isDrained(sale, context))) return { again: POLL };
    state.drainedAt = context.now();
  }
  if (await areRunning(sale, context, 'StatefulSet')) return { again: POLL };

  const kept = await removeTopics(sale, context);
  if (kept !== undefined) {
    if (context.now() - state.drainedAt < KAFKA_WITHIN) return { again: 2 * POLL };
    warn(sale, context, 'TopicsKept', `The topics stay in Kafka, which does not answer: ${kept}`);
  }
  await context.client.patch(RESOURCES.FlashSale, namespace, name, {
    metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER), resourceVersion },
  });
  await context.forget(key);
  return { again: POLL };
}

const warn = (sale: FlashSale, { events }: ReconcileContext, reason: string, note: string): void =>
  events.event(sale as unknown as KubeObject, 'Warning', reason, 'Delete', note);

/** Ends the workloads of a kind. Returns true while one of them or of their pods is there. */
async function areRunning(
  sale: FlashSale,
  { client, cache }: ReconcileContext,
  kind: 'Deployment' | 'StatefulSet',
): Promise<boolean> {
  const { namespace, name } = sale.metadata;
  const key = keyOf(namespace, name);
  const workloads = cache.owned(key).filter((object) => object.kind === kind);
  for (const workload of workloads)
    if (workload.metadata.deletionTimestamp === undefined)
      await client.delete(resourceOf(workload), namespace, workload.metadata.name, {
        ...(workload.metadata.uid === undefined ? {} : { uid: workload.metadata.uid }),
        propagation: 'Background',
      });
  const pods = cache.pods(key).filter((pod) => kind === 'StatefulSet' || !holdsData(pod));
  return workloads.length > 0 || pods.length > 0;
}

/** The pods of StatefulSets; those of all other components come from Deployments. */
const holdsData = (pod: KubeObject): boolean => ['shard', 'cache', 'pool'].includes(componentOf(pod) ?? '');

/**
 * Returns true when the shards have no order event left that Kafka lacks, or nobody waits for them any more; until then
 * the sale's conditions say what it waits for.
 */
async function isDrained(sale: FlashSale, context: ReconcileContext): Promise<boolean> {
  const { namespace, name, annotations = {}, deletionTimestamp = '' } = sale.metadata;
  const key = keyOf(namespace, name);
  const state = context.state(key);
  // An operator that begins anew finds no shards to ask when the one before it had gone on from here.
  if (!context.cache.owned(key).some((object) => object.kind === 'StatefulSet' && componentOf(object) === 'shard'))
    return true;
  const { config, secret } = await configOf(sale, context);
  const last = lastStatus(sale, state);
  const decision = decideDrain({
    outboxes: await readOutboxes(config.shards, last, secret, state, context),
    waited: context.wall() - Date.parse(deletionTimestamp),
    skip: annotations[DRAIN_ANNOTATION] === SKIP_DRAIN,
  });
  if (decision.kind === 'drained') return true;
  if (decision.kind === 'given-up') {
    warn(
      sale,
      context,
      'OrdersNotRelayed',
      `The sale goes though not every order event was relayed: ${decision.message}`,
    );
    return true;
  }
  const { message, blocked } = decision;
  if (blocked) warn(sale, context, 'OrdersNotRelayed', message);
  const now = new Date(context.wall()).toISOString().replace(/\.\d+Z$/, 'Z');
  const status = { ...last, conditions: drainingConditions(message, blocked, last?.conditions ?? [], now) };
  state.snapshot = { status, waitingFor: message };
  if (!isDeepStrictEqual(status, sale.status)) await context.client.applyStatus(statusObject(sale.metadata, status));
  return false;
}

/**
 * Puts the resource's deletionPolicy into force, because no reconcile may have carried out the newest edit. Returns true
 * while the policy is not in force: a StatefulSet's own controller has not seen it yet.
 */
async function isDeletionPolicyPending(sale: FlashSale, { client, cache }: ReconcileContext): Promise<boolean> {
  const { namespace, name } = sale.metadata;
  const key = keyOf(namespace, name);
  const topology = topologyOf(sale);
  const policy = retentionPolicy(topology);
  let isPending = false;
  for (const set of cache.owned(key)) {
    if (set.kind !== 'StatefulSet' || set.metadata.deletionTimestamp !== undefined) continue;
    const { persistentVolumeClaimRetentionPolicy: found } = (set.spec ?? {}) as {
      persistentVolumeClaimRetentionPolicy?: object;
    };
    const { observedGeneration = 0 } = (set.status ?? {}) as { observedGeneration?: number };
    if (!isDeepStrictEqual(found, policy))
      await client.patch(RESOURCES.StatefulSet, namespace, set.metadata.name, {
        metadata: { uid: set.metadata.uid },
        spec: { persistentVolumeClaimRetentionPolicy: policy },
      });
    else if (observedGeneration >= (set.metadata.generation ?? 0)) continue;
    isPending = true;
  }
  // Without this Secret, volumes that are kept could not be read.
  const secret = cache.find(key, { kind: 'Secret', metadata: { name: nameOf(topology, 'secrets') } });
  const isOwned = (secret?.metadata.ownerReferences ?? []).length > 0;
  if (secret && isOwned === topology.retain)
    await client.patch(RESOURCES.Secret, namespace, secret.metadata.name, {
      metadata: { uid: secret.metadata.uid, ...ownershipPatch(sale.metadata, topology.retain) },
    });
  return isPending;
}

/** Returns what the sale's roles were told, and its secrets. */
async function configOf(
  sale: FlashSale,
  { client, cache, options }: ReconcileContext,
): Promise<{ config: SaleConfig; secret: Secret }> {
  const topology = topologyOf(sale);
  const { namespace, name } = sale.metadata;
  const wanted = { kind: 'Secret', metadata: { name: nameOf(topology, 'secrets') } };
  const held = cache.find(keyOf(namespace, name), wanted) ?? (await readOwnSecret(client, topology, sale.metadata));
  const secrets = valuesOf(held);
  const site = { cachePods: 1, ...(options.kafka ? { kafka: options.kafka } : {}) };
  const config = saleConfig(topology, placeInCluster(topology, site));
  return { config, secret: (file) => secrets.get(file) ?? '' };
}

/** The order events are the merchant's: their topic stays as the volumes do. */
const topicsToRemove = (retain: boolean): Topic[] => TOPICS.filter((topic) => !(retain && topic === 'orders'));

/** Deletes the topics. Returns undefined when they are gone, otherwise why they are not. */
async function removeTopics(sale: FlashSale, context: ReconcileContext): Promise<string | undefined> {
  const topology = topologyOf(sale);
  if (!topology.kafka.brokers && !context.options.kafka) return undefined;
  // An address of its own was never used, nor was a topic made there, before the sale had run.
  if (topology.kafka.brokers && sale.status?.incarnation === undefined) return undefined;
  const [refusal] = plaintextPasswords(topology, context.options.tenants);
  if (refusal !== undefined) return refusal;
  const { config, secret } = await configOf(sale, context);
  const { attempts } = context.state(keyOf(sale.metadata.namespace, sale.metadata.name));
  const topics = topicsToRemove(topology.retain);
  const attempt = await attempts.try('topics', () => deleteTopics(config.kafka, topics, secret, context.log));
  return attempt.done ? undefined : (attempt.error?.message ?? 'it has not answered yet');
}
