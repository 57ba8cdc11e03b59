// What a sale of a cluster was told, read through the API: its configuration and its secrets, for whoever may read them.
// Its hosts have names that lead somewhere only inside the cluster.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import { UserError } from '../../dataplane/runtime/user-error.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import type { KubeClient } from '../kube/client.ts';
import { RESOURCES } from '../kube/objects.ts';
import { fullName } from './sales.ts';

export interface ClusterSale {
  config: SaleConfig;
  secret: Secret;
}

/** Throws `UserError` while the operator has not made them. */
export async function readClusterSale(client: KubeClient, sale: FlashSale): Promise<ClusterSale> {
  const { namespace, name } = sale.metadata;
  const config = dataOf(await client.get(RESOURCES.ConfigMap, namespace, `${name}-config`))['sale.json'];
  const secrets = dataOf(await client.get(RESOURCES.Secret, namespace, `${name}-secrets`));
  if (config === undefined)
    throw new UserError(`${fullName(sale)} was not started yet; kubectl flashsale status ${fullName(sale)} says why`);
  return {
    config: JSON.parse(config) as SaleConfig,
    secret(key) {
      const value = Buffer.from(secrets[key] ?? '', 'base64')
        .toString('utf8')
        .trim();
      if (value === '') throw new UserError(`Secret ${namespace}/${name}-secrets has no ${key}`);
      return value;
    },
  };
}

const dataOf = (object: { [field: string]: unknown } | undefined): Record<string, string> =>
  (object?.data ?? {}) as Record<string, string>;
