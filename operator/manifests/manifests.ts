// Topology → the objects of a sale in a cluster, by the step of reconciling that applies them. Pure and deterministic:
// the same input gives the same objects, byte for byte. No object but a Secret holds a secret.

import type { KubeObject } from '../kube/objects.ts';
import { cacheObjects } from './cache.ts';
import { configObjects } from './config.ts';
import type { ManifestInput } from './input.ts';
import { policyObjects } from './policies.ts';
import { poolObjects } from './pool.ts';
import { secretObjects } from './secrets.ts';
import { shardObjects } from './shard.ts';
import { storefrontObjects } from './storefront.ts';

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

/** Throws when a secret is missing: whoever calls makes and reads them first. */
export const manifestsOf = (input: ManifestInput): Manifests => ({
  secrets: secretObjects(input),
  config: configObjects(input),
  caches: cacheObjects(input),
  shards: shardObjects(input),
  pool: poolObjects(input),
  storefronts: storefrontObjects(input),
  policies: policyObjects(input),
});
