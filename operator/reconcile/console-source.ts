// What the console shows of the sales in a cluster: what the last reconcile found, and the resource
// table as it is now.

import type { FlashSale } from '../api/flashsale.gen.ts';
import { type Audited, audit } from '../audit/audit.ts';
import { snapshotOf, summaryOf } from '../console/snapshot.ts';
import { type SaleSource, Unavailable } from '../console/source.ts';
import { type KubeObject, keyOf } from '../kube/objects.ts';
import { nameOf } from '../manifests/objects.ts';
import { PORTS } from '../manifests/places.ts';
import type { Controller } from './controller.ts';
import { componentOf } from './observed.ts';
import { valuesOf } from './secrets.ts';

/** `controller` returns undefined while this operator stands by. `lease` is the namespace/name of the Lease that tells who leads. */
export function consoleSource(controller: () => Controller | undefined, lease: string): SaleSource {
  const leading = (): Controller => {
    const found = controller();
    if (!found)
      throw new Unavailable(
        `This operator stands by. The one that Lease ${lease} names leads and shows the sales: open the console’s Service.`,
      );
    return found;
  };
  const statusOf = ({ metadata, status }: FlashSale) =>
    leading().peek(keyOf(metadata.namespace, metadata.name))?.snapshot?.status ?? status ?? {};
  const audited = (key: string): Audited => {
    const { cache, peek } = leading();
    const sale = cache.sale(key);
    const config = peek(key)?.session.config;
    if (!sale || !config) throw new Unavailable('There is nothing to audit yet.');
    const name = nameOf(sale.metadata, 'secrets');
    const secrets = valuesOf(cache.find(key, { kind: 'Secret', metadata: { name } }));
    return { config, secret: (key) => secrets.get(key) ?? '' };
  };
  return {
    list: () =>
      leading()
        .sales()
        .map((sale) => summaryOf({ sale, status: statusOf(sale) })),
    async snapshot(key) {
      const { cache, peek } = leading();
      const sale = cache.sale(key);
      if (!sale) return undefined;
      const state = peek(key);
      const traffic = await state?.traffic.read(storefrontMetrics(cache.pods(key)));
      const { table } = state?.session ?? {};
      return snapshotOf(
        { sale, status: statusOf(sale), table, waitingFor: state?.snapshot?.waitingFor, traffic },
        Date.now(),
      );
    },
    audit: (key) => audit(() => audited(key), { timeout: 5000 }),
  };
}

const storefrontMetrics = (pods: readonly KubeObject[]): string[] =>
  pods
    .filter((pod) => componentOf(pod) === 'storefront')
    .flatMap(({ status }) => (status as { podIP?: string } | undefined)?.podIP ?? [])
    .map((ip) => `http://${ip.includes(':') ? `[${ip}]` : ip}:${PORTS.metrics}/metrics`);
