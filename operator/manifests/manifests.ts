// Topology → the objects of a sale in a cluster, by the step of reconciling that applies them. Pure and deterministic:
// the same input gives the same objects, byte for byte. No object but a Secret holds a secret.

import type { KubeObject } from '../kube/objects.ts';
import type { ManifestInput } from './input.ts';

export type { ManifestInput } from './input.ts';

export interface Manifests {
  /** S-secrets and S-redis. */
  secrets: KubeObject[];
  /** The ConfigMap that every role reads. */
  config: KubeObject[];
  caches: KubeObject[];
  shards: KubeObject[];
  pool: KubeObject[];
  storefronts: KubeObject[];
  /** NetworkPolicies; none when the operator was told to make none. */
  policies: KubeObject[];
}

export function manifestsOf(input: ManifestInput): Manifests {
  throw new Error(`no manifests: ${input.topology.name}`);
}
