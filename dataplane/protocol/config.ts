// What a role is told when it starts, and again whenever the resource is edited: one JSON document per sale,
// written by a driver (a file in local mode, a ConfigMap in a cluster), read and watched by every role.
// Plain data without secrets; those are files in a folder of their own, named below.
//
// What the stores themselves know (incarnation, epochs, layout, paused, which shards have joined) is not here:
// it is read from the stores, so that no configuration can contradict them.

import type { Millis, NodeId, ShardId, Units } from './units.ts';

/** Where a process listens. */
export interface Address {
  host: string;
  port: number;
}

export interface NodeConfig extends Address {
  id: NodeId;
}

export interface ShardConfig extends Address {
  id: ShardId;
  database: string;
}

/** The transfer pool's database (with the registry in it) and its agent's HTTP address (refills). */
export interface PoolConfig extends Address {
  database: string;
  agent: Address;
}

export interface QualificationConfig {
  /** Units one buyer may ever order in this sale. */
  perBuyer: Units;
  /** Units one purchase may ask for. */
  maxQuantity: Units;
  /** Token bucket per buyer and storefront pod; absent: unlimited. */
  rateLimit?: { perSecond: number; burst: number };
  /** Only these buyers qualify; absent: everyone. Ids inline, or files with one id a line (100,000s). */
  allow?: ListConfig;
  /** These buyers never qualify. */
  deny?: ListConfig;
  /** An external risk check, asked once per new purchase. */
  webhook?: { url: string; timeout: Millis; failurePolicy: 'Allow' | 'Deny' };
}

/** All of them together are the list. */
export interface ListConfig {
  ids?: string[];
  files?: string[];
}

export type AuthConfig =
  | { kind: 'header'; header: string }
  | {
      kind: 'jwt';
      /** Exactly one of the two. `secretFile` is a name in the secrets folder (HS256). */
      jwksUri?: string;
      secretFile?: string;
      issuer?: string;
      audience?: string;
      buyerClaim: string;
    };

export interface BalancerConfig {
  rule: 'Average' | 'Threshold' | 'None';
  /** Share of the level within which a shard is left alone, 0…1. */
  deadBand: number;
  /** How long a shard agent sums deltas before it reports (R12). */
  summaryPeriod: Millis;
  /** k and m of R21, used until measured ones exist. */
  shardTime: Millis;
  delay: Millis;
  /** Time between plans; absent: n·k + m, R21. */
  period?: Millis;
}

export interface KafkaConfig {
  brokers: string[];
  /** Topics are `<prefix>.deltas`, `.levels`, `.transfers`, `.commands`, `.orders`. */
  prefix: string;
  replicationFactor: number;
  tls: boolean;
  /** Name in the secrets folder of the authority's certificate (PEM) that the brokers' are signed by; absent: the public ones. */
  caFile?: string;
  /** The password is the secret `kafka-password`. */
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string };
}

export interface SaleConfig {
  namespace: string;
  name: string;
  /** The resource's generation this was made from; supply and layout changes carry it. */
  generation: number;
  sku: string;
  /** Desired lifetime supply. */
  stock: Units;
  /** By the storefront's own clock; an absent end is open. */
  window: { opensAt?: Millis; closesAt?: Millis };
  paused: boolean;
  token: { ttl: Millis };
  orders: { paymentDeadline?: Millis };
  qualification: QualificationConfig;
  auth: AuthConfig;
  cache: { durability: 'Always' | 'EverySecond'; nodes: NodeConfig[] };
  shards: ShardConfig[];
  pool: PoolConfig;
  kafka: KafkaConfig;
  balancer: BalancerConfig;
}

/** Files of the secrets folder. One secret a file, no newline. */
export const SECRETS = {
  /** HMAC-SHA256 key of the tokens, ≥ 32 bytes, base64. */
  tokenKey: 'token-key',
  /** Bearer of the agents' internal HTTP endpoints. */
  internal: 'internal',
  kafkaPassword: 'kafka-password',
  kafkaCa: 'kafka-ca',
} as const;

/** Redis ACL users. Every one but `agent` is off until the cache agent finds the node fit (protocol: "Losing a cache node"). */
export type RedisUser = 'agent' | 'storefront' | 'pool' | 'audit';
export const GATED_REDIS_USERS = ['storefront', 'pool', 'audit'] as const satisfies RedisUser[];
export const redisSecret = (user: RedisUser): string => `redis-${user}`;

/** PostgreSQL roles, least privilege each. `owner` owns the schema and is the shard agent's own. */
export type DatabaseUser = 'owner' | 'storefront' | 'cache' | 'operator' | 'audit';
export const databaseRole = (user: DatabaseUser): string => `flashsale_${user}`;
export const databaseSecret = (user: DatabaseUser): string => `postgres-${user}`;
