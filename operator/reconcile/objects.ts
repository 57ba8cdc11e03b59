// Makes the objects of a sale as they are wanted, repairs what somebody changed, and removes what is not wanted any
// more. What the API server refuses becomes a trouble of this sale, never an end of the loop.

import type { FlashSaleStatus } from '../api/flashsale.gen.ts';
import { type Applied, applyWanted, createWanted, wasApplied } from '../kube/apply.ts';
import { KubeError } from '../kube/client.ts';
import { type Difference, firstDifference } from '../kube/difference.ts';
import { type KubeObject, resourceOf, titleOf } from '../kube/objects.ts';
import type { Manifests } from '../manifests/manifests.ts';
import { nameOf } from '../manifests/objects.ts';
import type { ReconcileContext } from './context.ts';
import { type DegradedReason, refusalReason } from './degraded-reasons.ts';
import type { SaleKey } from './informer-cache.ts';
import { workloadView } from './observed.ts';
import { keepVolumes } from './volumes.ts';

export interface Made {
  troubles: DegradedReason[];
  /** What will still happen, in words: parts that were edited now, and those that wait until an earlier one has replaced its pods. */
  rollout: string[];
}

/** The order in which templates roll out: what sells last is replaced last. Everything else is made at once. */
const WORKLOADS = ['pool', 'shards', 'caches', 'storefronts'] as const;

export async function makeObjects(
  kit: ReconcileContext,
  key: SaleKey,
  sale: KubeObject,
  manifests: Manifests,
  secretExists: boolean,
): Promise<Made> {
  const made: Made = { troubles: [], rollout: [] };
  const make = async (wanted: KubeObject) => {
    const { did, trouble } = await makeOne(kit, key, sale, wanted, secretExists);
    if (trouble) made.troubles.push(trouble);
    return did;
  };
  for (const wanted of [...manifests.secrets, ...manifests.config, ...manifests.policies]) await make(wanted);

  let rolling: string | undefined;
  for (const part of WORKLOADS)
    for (const wanted of manifests[part]) {
      const found = kit.cache.find(key, wanted);
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
      // The copy is of before the edit.
      if ((isOther && did === 'changed') || workloadView(found).rolling) rolling = name;
    }
  await removeSurplus(kit, key, sale, Object.values(manifests).flat());
  return made;
}

const isWorkload = ({ kind }: KubeObject): boolean => kind === 'StatefulSet' || kind === 'Deployment';

const specOf = ({ spec }: KubeObject) => (spec ?? {}) as { template?: unknown; replicas?: number };

/** Whether its pods may have to be replaced. What is dropped from a template shows in no comparison with what is wanted. */
function hasOtherTemplate(wanted: KubeObject, found: KubeObject): boolean {
  const { template, replicas } = specOf(wanted);
  if (firstDifference(template, specOf(found).template) !== undefined) return true;
  const isScaled = replicas !== undefined && replicas !== specOf(found).replicas;
  return !isScaled && !wasApplied(wanted, found);
}

/** Whose the number of replicas is from the moment an autoscaler is wanted until it says one itself. */
const AUTOSCALING = 'flashsale-autoscaling';

/** A Deployment whose replicas nobody owns any more would fall to one, in the middle of a sale. */
async function handReplicasOver({ client, cache }: ReconcileContext, key: SaleKey, wanted: KubeObject): Promise<void> {
  const found = cache.find(key, wanted);
  const { apiVersion, kind, metadata } = wanted;
  const scaled = cache.find(key, { kind: 'HorizontalPodAutoscaler', metadata });
  const replicas = found && specOf(found).replicas;
  if (kind !== 'Deployment' || replicas === undefined || scaled || specOf(wanted).replicas !== undefined) return;
  const { name, namespace = '' } = metadata;
  const held = { apiVersion, kind, metadata: { name, namespace }, spec: { replicas } };
  await client.apply(held, { fieldManager: AUTOSCALING, force: true });
}

interface One {
  did: Applied['did'];
  trouble: DegradedReason | undefined;
}

async function makeOne(
  kit: ReconcileContext,
  key: SaleKey,
  sale: KubeObject,
  asked: KubeObject,
  secretExists: boolean,
): Promise<One> {
  const { client, cache, events } = kit;
  const { wanted, trouble } = keepVolumes(asked, cache.find(key, asked));
  const title = `${wanted.kind} ${wanted.metadata.name}`;
  try {
    await handReplicasOver(kit, key, wanted);
    if (wanted.kind === 'Secret' && wanted.metadata.name === nameOf(sale.metadata, 'secrets') && !secretExists) {
      // Never over another one: a password that was there before is the one the databases know.
      await createWanted(client, wanted);
      return { did: 'created', trouble };
    }
    const { did, why, taken = [] } = await applyWanted(client, wanted, cache.find(key, wanted));
    if (did === 'created' && isNews(sale, wanted))
      events.event(sale, 'Normal', 'Created', 'Create', `Created ${title}`);
    if (did === 'changed') events.event(sale, 'Normal', 'Updated', 'Update', `Updated ${title}${because(wanted, why)}`);
    for (const { manager, field } of taken)
      events.event(
        sale,
        'Warning',
        'TookOver',
        'Update',
        `${title}: ${field} was set by ${manager}; it is the operator's, and was set back`,
      );
    return { did, trouble };
  } catch (error) {
    // An answer that asking again at once will not change, that of a webhook whose server is away (500) among them: the rest
    // of the pass does not wait for it.
    if (!(error instanceof KubeError) || ![400, 403, 404, 409, 422, 500].includes(error.status)) throw error;
    const message = `${titleOf(wanted)} cannot be made: ${error.message}`;
    const blocks = cache.find(key, wanted) === undefined;
    return { did: 'nothing', trouble: { reason: refusalReason(error.message), message, blocks } };
  }
}

/** A new sale makes two dozen objects: those that run are worth a line each. In a sale that serves, any that was lost is. */
const isNews = (sale: KubeObject, { kind }: KubeObject): boolean =>
  kind === 'StatefulSet' ||
  kind === 'Deployment' ||
  (sale.status as FlashSaleStatus | undefined)?.incarnation !== undefined;

/** Names the first difference; of a Secret only where it is. */
function because({ kind }: KubeObject, why: Difference | undefined): string {
  if (!why) return '';
  if (kind === 'Secret') return `: ${why.path} differed`;
  return `: ${why.path} was ${inWords(why.found)}, wanted ${inWords(why.wanted)}`;
}

function inWords(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** Objects of earlier edits: an autoscaler that is not wanted any more, policies that were switched off. */
async function removeSurplus(
  kit: ReconcileContext,
  key: SaleKey,
  sale: KubeObject,
  wanted: readonly KubeObject[],
): Promise<void> {
  const names = new Set(wanted.map(({ kind, metadata }) => `${kind}/${metadata.name}`));
  for (const found of kit.cache.owned(key)) {
    const { kind, metadata } = found;
    if (names.has(`${kind}/${metadata.name}`) || metadata.deletionTimestamp !== undefined) continue;
    await kit.client.delete(resourceOf(found), metadata.namespace ?? '', metadata.name, {
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      propagation: 'Background',
    });
    kit.events.event(
      sale,
      'Normal',
      'Removed',
      'Delete',
      `Removed ${kind} ${metadata.name}, which is not wanted any more`,
    );
  }
}
