// Makes the objects of a sale as they are wanted, repairs what somebody changed, and removes what is not wanted any
// more. What the API server refuses becomes a degraded reason of this sale, and ends no reconcile. Touches nothing but what is
// the sale's own: a name that somebody else has taken is left to them, and nothing that depends on it is made.

import type { FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type Applied, applyWanted, createWanted, wasApplied } from '../kube/apply.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { type Difference, firstDifference } from '../kube/difference.ts';
import { type KubeObject, resourceOf, titleOf } from '../kube/objects.ts';
import type { Manifests } from '../manifests/manifests.ts';
import { nameOf } from '../manifests/objects.ts';
import { isOwnedBy, ownerInWords } from '../manifests/ownership.ts';
import type { ReconcileContext } from './context.ts';
import { type DegradedReason, refusalReason } from './degraded-reasons.ts';
import type { SaleKey } from './informer-cache.ts';
import { workloadView } from './observed.ts';
import { keepVolumes } from './volumes.ts';

export interface Made {
  degradedReasons: DegradedReason[];
  /** What will still happen, in words: parts that were edited now, and parts that wait until an earlier one has replaced its pods. */
  rollout: string[];
  /** Somebody else has the name of an object through which the sale's passwords pass, so they are not to be used. */
  isTaken: boolean;
}

/** The order in which templates roll out: what sells last is replaced last. Everything else is made at once. */
const WORKLOADS = ['pool', 'shards', 'caches', 'storefronts'] as const;

export async function makeObjects(
  context: ReconcileContext,
  key: SaleKey,
  sale: KubeObject,
  manifests: Manifests,
  secretExists: boolean,
): Promise<Made> {
  const made: Made = { degradedReasons: [], rollout: [], isTaken: false };
  const make = async (wanted: KubeObject) => {
    const { did, degradedReason } = await makeOne(context, key, sale, wanted, secretExists);
    if (degradedReason) made.degradedReasons.push(degradedReason);
    if (degradedReason?.reason === 'NameTaken' && CARRIES_SECRETS.has(wanted.kind)) made.isTaken = true;
    return did;
  };
  for (const wanted of [...manifests.secrets, ...manifests.config, ...manifests.policies]) await make(wanted);
  // Pods would read what a stranger has written there.
  if (made.isTaken) return made;

  let rolling: string | undefined;
  for (const part of WORKLOADS)
    for (const wanted of manifests[part]) {
      const found = context.cache.find(key, wanted);
      const { name } = wanted.metadata;
      if (!isWorkload(wanted) || !found) {
        await make(wanted);
        continue;
      }
      const isOther = hasOtherTemplate(wanted, found);
      if (isOther && rolling !== undefined) {
        made.rollout.push(`${name} waits until ${rolling} has replaced its pods`);
        continue;
      }
      const did = await make(wanted);
      if (did === 'changed') made.rollout.push(`${name} was edited`);
      // The cache shows the set as it was before the edit.
      if ((isOther && did === 'changed') || workloadView(found).rolling) rolling = name;
    }
  await removeSurplus(context, key, sale, Object.values(manifests).flat());
  return made;
}

/** The kinds of objects that hold the sale's passwords, or stand between a server and whoever sends it one. */
const CARRIES_SECRETS: ReadonlySet<string> = new Set(['Secret', 'ConfigMap', 'Service', 'StatefulSet']);

const isWorkload = ({ kind }: KubeObject): boolean => kind === 'StatefulSet' || kind === 'Deployment';

const specOf = ({ spec }: KubeObject) => (spec ?? {}) as { template?: unknown; replicas?: number };

/** Whether the workload's pods may have to be replaced. What is dropped from a template shows in no comparison with what is wanted. */
function hasOtherTemplate(wanted: KubeObject, found: KubeObject): boolean {
  const { template, replicas } = specOf(wanted);
  if (firstDifference(template, specOf(found).template) !== undefined) return true;
  const isScaled = replicas !== undefined && replicas !== specOf(found).replicas;
  return !isScaled && !wasApplied(wanted, found);
}

/** The field manager that owns a Deployment's replicas from the moment an autoscaler is wanted until the autoscaler sets them. */
const AUTOSCALING = 'flashsale-autoscaling';

/** Keeps the number of replicas while it passes to an autoscaler. A Deployment whose replicas nobody owns falls to one. */
async function handReplicasOver({ client, cache }: ReconcileContext, key: SaleKey, wanted: KubeObject): Promise<void> {
  const found = cache.find(key, wanted);
  const { apiVersion, kind, metadata } = wanted;
  const scaled = cache.find(key, { kind: 'HorizontalPodAutoscaler', metadata });
  const replicas = found && specOf(found).replicas;
  if (kind !== 'Deployment' || replicas === undefined || scaled || specOf(wanted).replicas !== undefined) return;
  const { name, namespace = '' } = metadata;
  const { uid } = found?.metadata ?? {};
  const held = { apiVersion, kind, metadata: { name, namespace, ...(uid ? { uid } : {}) }, spec: { replicas } };
  await client.apply(held, { fieldManager: AUTOSCALING, force: true });
}

interface One {
  did: Applied['did'] | 'created';
  degradedReason: DegradedReason | undefined;
}

async function makeOne(
  context: ReconcileContext,
  key: SaleKey,
  sale: KubeObject,
  asked: KubeObject,
  secretExists: boolean,
): Promise<One> {
  const { client, cache, events } = context;
  const { wanted, degradedReason } = keepVolumes(asked, cache.find(key, asked));
  const title = `${wanted.kind} ${wanted.metadata.name}`;
  try {
    await handReplicasOver(context, key, wanted);
    const found = cache.find(key, wanted) ?? (await create(client, wanted));
    if (found === undefined) {
      if (isNews(sale, wanted)) events.event(sale, 'Normal', 'Created', 'Create', `Created ${title}`);
      return { did: 'created', degradedReason };
    }
    if (!isOwnedBy(sale.metadata, found)) return { did: 'nothing', degradedReason: nameTaken(found) };
    // A password that was there before is the one the databases know, so this Secret is read before it is written.
    const isUnread = wanted.kind === 'Secret' && wanted.metadata.name === nameOf(sale.metadata, 'secrets');
    if (isUnread && !secretExists)
      return { did: 'nothing', degradedReason: nameTaken(found, 'it was made a moment ago, and is read first') };
    const { did, why, taken = [] } = await applyWanted(client, wanted, found);
    if (did === 'changed') events.event(sale, 'Normal', 'Updated', 'Update', `Updated ${title}${because(wanted, why)}`);
    for (const { manager, field } of taken)
      events.event(
        sale,
        'Warning',
        'TookOver',
        'Update',
        `${title}: ${wanted.kind === 'Secret' ? 'a field' : field} was set by ${manager}; it is the operator's, and was set back`,
      );
    return { did, degradedReason };
  } catch (error) {
    // Asking again at once will not change such an answer, that of a webhook whose server is away (500) among them: the rest
    // of the reconcile does not wait for it.
    if (!(error instanceof KubeError) || ![400, 403, 404, 409, 422, 500].includes(error.status)) throw error;
    const message = `${titleOf(wanted)} cannot be made: ${error.message}`;
    const blocks = cache.find(key, wanted) === undefined;
    return { did: 'nothing', degradedReason: { reason: refusalReason(error.message), message, blocks } };
  }
}

/** Returns undefined when the object was created, and otherwise the one that has its name. */
async function create(client: KubeClient, wanted: KubeObject): Promise<KubeObject | undefined> {
  try {
    await createWanted(client, wanted);
    return undefined;
  } catch (error) {
    if (!(error instanceof KubeError) || error.reason !== 'AlreadyExists') throw error;
    const { namespace = '', name } = wanted.metadata;
    const found = await client.get(resourceOf(wanted), namespace, name);
    // It went in the meantime, and a later reconcile creates the object.
    if (found === undefined) throw error;
    return found;
  }
}

const nameTaken = (found: KubeObject, why = ownerInWords(found)): DegradedReason => ({
  reason: 'NameTaken',
  message: `${titleOf(found)} is there already: ${why}; it is left as it is`,
  blocks: CARRIES_SECRETS.has(found.kind) || isWorkload(found),
});

/** A new sale makes two dozen objects: those that run are worth a line each. In a sale that serves, any that was lost is. */
const isNews = (sale: KubeObject, { kind }: KubeObject): boolean =>
  kind === 'StatefulSet' ||
  kind === 'Deployment' ||
  (sale.status as FlashSaleStatus | undefined)?.incarnation !== undefined;

/** Names the first difference, and of a Secret nothing: its keys say what somebody works with. */
function because({ kind }: KubeObject, why: Difference | undefined): string {
  if (!why) return '';
  if (kind === 'Secret') return ': its content differed';
  return `: ${why.path} was ${inWords(why.found)}, wanted ${inWords(why.wanted)}`;
}

function inWords(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Removes objects of earlier edits: an autoscaler that is not wanted any more, policies that were switched off. */
async function removeSurplus(
  context: ReconcileContext,
  key: SaleKey,
  sale: KubeObject,
  wanted: readonly KubeObject[],
): Promise<void> {
  const names = new Set(wanted.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  for (const found of context.cache.owned(key)) {
    const { kind, metadata } = found;
    if (names.has(`${kind}/${metadata.name}`) || metadata.deletionTimestamp !== undefined) continue;
    await context.client.delete(resourceOf(found), metadata.namespace ?? '', metadata.name, {
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      propagation: 'Background',
    });
    context.events.event(
      sale,
      'Normal',
      'Removed',
      'Delete',
      `Removed ${kind} ${metadata.name}, which is not wanted any more`,
    );
  }
}
