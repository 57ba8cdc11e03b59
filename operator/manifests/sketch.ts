// The objects of a sale before there is an operator that makes them: for people who want to see what it will do. What
// only an operator knows is made up, secrets above all. Pure.

import type { FlashSale } from '../api/flashsale.gen.ts';
import type { KubeObject } from '../kube/objects.ts';
import { saleConfig } from '../topology/placement.ts';
import { buildTopology } from '../topology/topology.ts';
import { manifestsOf } from './manifests.ts';
import type { OperatorOptions } from './options.ts';
import { placeInCluster } from './placement.ts';
import { secretsToMake } from './secrets.ts';

const PLACEHOLDER = 'placeholder';

/** What the chart installs when it is given nothing. */
const optionsOf = (version: string): OperatorOptions => ({
  images: {
    flashsale: `ghcr.io/flashsale-dev/flashsale:${version}`,
    redis: 'docker.io/library/redis:8',
    postgres: 'docker.io/library/postgres:18',
  },
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: [],
  kafka: { bootstrapServers: [`${PLACEHOLDER}:9092`] },
  pods: { topologySpread: true },
  networkPolicies: { enabled: true, operatorNamespace: 'flashsale-system' },
  tenants: { plaintextKafka: [], limits: { sale: {}, namespace: {} } },
  watchNamespaces: [],
});

/** Lists the objects in the order in which the operator makes them. `version` is that of this program. */
export function sketch(sale: FlashSale, version: string): KubeObject[] {
  const options = optionsOf(version);
  const topology = buildTopology(sale);
  const cachePods = topology.caches.nodes.length;
  const names = [...secretsToMake(topology).map(({ name }) => name), ...topology.givenSecrets.map(({ file }) => file)];
  const { secrets, config, policies, pool, shards, caches, storefronts } = manifestsOf({
    ...{ sale, topology, options, cachePods },
    secrets: new Map(names.map((name) => [name, PLACEHOLDER])),
    config: saleConfig(topology, placeInCluster(topology, { cachePods, ...options })),
    startedWith: PLACEHOLDER,
  });
  return [...secrets, ...config, ...policies, ...pool, ...shards, ...caches, ...storefronts];
}
