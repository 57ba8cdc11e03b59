// Makes an object as it is wanted, and leaves alone what is: a sale at rest writes nothing. A hash of what was wanted
// is kept in an annotation, so that a field which is not wanted any more is noticed too, though nothing is wanted
// instead of it. What somebody changed by hand is taken back, and said.

import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { KubeClient } from './client.ts';
import { type Difference, firstDifference } from './difference.ts';
import { type Conflict, isConflict } from './errors.ts';
import type { KubeObject } from './objects.ts';

export interface Applied {
  did: 'nothing' | 'created' | 'changed';
  /** The first difference that made the change necessary; the values of a Secret are hidden. */
  why?: Difference;
  /** Fields that somebody else had set otherwise and that are as wanted again. */
  taken?: Conflict[];
}

export const APPLIED = 'flashsale.dev/applied';

/**
 * `found` may be a little old. Where none was found, what is there nevertheless belongs to somebody else: then it is not
 * taken over, and the apply's KubeError says who is in the way. One that is being deleted is left to that.
 */
export async function applyWanted(
  client: Pick<KubeClient, 'apply'>,
  wanted: KubeObject,
  found: KubeObject | undefined,
): Promise<Applied> {
  const object = stored(wanted);
  const annotated = annotate(object);
  if (found === undefined) {
    await client.apply(annotated);
    return { did: 'created' };
  }
  if (found.metadata.deletionTimestamp !== undefined) return { did: 'nothing' };
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

/** Creates an object as `applyWanted` would, and never writes over one. Rejects when there is one already. */
export const createWanted = (client: Pick<KubeClient, 'create'>, wanted: KubeObject): Promise<KubeObject> =>
  client.create(annotate(stored(wanted)));

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
