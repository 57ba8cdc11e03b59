// Whose an object is. Names and labels are nobody's proof, for anybody may choose them: an object is a sale's when it is
// owned by that very resource, by uid, or when it was kept for the sale's name after the end of one. Pure.

import { type KubeObject, type Meta, type OwnerReference, RESOURCES } from '../kube/objects.ts';

/** The sale's name and uid. A resource that was never applied has no uid, and owns nothing. */
export interface Owner {
  name: string;
  uid?: string | undefined;
}

/**
 * The annotation of an object that outlives its sale, as NAME/UID. A resource of the same name takes it over, because it
 * can exist only after the one with that uid is gone.
 */
const KEPT_FOR = 'flashsale.dev/kept-for';

const ownerReference = (name: string, uid: string): OwnerReference => ({
  apiVersion: RESOURCES.FlashSale.apiVersion,
  kind: RESOURCES.FlashSale.kind,
  name,
  uid,
  controller: true,
  blockOwnerDeletion: true,
});

/** The marks by which the sale finds an object again: an owner, or, where it outlives the sale, for whom it is kept. */
export function ownershipOf({ name, uid }: Owner, outlives: boolean): Pick<Meta, 'ownerReferences' | 'annotations'> {
  if (uid === undefined) return {};
  return outlives
    ? { annotations: { [KEPT_FOR]: `${name}/${uid}` } }
    : { ownerReferences: [ownerReference(name, uid)] };
}

/** The marks as a merge patch sets them, in place of those that are there. */
export const ownershipPatch = ({ name, uid = '' }: Owner, outlives: boolean): object => ({
  ownerReferences: outlives ? [] : [ownerReference(name, uid)],
  annotations: { [KEPT_FOR]: outlives ? `${name}/${uid}` : null },
});

/** Whether the operator may read, change or delete the object for this sale. */
export function isOwnedBy({ name, uid }: Owner, { metadata }: Pick<KubeObject, 'metadata'>): boolean {
  if (uid === undefined) return false;
  const { ownerReferences = [], annotations } = metadata;
  if (ownerReferences.some((owner) => owner.uid === uid)) return true;
  // One that somebody else owns is that one's, whatever else stands on it.
  return ownerReferences.length === 0 && annotations?.[KEPT_FOR]?.split('/')[0] === name;
}

/**
 * Whether a pod is the sale's. Its controller is known by kind and name alone: a ReplicaSet is not watched, and the sets of a
 * sale that ends are gone before their pods.
 */
export function isPodOf({ name }: Owner, { metadata }: Pick<KubeObject, 'metadata'>): boolean {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller?.kind === 'StatefulSet')
    return ['cache', 'shard', 'pool'].some((component) => controller.name === `${name}-${component}`);
  return controller?.kind === 'ReplicaSet' && controller.name.startsWith(`${name}-storefront-`);
}

/** Names in words whose an object is that is not the sale's, for the message about a name that is taken. */
export function ownerInWords({ metadata }: Pick<KubeObject, 'metadata'>): string {
  const [owner] = metadata.ownerReferences ?? [];
  if (owner?.kind === RESOURCES.FlashSale.kind) return `it is of an earlier sale ${owner.name}, and goes with it`;
  return owner === undefined ? 'it is not of this sale' : `it is of ${owner.kind} ${owner.name}`;
}
