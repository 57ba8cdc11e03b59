// Lets pods see an edited configuration at once. A kubelet brings a mounted ConfigMap up to date when it looks at the
// pod, which without a reason is once a minute; an annotation that changes is a reason.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import { KubeError } from '../kube/client.ts';
import { RESOURCES } from '../kube/objects.ts';
import type { ReconcileContext } from './context.ts';
import type { SaleKey } from './informer-cache.ts';

const ANNOTATION = 'flashsale.dev/config';

/** Annotates the sale's pods with the fingerprint of the configuration, where they do not have it. */
export async function nudgePods(
  { client, cache, log }: ReconcileContext,
  key: SaleKey,
  config: SaleConfig,
): Promise<void> {
  const hash = fingerprint(JSON.stringify(config));
  for (const { metadata } of cache.pods(key)) {
    if (metadata.deletionTimestamp !== undefined || metadata.annotations?.[ANNOTATION] === hash) continue;
    try {
      await client.patch(RESOURCES.Pod, metadata.namespace ?? '', metadata.name, {
        metadata: { uid: metadata.uid, annotations: { [ANNOTATION]: hash } },
      });
    } catch (error) {
      // Gone meanwhile, or not allowed: the kubelet looks by itself a little later.
      if (!(error instanceof KubeError) || error.status === 0) throw error;
      log.debug({ err: error, pod: metadata.name }, 'a pod could not be nudged');
    }
  }
}
