// What is known of the namespaces that are watched.

import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import type { KubeClient } from '../../../operator/kube/client.ts';
import { KubeError } from '../../../operator/kube/errors.ts';
import { InformerCache } from '../../../operator/reconcile/informer-cache.ts';

const sale = (namespace: string) => ({
  apiVersion: 'flashsale.dev/v1alpha1',
  kind: 'FlashSale',
  metadata: { name: 'phone', namespace, uid: namespace, resourceVersion: '1' },
});

/** Lists what there is in a namespace, but of those that are gone, with their roles: those answer 403. */
function watching(namespaces: string[], gone: string[] = []) {
  const touched: string[] = [];
  const client: Pick<KubeClient, 'list' | 'watch'> = {
    async list(resource, { namespace = '' } = {}) {
      if (gone.includes(namespace)) throw new KubeError('list', 403, 'Forbidden');
      return { items: resource.kind === 'FlashSale' ? [sale(namespace || 'anywhere')] : [], resourceVersion: '1' };
    },
    async *watch(_, { signal }) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    },
  };
  const cache = new InformerCache({
    client: client as KubeClient,
    namespaces,
    touched: (key) => touched.push(key),
    log: pino({ level: 'silent' }),
  });
  onTestFinished(() => cache.stop());
  return { cache, touched };
}

test('a namespace that is gone keeps only its own sales waiting', async () => {
  const { cache, touched } = watching(['a', 'b'], ['b']);
  expect(cache.isSynced('a/phone')).toBe(false);
  await expect.poll(() => cache.isSynced('a/phone')).toBe(true);
  // Once when it was found, and once when everything else was.
  expect(touched).toEqual(['a/phone', 'a/phone']);
  expect(cache.isSynced('b/phone')).toBe(false);
});

test('where all namespaces are watched, every sale is known with the first lists', async () => {
  const { cache } = watching([]);
  await expect.poll(() => cache.isSynced('anywhere/phone')).toBe(true);
  expect(cache.sales().length).toBe(1);
});
