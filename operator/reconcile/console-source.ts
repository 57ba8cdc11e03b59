// What the console shows of the sales in a cluster: what the operator found in its last pass, and the resource table as
// it is now.

import type { FlashSale } from '../api/flashsale.gen.ts';
import { audit } from '../audit/audit.ts';
import { snapshotOf, summaryOf } from '../console/snapshot.ts';
import type { SaleSource } from '../console/source.ts';
import { keyOf } from '../kube/objects.ts';
import { nameOf } from '../manifests/objects.ts';
import type { Controller } from './controller.ts';
import { valuesOf } from './secrets.ts';

/** `leading`: only the leader knows more than the resources say. */
export function consoleSource(controller: () => Controller | undefined): SaleSource {
  const find = (key: string): { sale: FlashSale; controller: Controller } | undefined => {
    const leading = controller();
    const sale = leading?.copies.sale(key);
    return leading && sale && { sale, controller: leading };
  };
  const statusOf = (leading: Controller, sale: FlashSale) =>
    leading.peek(keyOf(sale.metadata.namespace, sale.metadata.name))?.snapshot?.status ?? sale.status ?? {};
  return {
    list() {
      const leading = controller();
      return (leading?.sales() ?? []).map((sale) => summaryOf({ sale, status: statusOf(leading as Controller, sale) }));
    },
    snapshot(key) {
      const found = find(key);
      if (!found) return undefined;
      const { sale } = found;
      const memo = found.controller.peek(key);
      return snapshotOf(
        {
          sale,
          status: statusOf(found.controller, sale),
          table: memo?.engine.table,
          waitingFor: memo?.snapshot?.waitingFor,
        },
        Date.now(),
      );
    },
    async audit(key) {
      const found = find(key);
      const config = found?.controller.peek(key)?.engine.config;
      if (!found || !config) throw new Error(`there is nothing to audit of ${key} yet`);
      const secrets = valuesOf(
        found.controller.copies.find(key, {
          kind: 'Secret',
          metadata: { name: nameOf(found.sale.metadata, 'secrets') },
        }),
      );
      return audit(config, (name) => secrets.get(name) ?? '', { patience: 5000 });
    },
  };
}
