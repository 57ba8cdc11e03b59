// What a sale consists of: FlashSale → Topology. Every driver (processes on one machine, objects in a cluster) makes
// the same Topology so; where things listen is a driver's business (placement.ts). Pure: reads nothing, knows no time.

import type { AuthConfig, QualificationConfig, SaleConfig } from '../../dataplane/protocol/config.ts';
import {
  DATABASE_USERS,
  databaseSecret,
  type RedisUser,
  redisSecret,
  SECRETS,
} from '../../dataplane/protocol/config.ts';
import { COMPACTED, TOPICS, topicName } from '../../dataplane/protocol/messages.ts';
import type { SecretUse } from '../../dataplane/protocol/shared-secret.ts';
import { type NodeId, nodeId, type ShardId, shardId } from '../../dataplane/protocol/units.ts';
import type {
  AuthSpec,
  FlashSale,
  KafkaSpec,
  QualificationSpec,
  ResourcesSpec,
  StorefrontAutoscalingSpec,
  StorefrontSpec,
} from '../api/flashsale.gen.ts';
import { parseDuration, parseTimestamp } from '../api/scalars.ts';

export interface Topology {
  namespace: string;
  name: string;
  /** What the roles are told and no driver has a say in. */
  settings: Pick<
    SaleConfig,
    | 'generation'
    | 'sku'
    | 'stock'
    | 'window'
    | 'paused'
    | 'token'
    | 'orders'
    | 'storefront'
    | 'auth'
    | 'cors'
    | 'balancer'
  >;
  /** The rules for buyers, without the files of the lists, which a driver places. */
  qualification: Omit<QualificationConfig, 'allow' | 'deny'>;
  lists: { allow?: BuyerList; deny?: BuyerList };
  caches: { nodes: NodeId[]; durability: SaleConfig['cache']['durability']; storage: Storage } & Resources;
  shards: { members: { id: ShardId; database: string }[]; storage: Storage } & Resources;
  pool: { database: string };
  storefronts: { replicas: number; autoscaling?: StorefrontAutoscalingSpec } & Resources;
  kafka: KafkaTopology;
  /** Secrets to make once and keep for the life of the sale. */
  secrets: SecretName[];
  /** Secrets the resource refers to, and the file each becomes for the roles. */
  givenSecrets: GivenSecret[];
  /** Volumes outlive the resource. */
  retain: boolean;
}

export interface SecretName {
  name: string;
  /** base64url where it stands in connection strings. Always 32 random bytes. */
  encoding: 'base64' | 'base64url';
}

export interface GivenSecret {
  file: string;
  from: ObjectKey;
  /** How the secret is used that proves who a buyer is, so that a weak one can be refused. Absent: anything will do. */
  use?: SecretUse;
}

export interface ObjectKey {
  name: string;
  key: string;
}

export interface BuyerList {
  ids?: string[];
  /** Texts with one id a line, to be joined into one file. */
  from: ObjectKey[];
}

export interface KafkaTopology {
  /** A Kafka of the owner's; absent: the one the driver offers. */
  brokers?: string[];
  prefix: string;
  topics: { name: string; compacted: boolean }[];
  /** −1: the brokers' default. */
  replicationFactor: number;
  tls: boolean;
  /** Name in the secrets folder, as in the configuration. */
  caFile?: string;
  sasl?: NonNullable<SaleConfig['kafka']['sasl']>;
}

interface Storage {
  size: string;
  storageClassName?: string;
}

interface Resources {
  resources?: ResourcesSpec;
}

const REDIS_USERS: readonly RedisUser[] = ['agent', 'storefront', 'pool', 'audit'];
const JWT_SECRET = 'jwt-secret';
const PROXY_SECRET = 'proxy-secret';

/** Makes the topology. `sale` is valid and has its defaults. Its metadata.generation counts its edits; a resource that was never applied has none yet. */
export function buildTopology(sale: FlashSale): Topology {
  const { metadata, spec } = sale;
  const { allowList, denyList } = spec.qualification;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    settings: settingsOf(sale),
    qualification: qualificationOf(spec.qualification),
    lists: { ...(allowList ? { allow: listOf(allowList) } : {}), ...(denyList ? { deny: listOf(denyList) } : {}) },
    caches: {
      nodes: numbered(spec.cache.nodes, nodeId),
      durability: spec.cache.durability,
      storage: spec.cache.storage,
      ...resourcesOf(spec.cache),
    },
    shards: {
      members: numbered(spec.shards.count, shardId).map((id) => ({ id, database: id })),
      storage: spec.shards.storage,
      ...resourcesOf(spec.shards),
    },
    pool: { database: 'pool' },
    storefronts: storefrontsOf(spec.storefront),
    kafka: kafkaOf(spec.kafka, `flashsale.${metadata.namespace}.${metadata.name}`),
    secrets: [
      ...[SECRETS.tokenKey, SECRETS.busKey, SECRETS.ordersKey].map((name) => ({ name, encoding: 'base64' as const })),
      ...[SECRETS.internal, ...REDIS_USERS.map(redisSecret), ...DATABASE_USERS.map(databaseSecret)].map((name) => ({
        name,
        encoding: 'base64url' as const,
      })),
    ],
    givenSecrets: [
      ...identitySecrets(spec.auth),
      ...(spec.kafka.tls?.caSecretRef ? [{ file: SECRETS.kafkaCa, from: spec.kafka.tls.caSecretRef }] : []),
      ...(spec.kafka.sasl ? [{ file: SECRETS.kafkaPassword, from: spec.kafka.sasl.secretRef }] : []),
    ],
    retain: spec.deletionPolicy === 'Retain',
  };
}

const numbered = <T>(count: number, id: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => id(n));

const resourcesOf = ({ resources }: Resources): Resources => (resources ? { resources } : {});

const storefrontsOf = ({ replicas, autoscaling, resources }: StorefrontSpec): Topology['storefronts'] => ({
  replicas,
  ...(autoscaling ? { autoscaling } : {}),
  ...(resources ? { resources } : {}),
});

function settingsOf({ metadata, spec }: FlashSale): Topology['settings'] {
  const { opensAt, closesAt } = spec.window;
  const { paymentDeadline } = spec.orders;
  const { rule, deadBand, summaryPeriod, shardTime, delay, period } = spec.balancer;
  return {
    generation: metadata.generation ?? 1,
    sku: spec.sku,
    stock: spec.stock,
    window: {
      ...(opensAt === undefined ? {} : { opensAt: parseTimestamp(opensAt) }),
      ...(closesAt === undefined ? {} : { closesAt: parseTimestamp(closesAt) }),
    },
    paused: spec.paused,
    token: { ttl: parseDuration(spec.token.ttl) },
    orders: paymentDeadline === undefined ? {} : { paymentDeadline: parseDuration(paymentDeadline) },
    storefront: { connections: spec.storefront.connections },
    auth: authOf(spec.auth),
    ...(spec.storefront.cors ? { cors: spec.storefront.cors } : {}),
    balancer: {
      rule,
      deadBand,
      summaryPeriod: parseDuration(summaryPeriod),
      shardTime: parseDuration(shardTime),
      delay: parseDuration(delay),
      ...(period === undefined ? {} : { period: parseDuration(period) }),
    },
  };
}

function authOf({ trustedHeader, jwt }: AuthSpec = {}): AuthConfig {
  if (jwt) {
    const { secretRef, ...rest } = jwt;
    return { kind: 'jwt', ...rest, ...(secretRef ? { secretFile: JWT_SECRET } : {}) };
  }
  if (!trustedHeader) return { kind: 'none' };
  const { name: header, proxyHeader, proxySecretRef } = trustedHeader;
  if (proxySecretRef) return { kind: 'header', header, proxy: { header: proxyHeader, secretFile: PROXY_SECRET } };
  // A stored resource from before the API asked for it says neither.
  return trustedHeader.insecure ? { kind: 'header', header } : { kind: 'none' };
}

function identitySecrets({ trustedHeader, jwt }: AuthSpec = {}): GivenSecret[] {
  if (jwt?.secretRef) return [{ file: JWT_SECRET, from: jwt.secretRef, use: 'key' }];
  if (trustedHeader?.proxySecretRef) return [{ file: PROXY_SECRET, from: trustedHeader.proxySecretRef, use: 'header' }];
  return [];
}

function qualificationOf(spec: QualificationSpec): Topology['qualification'] {
  const { perBuyer, maxQuantity, reservations, rateLimit, webhook } = spec;
  return {
    perBuyer,
    maxQuantity,
    reservations: { maxLapsed: reservations.maxLapsed, cooldown: parseDuration(reservations.cooldown) },
    ...(rateLimit ? { rateLimit } : {}),
    ...(webhook ? { webhook: { ...webhook, timeout: parseDuration(webhook.timeout) } } : {}),
  };
}

const listOf = ({ ids, configMapRefs }: { ids?: string[]; configMapRefs?: ObjectKey[] }): BuyerList => ({
  ...(ids ? { ids } : {}),
  from: configMapRefs ?? [],
});

function kafkaOf({ bootstrapServers, replicationFactor, tls, sasl }: KafkaSpec, prefix: string): KafkaTopology {
  return {
    ...(bootstrapServers ? { brokers: bootstrapServers } : {}),
    prefix,
    topics: TOPICS.map((topic) => ({ name: topicName(prefix, topic), compacted: COMPACTED.includes(topic) })),
    replicationFactor: replicationFactor ?? -1,
    tls: tls?.enabled ?? false,
    ...(tls?.caSecretRef ? { caFile: SECRETS.kafkaCa } : {}),
    ...(sasl ? { sasl: { mechanism: MECHANISMS[sasl.mechanism], username: sasl.username } } : {}),
  };
}

const MECHANISMS = {
  PLAIN: 'plain',
  'SCRAM-SHA-256': 'scram-sha-256',
  'SCRAM-SHA-512': 'scram-sha-512',
} as const;
