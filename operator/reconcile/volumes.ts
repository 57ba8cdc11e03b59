// What a StatefulSet's volumes may become: nothing else. The API server refuses another claim template, and with it
// every other edit of the set; so the template stays as it is found, and the difference is told instead. Pure.

import { firstDifference } from '../kube/difference.ts';
import type { KubeObject } from '../kube/objects.ts';
import type { DegradedReason } from './degraded-reasons.ts';

interface Claim {
  metadata: { name: string; labels?: Record<string, string> };
  spec: Record<string, unknown>;
}

const claimsOf = (set: KubeObject): Claim[] =>
  (set.spec as { volumeClaimTemplates?: Claim[] } | undefined)?.volumeClaimTemplates ?? [];

/** Returns the set as it may be applied, and what is wrong with it. `found` is the set as it is; undefined: it is new, and may have any volumes. */
export function keepVolumes(
  wanted: KubeObject,
  found: KubeObject | undefined,
): { wanted: KubeObject; degradedReason?: DegradedReason } {
  if (wanted.kind !== 'StatefulSet' || found === undefined) return { wanted };
  const former = new Map(claimsOf(found).map((claim) => [claim.metadata.name, claim]));
  const [difference] = claimsOf(wanted).flatMap((claim) => {
    const was = former.get(claim.metadata.name);
    return firstDifference(claim.spec, was?.spec, 'spec') ?? [];
  });
  if (difference === undefined) return { wanted };
  const kept = claimsOf(found).map(({ metadata: { name, labels }, spec }) => ({
    metadata: { name, ...(labels ? { labels } : {}) },
    spec,
  }));
  const { name } = wanted.metadata;
  return {
    wanted: { ...wanted, spec: { ...(wanted.spec as object), volumeClaimTemplates: kept } },
    degradedReason: {
      reason: 'ApplyConflict',
      message: `StatefulSet ${name} keeps its volumes as they were made: the resource asks for ${JSON.stringify(difference.wanted)} where they have ${JSON.stringify(difference.found)}; take the edit of storage back, and grow the volume claims themselves`,
      blocks: false,
    },
  };
}
