// What the person who installs the operator decides, and every sale shares: images, where pods may run, the Kafka of
// sales that name none. Types only; the operator's program reads them from its arguments.

import type { V1Toleration } from '@kubernetes/client-node';
import type { ResourcesSpecInput } from '../api/flashsale.gen.ts';

export interface OperatorOptions {
  images: { flashsale: string; redis: string; postgres: string };
  imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Names of Secrets in each sale's namespace. */
  imagePullSecrets: string[];
  /** The Kafka of sales that name no brokers of their own. */
  kafka?: { bootstrapServers: string[]; replicationFactor?: number };
  pods: PodOptions;
  networkPolicies: { enabled: boolean; operatorNamespace: string };
  /** What whoever may create a FlashSale is kept from. */
  tenants: TenantOptions;
  /** The namespaces whose sales this operator runs; empty: all. */
  watchNamespaces: string[];
}

export interface TenantOptions {
  /** Brokers, as host:port, to which a sale may send a password in clear: SASL PLAIN without TLS. */
  plaintextKafka: string[];
  /** The most that one sale, and the sales of one namespace together, may ask for. */
  limits: { sale: Limits; namespace: Limits };
}

/** Absent, 0 or an empty text: no limit beyond those of the resource. */
export interface Limits {
  sales?: number;
  shards?: number;
  cacheNodes?: number;
  /** Replicas, or the most an autoscaler may make. */
  storefronts?: number;
  /** All volumes together, such as 100Gi. */
  storage?: string;
}

export interface PodOptions {
  nodeSelector?: Record<string, string>;
  tolerations?: V1Toleration[];
  /** Pods of one kind go to different nodes and zones as far as there are any. */
  topologySpread?: boolean;
  annotations?: Record<string, string>;
  priorityClassName?: string;
  /** The resources of containers about which the sale says nothing. `agent` is the container beside Redis or PostgreSQL, about which no sale has a say. */
  resources?: Partial<Record<ContainerKind, ResourcesSpecInput>>;
}

export type ContainerKind = 'storefront' | 'redis' | 'postgres' | 'agent';
