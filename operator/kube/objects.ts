// What objects of Kubernetes look like to us, and where the API server keeps each kind that we use. Knows no client.

/** The field manager: under this name the API server records which fields the operator has set. */
export const FIELD_MANAGER = 'flashsale-operator';

/** The owner of an object: when the owner is deleted, so is the object. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

export interface Meta {
  name: string;
  /** The namespace; absent for objects that belong to none. */
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  /** Raised by every change of spec. */
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
  creationTimestamp?: string;
  deletionTimestamp?: string;
}

/** Any object; what it has beside these three is for its reader to know. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Meta;
  [field: string]: unknown;
}

/** Where the API server keeps the objects of one kind. */
export interface Resource {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
}

export type Kind =
  | 'FlashSale'
  | 'Secret'
  | 'ConfigMap'
  | 'Service'
  | 'Pod'
  | 'PersistentVolumeClaim'
  | 'StatefulSet'
  | 'Deployment'
  | 'PodDisruptionBudget'
  | 'HorizontalPodAutoscaler'
  | 'NetworkPolicy'
  | 'Lease'
  | 'Event'
  | 'Namespace';

const resource = (apiVersion: string, kind: Kind, plural: string, namespaced = true): Resource => ({
  apiVersion,
  kind,
  plural,
  namespaced,
});

export const RESOURCES: Record<Kind, Resource> = {
  FlashSale: resource('flashsale.dev/v1alpha1', 'FlashSale', 'flashsales'),
  Secret: resource('v1', 'Secret', 'secrets'),
  ConfigMap: resource('v1', 'ConfigMap', 'configmaps'),
  Service: resource('v1', 'Service', 'services'),
  Pod: resource('v1', 'Pod', 'pods'),
  PersistentVolumeClaim: resource('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims'),
  StatefulSet: resource('apps/v1', 'StatefulSet', 'statefulsets'),
  Deployment: resource('apps/v1', 'Deployment', 'deployments'),
  PodDisruptionBudget: resource('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets'),
  HorizontalPodAutoscaler: resource('autoscaling/v2', 'HorizontalPodAutoscaler', 'horizontalpodautoscalers'),
  NetworkPolicy: resource('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies'),
  Lease: resource('coordination.k8s.io/v1', 'Lease', 'leases'),
  Event: resource('events.k8s.io/v1', 'Event', 'events'),
  Namespace: resource('v1', 'Namespace', 'namespaces', false),
};

/** Returns the resource of an object that is to be written. Throws when its kind is not in the table above. */
export function resourceOf({ apiVersion, kind }: Pick<KubeObject, 'apiVersion' | 'kind'>): Resource {
  const found = (RESOURCES as Partial<Record<string, Resource>>)[kind];
  if (found?.apiVersion !== apiVersion) throw new Error(`${kind} of ${apiVersion} is no kind that is used here`);
  return found;
}

/** Names an object among those of its kind. */
export const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** The name of an object in sentences, such as `StatefulSet shop/phone-cache`. */
export const titleOf = ({ kind, metadata }: KubeObject): string =>
  `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`;
