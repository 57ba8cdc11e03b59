// The configuration that a role reads when it starts, and again whenever the resource is edited: one JSON document per
// sale, written by a driver (a file in local mode, a ConfigMap in a cluster), read and watched by every role. A role is
// a kind of process of the data plane. The document is plain data without secrets; those are files in a folder of their
// own, named below.
//
// What the stores themselves know (incarnation, epochs, layout, paused, which shards have joined) is not here:
// it is read from the stores, so that no configuration can contradict them.

import type { Millis, NodeId, ShardId, Units } from './units.ts';

/** The host and port where a process listens. */
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

/**
 * The transfer pool's database, which also holds the sale's registry, and the HTTP address of the pool's agent
 * (refills).
 */
export interface PoolConfig extends Address {
  database: string;
  agent: Address;
}

/** How many connections of clients one storefront keeps open. */
export interface ConnectionsConfig {
  most: number;
  /** Of one client: an IPv4 address, or a /64 network of IPv6. When it is absent, clients are not limited. */
  perAddress?: number;
}

export interface QualificationConfig {
  /** The most units that one buyer may ever order in this sale. */
  perBuyer: Units;
  /** The most units that one purchase may ask for. */
  maxQuantity: Units;
  /** The token bucket of each buyer in each storefront. When it is absent, buyers are not limited. */
  rateLimit?: { perSecond: number; burst: number };
  /**
   * After so many reservations in a row that lapsed, a buyer waits for the cooldown before the next one. When it is
   * absent, buyers may let any number lapse.
   */
  reservations?: { maxLapsed: number; cooldown: Millis };
  /** Only these buyers qualify. When it is absent, everyone does. */
  allow?: ListConfig;
  /** These buyers never qualify. */
  deny?: ListConfig;
  /** An external risk check, asked once per new purchase. */
  webhook?: { url: string; timeout: Millis; failurePolicy: 'Allow' | 'Deny' };
}

/**
 * A list of buyers: ids in the document, and files with one id a line, for hundreds of thousands. Both together are the
 * list.
 */
export interface ListConfig {
  ids?: string[];
  files?: string[];
}

export type AuthConfig =
  /** A resource from before the API asked for a way. Nobody is let in. */
  | { kind: 'none' }
  /**
   * `proxy` is the header in which the authenticating proxy shows the secret that stands in this file of the secrets
   * folder. When it is absent, whoever reaches a storefront can buy as anybody.
   */
  | { kind: 'header'; header: string; proxy?: { header: string; secretFile: string } }
  | {
      kind: 'jwt';
      /** Exactly one of `jwksUri` and `secretFile` is set. `secretFile` is a name in the secrets folder (HS256). */
      jwksUri?: string;
      secretFile?: string;
      issuer?: string;
      audience?: string;
      /** The `typ` that the token's header must carry. When it is absent, any will do. */
      typ?: string;
      buyerClaim: string;
    };

/** Returns true when whoever reaches a storefront can buy as anybody. */
export const isInsecure = (auth: AuthConfig): boolean => auth.kind === 'header' && auth.proxy === undefined;

export interface BalancerConfig {
  rule: 'Average' | 'Threshold' | 'None';
  /** The share of the target level, 0…1, by which a shard may differ from it without being balanced. */
  deadBand: number;
  /** How long a shard agent sums deltas before it reports (R12). */
  summaryPeriod: Millis;
  /** `shardTime` and `delay` are k and m of R21, used until measured ones exist. */
  shardTime: Millis;
  delay: Millis;
  /** The time between plans. When it is absent, it is n·k + m (R21). */
  period?: Millis;
}

export interface KafkaConfig {
  brokers: string[];
  /** The topics are named `<prefix>.deltas`, `.levels`, `.transfers`, `.commands` and `.orders`. */
  prefix: string;
  replicationFactor: number;
  tls: boolean;
  /**
   * The name, in the secrets folder, of the certificate (PEM) of the authority that signed the brokers' certificates.
   * When it is absent, the public authorities are trusted.
   */
  caFile?: string;
  /** The password is the secret `kafka-password`. */
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string };
}

export interface SaleConfig {
  namespace: string;
  name: string;
  /** The generation of the resource that this document was made from. Changes of the supply carry it. */
  generation: number;
  sku: string;
  /** The desired lifetime supply. */
  stock: Units;
  /** When purchases are taken, in ms since 1970 by the storefront's own clock. An absent end is open. */
  window: { opensAt?: Millis; closesAt?: Millis };
  paused: boolean;
  token: { ttl: Millis };
  orders: { paymentDeadline?: Millis };
  storefront: { connections: ConnectionsConfig };
  qualification: QualificationConfig;
  auth: AuthConfig;
  /** The origins whose pages may call storefronts from a browser. When it is absent, none may. */
  cors?: { origins: string[] };
  cache: { durability: 'Always' | 'EverySecond'; nodes: NodeConfig[] };
  shards: ShardConfig[];
  pool: PoolConfig;
  kafka: KafkaConfig;
  balancer: BalancerConfig;
}

/** The names of the files in the secrets folder. Each holds one secret, without a newline. */
export const SECRETS = {
  /** The HMAC-SHA256 key of the tokens: base64 of at least 32 bytes. */
  tokenKey: 'token-key',
  /** The keys of the messages between the roles, as message-mac.ts reads them: one on a line, the signing one first. */
  busKey: 'bus-key',
  /** Likewise of the topic `orders`. They are others than those, so that a merchant who verifies can forge no command. */
  ordersKey: 'orders-key',
  /** The bearer token of the agents' internal HTTP endpoints. */
  internal: 'internal',
  kafkaPassword: 'kafka-password',
  kafkaCa: 'kafka-ca',
} as const;

/**
 * The Redis ACL users. Every one but `agent` is off until the cache agent finds the node fit (protocol: "Losing a cache
 * node").
 */
export type RedisUser = 'agent' | 'storefront' | 'pool' | 'audit';
export const GATED_REDIS_USERS = ['storefront', 'pool', 'audit'] as const satisfies RedisUser[];
export const redisSecret = (user: RedisUser): string => `redis-${user}`;

/** The database roles in PostgreSQL, each with least privilege. `owner` owns the schema; the shard agents use it. */
export const DATABASE_USERS = ['owner', 'storefront', 'cache', 'operator', 'audit'] as const;
export type DatabaseUser = (typeof DATABASE_USERS)[number];
export const databaseRole = (user: DatabaseUser): string => `flashsale_${user}`;
export const databaseSecret = (user: DatabaseUser): string => `postgres-${user}`;
