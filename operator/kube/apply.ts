// Makes an object as it is wanted, and leaves alone what is: a sale at rest writes nothing. A hash of what was wanted
// is kept in an annotation, so that a field which is not wanted any more is noticed too, though nothing is wanted
// instead of it. What somebody changed by hand is taken back, and said. Nothing is ever written over an object that was not
// found: it is created, which fails when there is one; and every edit names the uid that was found.

import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { KubeClient } from './client.ts';
import { type Difference, firstDifference } from './difference.ts';
import { type Conflict, isConflict } from './errors.ts';
import { FIELD_MANAGER, type KubeObject, type Meta, resourceOf } from './objects.ts';

export interface Applied {
  did: 'nothing' | 'changed';
  /** The first difference that made the change necessary; the values of a Secret are hidden. */
  why?: Difference;
  /** Fields that somebody else had set otherwise and that are as wanted again. */
  taken?: Conflict[];
}

export const APPLIED = 'flashsale.dev/applied';
/** The annotation of an object that was created, and whose fields are not yet the applier's. */
const CREATING = 'flashsale.dev/creating';

/**
 * Edits `found`, which may be a little old. One that is being deleted is left to that. Rejects with a KubeError when there is
 * another object of that name by now.
 */
export async function applyWanted(
  client: Pick<KubeClient, 'apply' | 'get' | 'patch'>,
  wanted: KubeObject,
  found: KubeObject,
): Promise<Applied> {
  const object = stored(wanted);
  const { uid } = found.metadata;
  const annotated = withMeta(annotate(object), uid === undefined ? {} : { uid });
  if (found.metadata.deletionTimestamp !== undefined) return { did: 'nothing' };
  if (found.metadata.annotations?.[CREATING] !== undefined) await takeFields(client, found);
  const difference = firstDifference(object, found);
  if (difference === undefined && wasApplied(wanted, found)) return { did: 'nothing' };

  let taken: Conflict[] = [];
  const made = await client.apply(annotated).catch((error) => {
    if (!isConflict(error) || error.conflicts.length === 0) throw error;
    taken = error.conflicts;
    return client.apply(annotated, { force: true });
  });
  // The API server may have another spelling for the same, or `found` was old: then nothing was changed.
  if (made.metadata.resourceVersion === found.metadata.resourceVersion) return { did: 'nothing' };
  const why = difference ?? dropped(found, made);
  return {
    did: 'changed',
    ...(why === undefined ? {} : { why: wanted.kind === 'Secret' ? hidden(why) : why }),
    ...(taken.length > 0 ? { taken } : {}),
  };
}

/** Creates an object that `applyWanted` can edit later. Rejects with a KubeError, reason AlreadyExists, when there is one of that name. */
export async function createWanted(
  client: Pick<KubeClient, 'create' | 'get' | 'patch'>,
  wanted: KubeObject,
): Promise<void> {
  const { metadata, ...rest } = annotate(stored(wanted));
  const annotations = { ...metadata.annotations, [CREATING]: 'true' };
  await takeFields(client, await client.create({ ...rest, metadata: { ...metadata, annotations } } as KubeObject));
}

/**
 * Makes the fields of a created object those of an apply. The API server counts a create and an apply of one field manager as
 * two, so that a later apply would drop no field, and would find itself in its own way. The annotation goes in the
 * same write, so that whoever was interrupted before it does it later.
 */
async function takeFields(client: Pick<KubeClient, 'get' | 'patch'>, created: KubeObject): Promise<void> {
  const { namespace = '', name, uid } = created.metadata;
  const take = ({ metadata: { resourceVersion, managedFields = [] } }: Managed) =>
    client.patch(resourceOf(created), namespace, name, {
      metadata: {
        ...{ uid, resourceVersion, annotations: { [CREATING]: null } },
        managedFields: managedFields.map((fields) =>
          fields.manager === FIELD_MANAGER && fields.subresource === undefined
            ? { ...fields, operation: 'Apply' }
            : fields,
        ),
      },
    });
  try {
    if ((created as Managed).metadata.managedFields !== undefined) return void (await take(created as Managed));
  } catch (error) {
    // A controller has written its status meanwhile.
    if (!isConflict(error)) throw error;
  }
  const newest = await client.get(resourceOf(created), namespace, name);
  if (newest !== undefined) await take(newest as Managed);
}

/** An object as the API server answers it. Copies of it that are kept have no managedFields. */
interface Managed extends KubeObject {
  metadata: Meta & { managedFields?: { manager?: string; operation?: string; subresource?: string }[] };
}

const withMeta = (object: KubeObject, more: Partial<Meta>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...more },
});

/** Text that a Secret is given is kept as its bytes. */
function stored(wanted: KubeObject): KubeObject {
  const { stringData, ...object } = wanted;
  if (wanted.kind !== 'Secret' || stringData === undefined) return wanted;
  const texts = Object.entries(stringData as Record<string, string>);
  const bytes = texts.map(([name, text]) => [name, Buffer.from(text).toString('base64')]);
  return { ...object, data: { ...(object.data as object | undefined), ...Object.fromEntries(bytes) } } as KubeObject;
}

/** Whether `found` was last applied as it is wanted: also that nothing was wanted then which is not wanted any more. */
export const wasApplied = (wanted: KubeObject, found: KubeObject): boolean =>
  appliedOf(found) === appliedOf(annotate(stored(wanted)));

const appliedOf = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[APPLIED];

function annotate(object: KubeObject): KubeObject {
  const applied = fingerprint(JSON.stringify(sorted(object)));
  const { metadata } = object;
  return { ...object, metadata: { ...metadata, annotations: { ...metadata.annotations, [APPLIED]: applied } } };
}

/** Sorts the fields, so that objects that differ only in their order get one fingerprint. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, inner]) => [name, sorted(inner)]));
}

/** The first field that was there and is not any more, or is back at its default. */
function dropped(found: KubeObject, made: KubeObject): Difference | undefined {
  const { labels, annotations: { [APPLIED]: _, ...annotations } = {}, ownerReferences } = found.metadata;
  const { metadata, status, ...rest } = found;
  const before = { metadata: { labels, annotations, ownerReferences }, ...rest };
  const difference = firstDifference(before, made);
  return difference && { path: difference.path, wanted: difference.found, found: difference.wanted };
}

const hidden = ({ path, wanted, found }: Difference): Difference => {
  const hide = (value: unknown) => (value === undefined ? undefined : '(hidden)');
  return { path, wanted: hide(wanted), found: hide(found) };
};
