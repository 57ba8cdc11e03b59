// What every object of a sale has in common: its name, its labels, and whose it is. Pure.

import type { V1LabelSelector } from '@kubernetes/client-node';
import { type Kind, type KubeObject, RESOURCES } from '../kube/objects.ts';
import type { Topology } from '../topology/topology.ts';
import type { ManifestInput } from './input.ts';
import { ownershipOf } from './ownership.ts';

/** The part of a sale that an object belongs to. `sale` is what all the others share. */
export type Component = 'storefront' | 'cache' | 'shard' | 'pool' | 'sale';

const MANAGER = 'flashsale-operator';

type Named = Pick<Topology, 'name'>;

/** The name of the sale's object with this ending. The Service that buyers talk to has the bare name of the sale. */
export const nameOf = ({ name }: Named, ending: Component | 'secrets' | 'redis' | 'config'): string =>
  `${name}-${ending}`;

/** What a selector may ask for: these never change. */
const identity = ({ name }: Named, component: Component): Record<string, string> => ({
  'app.kubernetes.io/name': 'flashsale',
  'app.kubernetes.io/instance': name,
  'app.kubernetes.io/component': component,
});

export const labelsOf = (sale: Named, component: Component): Record<string, string> => ({
  ...identity(sale, component),
  'app.kubernetes.io/managed-by': MANAGER,
  'flashsale.dev/sale': sale.name,
});

/** The pods of one component. */
export const selectorOf = (sale: Named, component: Component): V1LabelSelector & { matchLabels: Labels } => ({
  matchLabels: identity(sale, component),
});
type Labels = Record<string, string>;

/** The selector as a text, for status.selector and for queries. */
export const selectorText = (sale: Named, component: Component): string =>
  Object.entries(identity(sale, component))
    .map(([label, value]) => `${label}=${value}`)
    .join(',');

export interface ObjectOptions {
  /** Outlives the sale. */
  orphan?: boolean;
}

/** Makes an object. `body` is everything beside apiVersion, kind and metadata. */
export function object(
  { sale, topology }: ManifestInput,
  kind: Kind,
  component: Component,
  name: string,
  body: Record<string, unknown>,
  { orphan = false }: ObjectOptions = {},
): KubeObject {
  const { uid } = sale.metadata;
  return {
    apiVersion: RESOURCES[kind].apiVersion,
    kind,
    metadata: {
      name,
      namespace: topology.namespace,
      labels: labelsOf(topology, component),
      ...ownershipOf({ name: topology.name, uid }, orphan),
    },
    ...body,
  };
}
