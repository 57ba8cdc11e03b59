// Finds the sale that a person means, in a cluster. Throws `UserError`, which names what there is instead.

import { UserError } from '../../dataplane/runtime/user-error.ts';
import type { FlashSale } from '../api/flashsale.gen.ts';
import { nearest } from '../api/suggest.ts';
import type { KubeClient } from '../kube/client.ts';
import { type KubeObject, RESOURCES } from '../kube/objects.ts';
import { isForbidden, isNotServed, NOT_INSTALLED } from './kube-errors.ts';

/** The API server keeps what the CRD allows, with its defaults. */
export const asSale = (object: KubeObject): FlashSale => object as unknown as FlashSale;

export const fullName = ({ metadata }: FlashSale): string => `${metadata.namespace}/${metadata.name}`;

/** Lists the sales by namespace and name; without a namespace, those of all namespaces. */
export async function listSales(client: KubeClient, namespace: string | undefined): Promise<FlashSale[]> {
  try {
    const { items } = await client.list(RESOURCES.FlashSale, { namespace });
    return items.map(asSale).sort((a, b) => fullName(a).localeCompare(fullName(b), 'en', { numeric: true }));
  } catch (error) {
    throw isNotServed(error) ? new UserError(NOT_INSTALLED) : error;
  }
}

interface Where {
  client: KubeClient;
  /** The namespace in which a name without one is looked for. */
  namespace: string;
}

/** Splits `name` or `namespace/name`; a name alone lies in `namespace`. */
function splitName(name: string, namespace: string): [namespace: string, name: string] {
  const [first = '', second, ...rest] = name.split('/');
  if (rest.length > 0) throw new UserError(`${name} is no name of a sale; write NAME or NAMESPACE/NAME`);
  return second === undefined ? [namespace, first] : [first, second];
}

/** The one called so; without a name the only one there is. */
export async function findSale({ client, namespace: usual }: Where, wanted: string | undefined): Promise<FlashSale> {
  if (wanted === undefined) return onlySale(await listSales(client, usual), usual);
  const [namespace, name] = splitName(wanted, usual);
  const found = await client.get(RESOURCES.FlashSale, namespace, name);
  if (found) return asSale(found);
  const here = await listSales(client, namespace);
  throw new UserError(`there is no sale ${namespace}/${name}; ${await instead(client, name, here, namespace)}`);
}

function onlySale(sales: FlashSale[], namespace: string): FlashSale {
  const [only] = sales;
  if (only === undefined) throw new UserError(`there is no sale in namespace ${namespace}; choose another with -n`);
  if (sales.length > 1)
    throw new UserError(`say which sale you mean: ${sales.map(({ metadata }) => metadata.name).join(', ')}`);
  return only;
}

async function instead(client: KubeClient, name: string, here: FlashSale[], namespace: string): Promise<string> {
  const names = here.map(({ metadata }) => metadata.name);
  const meant = nearest(name, names);
  if (meant !== undefined) return `did you mean ${meant}?`;
  const elsewhere = (await everywhere(client)).filter((sale) => sale.metadata.name === name);
  if (elsewhere.length > 0) return `there is ${elsewhere.map(fullName).join(', ')}`;
  return names.length > 0 ? `there is ${names.join(', ')}` : `namespace ${namespace} has none`;
}

/** Names the sales that there are, as far as this user may look. */
async function everywhere(client: KubeClient): Promise<FlashSale[]> {
  try {
    return await listSales(client, undefined);
  } catch (error) {
    if (isForbidden(error)) return [];
    throw error;
  }
}
