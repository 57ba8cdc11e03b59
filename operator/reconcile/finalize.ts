// The end of a sale, which may come while it sells: everything that runs ends first, so that nobody makes the topics
// again; then the topics go, and the sale with what it owns. What was sold stays on its volumes unless deletionPolicy
// says otherwise: the StatefulSets carry that, and the Secret that goes with the volumes is owned by nobody then.

import { isDeepStrictEqual } from 'node:util';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { deleteTopics } from '../../dataplane/runtime/bus-kafka.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { type KubeObject, keyOf, RESOURCES, resourceOf } from '../kube/objects.ts';
import { nameOf, ownerReference } from '../manifests/objects.ts';
import { placeInCluster } from '../manifests/placement.ts';
import { retentionPolicy } from '../manifests/sets.ts';
import { saleConfig } from '../topology/placement.ts';
import { FINALIZER, topologyOf } from './adopt.ts';
import { close, type ReconcileContext } from './context.ts';
import { valuesOf } from './secrets.ts';

const POLL: Millis = 1000;
const SOON: Millis = 200;
/** For so long a Kafka that is away keeps the sale, and its namespace, from being deleted. */
const KAFKA_WITHIN: Millis = 60_000;

/** Ends the sale step by step. Returns after how long to look again. */
export async function finalize(sale: FlashSale, context: ReconcileContext): Promise<{ again: Millis }> {
  const { namespace, name, finalizers = [], resourceVersion } = sale.metadata;
  const key = keyOf(namespace, name);
  const object = sale as unknown as KubeObject;
  if (!finalizers.includes(FINALIZER)) {
    await context.forget(key);
    return { again: POLL };
  }
  await close(context.state(key));

  if (await isDeletionPolicyPending(sale, context)) return { again: SOON };
  const running = context.cache.owned(key).filter(({ kind }) => kind === 'StatefulSet' || kind === 'Deployment');
  for (const workload of running)
    if (workload.metadata.deletionTimestamp === undefined)
      await context.client.delete(resourceOf(workload), namespace, workload.metadata.name, {
        propagation: 'Background',
      });
  if (running.length > 0 || context.cache.pods(key).length > 0) return { again: POLL };

  const kept = await removeTopics(sale, context);
  if (kept !== undefined) {
    const since = context.wall() - Date.parse(sale.metadata.deletionTimestamp ?? '');
    if (since < KAFKA_WITHIN) return { again: 2 * POLL };
    context.events.event(
      object,
      'Warning',
      'TopicsKept',
      'Delete',
      `The topics stay in Kafka, which does not answer: ${kept}`,
    );
  }
  await context.client.patch(RESOURCES.FlashSale, namespace, name, {
    metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER), resourceVersion },
  });
  await context.forget(key);
  return { again: POLL };
}

/**
 * Puts the resource's deletionPolicy into force, because no reconcile may have carried out the newest edit. Returns true
 * while the policy is not in force: a StatefulSet's own controller has not seen it yet.
 */
async function isDeletionPolicyPending(sale: FlashSale, { client, cache }: ReconcileContext): Promise<boolean> {
  const { namespace, name, uid = '' } = sale.metadata;
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
      metadata: { ownerReferences: topology.retain ? [] : [ownerReference(name, uid)] },
    });
  return isPending;
}

/** Deletes the topics. Returns undefined when they are gone, otherwise why they are not. */
async function removeTopics(sale: FlashSale, context: ReconcileContext): Promise<string | undefined> {
  const { client, cache, options, log } = context;
  const topology = topologyOf(sale);
  if (!topology.kafka.brokers && !options.kafka) return undefined;
  const { namespace, name } = sale.metadata;
  const wanted = { kind: 'Secret', metadata: { name: nameOf(topology, 'secrets') } };
  const held =
    cache.find(keyOf(namespace, name), wanted) ?? (await client.get(RESOURCES.Secret, namespace, wanted.metadata.name));
  const secrets = valuesOf(held);
  const site = { cachePods: 1, ...(options.kafka ? { kafka: options.kafka } : {}) };
  const { kafka } = saleConfig(topology, placeInCluster(topology, site));
  const { attempts } = context.state(keyOf(namespace, name));
  const attempt = await attempts.try('topics', () => deleteTopics(kafka, (file) => secrets.get(file) ?? '', log));
  return attempt.done ? undefined : (attempt.error?.message ?? 'it has not answered yet');
}
