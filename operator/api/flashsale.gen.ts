// Generated from crds/flashsale.yaml by `node hack/generate.ts`: edit that file, not this one.
// A type …Input is what a person may write; the one without is the same with its defaults filled in.

import type { Units } from '../../dataplane/protocol/units.ts';
import type { ObjectMeta } from './meta.ts';
import type { Duration, Quantity, Timestamp } from './scalars.ts';

/**
 * One sale of one product's limited stock to a crowd. The stock is split over cache nodes, which admit buyers with
 * tokens, and over database shards, which sell; a balancer keeps the shards even. Create one FlashSale per product and
 * sale; edit it while it sells to restock, pause, grow or change the rules.
 */
export interface FlashSale {
  apiVersion: 'flashsale.dev/v1alpha1';
  kind: 'FlashSale';
  metadata: ObjectMeta;
  spec: FlashSaleSpec;
  status?: FlashSaleStatus;
}

/**
 * One sale of one product's limited stock to a crowd. The stock is split over cache nodes, which admit buyers with
 * tokens, and over database shards, which sell; a balancer keeps the shards even. Create one FlashSale per product and
 * sale; edit it while it sells to restock, pause, grow or change the rules.
 */
export interface FlashSaleInput {
  apiVersion: 'flashsale.dev/v1alpha1';
  kind: 'FlashSale';
  metadata: Pick<ObjectMeta, 'name'> & Partial<ObjectMeta>;
  spec: FlashSaleSpecInput;
  status?: FlashSaleStatus;
}

/**
 * What is sold, to whom, and on how much machinery. Everything in it may be edited while the sale runs, except where a
 * field says otherwise.
 */
export interface FlashSaleSpec {
  /**
   * The product's stock keeping unit, as the shop's other systems know it; order events and exports of orders carry it.
   * Cannot change during the life of a sale.
   */
  sku: string;
  /**
   * Units ever put on sale, sold ones included. Raise it to restock; lower it to withdraw unsold units (what is sold
   * stays sold, and status.supplied says how far the withdrawal got). Unit: units.
   */
  stock: Units;
  /**
   * When buyers may purchase. Checkouts of tokens obtained in time go on after the end, for as long as the tokens live.
   */
  window: WindowSpec;
  /**
   * Stops new purchases at once; buyers are asked to come back. Tokens already handed out can still be checked out.
   * Default: false.
   */
  paused: boolean;
  /**
   * The cache tier, which admits buyers. Each node is a Redis server that owns its share of the stock, and the tokens
   * of the buyers who purchase on it.
   */
  cache: CacheSpec;
  /**
   * The databases that sell. Each shard is a PostgreSQL server with one stock row; every order lives in the shard that
   * sold it.
   */
  shards: ShardsSpec;
  /** The pods buyers talk to. */
  storefront: StorefrontSpec;
  /** The token a successful purchase yields, which reserves the buyer's units until checkout. */
  token: TokenSpec;
  /** Who may buy, how much and how often. A buyer who does not qualify gets no token, and no stock is touched. */
  qualification: QualificationSpec;
  /**
   * How a storefront knows who the buyer is: by a signed JWT (jwt), or by a header that an authenticating proxy sets
   * (trustedHeader). Exactly one of them must be given. Absent: the sale is refused.
   */
  auth?: AuthSpec;
  /** What follows a checkout. */
  orders: OrdersSpec;
  /**
   * How stock is moved between the shards, so that no buyer meets an empty one while another has stock. The defaults
   * suit most sales.
   */
  balancer: BalancerSpec;
  /**
   * The message transport between shards, balancer and whoever listens to the order events. It may lose, repeat and
   * reorder messages without harm, and buyers are served without it.
   */
  kafka: KafkaSpec;
  /**
   * What becomes of the volumes and of the topic of order events when the FlashSale is deleted. Retain: they stay, for
   * orders are money; remove them yourself when they are not needed any more. Delete: they go, with every order. In
   * both cases the order events are relayed first. Default: Retain.
   */
  deletionPolicy: 'Retain' | 'Delete';
}

/**
 * What is sold, to whom, and on how much machinery. Everything in it may be edited while the sale runs, except where a
 * field says otherwise.
 */
export interface FlashSaleSpecInput {
  /**
   * The product's stock keeping unit, as the shop's other systems know it; order events and exports of orders carry it.
   * Cannot change during the life of a sale.
   */
  sku: string;
  /**
   * Units ever put on sale, sold ones included. Raise it to restock; lower it to withdraw unsold units (what is sold
   * stays sold, and status.supplied says how far the withdrawal got). Unit: units.
   */
  stock: Units;
  /**
   * When buyers may purchase. Checkouts of tokens obtained in time go on after the end, for as long as the tokens live.
   */
  window?: WindowSpec;
  /**
   * Stops new purchases at once; buyers are asked to come back. Tokens already handed out can still be checked out.
   * Default: false.
   */
  paused?: boolean;
  /**
   * The cache tier, which admits buyers. Each node is a Redis server that owns its share of the stock, and the tokens
   * of the buyers who purchase on it.
   */
  cache: CacheSpecInput;
  /**
   * The databases that sell. Each shard is a PostgreSQL server with one stock row; every order lives in the shard that
   * sold it.
   */
  shards: ShardsSpecInput;
  /** The pods buyers talk to. */
  storefront?: StorefrontSpecInput;
  /** The token a successful purchase yields, which reserves the buyer's units until checkout. */
  token?: TokenSpecInput;
  /** Who may buy, how much and how often. A buyer who does not qualify gets no token, and no stock is touched. */
  qualification?: QualificationSpecInput;
  /**
   * How a storefront knows who the buyer is: by a signed JWT (jwt), or by a header that an authenticating proxy sets
   * (trustedHeader). Exactly one of them must be given. Absent: the sale is refused.
   */
  auth?: AuthSpecInput;
  /** What follows a checkout. */
  orders?: OrdersSpec;
  /**
   * How stock is moved between the shards, so that no buyer meets an empty one while another has stock. The defaults
   * suit most sales.
   */
  balancer?: BalancerSpecInput;
  /**
   * The message transport between shards, balancer and whoever listens to the order events. It may lose, repeat and
   * reorder messages without harm, and buyers are served without it.
   */
  kafka?: KafkaSpecInput;
  /**
   * What becomes of the volumes and of the topic of order events when the FlashSale is deleted. Retain: they stay, for
   * orders are money; remove them yourself when they are not needed any more. Delete: they go, with every order. In
   * both cases the order events are relayed first. Default: Retain.
   */
  deletionPolicy?: 'Retain' | 'Delete';
}

/**
 * When buyers may purchase. Checkouts of tokens obtained in time go on after the end, for as long as the tokens live.
 */
export interface WindowSpec {
  /**
   * The moment purchases begin, with its time zone, such as 2026-12-01T12:00:00Z or 2026-12-01T13:00:00+01:00; every
   * storefront opens by its own clock. Earlier purchases are answered not-open. Absent: the sale is open as soon as it
   * is ready.
   */
  opensAt?: Timestamp;
  /**
   * The moment purchases end, with its time zone; later ones are answered closed. Move it to extend or to reopen the
   * sale. Absent: the sale ends when it is sold out or deleted.
   */
  closesAt?: Timestamp;
}

/**
 * The cache tier, which admits buyers. Each node is a Redis server that owns its share of the stock, and the tokens of
 * the buyers who purchase on it.
 */
export interface CacheSpec {
  /**
   * Number of cache nodes. More spread the load of purchases and make the loss of one smaller. Changing the number
   * while the sale runs pauses purchases for at most one token lifetime, and until every node that stays can be
   * reached. After that, a node or shard that is away stops only the buyers who wait for it. Unit: nodes.
   */
  nodes: number;
  /**
   * When a node's tokens reach its disk. Always: before the buyer is answered, so a restarted node goes on where it
   * was. EverySecond: once a second, which is faster on slow disks, but a restarted node voids every live token (its
   * buyers purchase again; no order is ever lost). Default: Always.
   */
  durability: 'Always' | 'EverySecond';
  /** The volume of each cache node. Local mode uses the data folder instead. */
  storage: CacheStorageSpec;
  /**
   * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
   * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing
   * unless somebody changed it.
   */
  resources?: ResourcesSpec;
}

/**
 * The cache tier, which admits buyers. Each node is a Redis server that owns its share of the stock, and the tokens of
 * the buyers who purchase on it.
 */
export interface CacheSpecInput {
  /**
   * Number of cache nodes. More spread the load of purchases and make the loss of one smaller. Changing the number
   * while the sale runs pauses purchases for at most one token lifetime, and until every node that stays can be
   * reached. After that, a node or shard that is away stops only the buyers who wait for it. Unit: nodes.
   */
  nodes: number;
  /**
   * When a node's tokens reach its disk. Always: before the buyer is answered, so a restarted node goes on where it
   * was. EverySecond: once a second, which is faster on slow disks, but a restarted node voids every live token (its
   * buyers purchase again; no order is ever lost). Default: Always.
   */
  durability?: 'Always' | 'EverySecond';
  /** The volume of each cache node. Local mode uses the data folder instead. */
  storage?: CacheStorageSpecInput;
  /**
   * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
   * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing
   * unless somebody changed it.
   */
  resources?: ResourcesSpecInput;
}

/** The volume of each cache node. Local mode uses the data folder instead. */
export interface CacheStorageSpec {
  /**
   * Size of the volume. A live token takes under 400 bytes, an append-only file several times that. May grow where the
   * storage class allows it. Unit: bytes as a quantity. Default: 1Gi.
   */
  size: string;
  /** Storage class of the volume. Cannot change once the volume exists. Absent: the cluster's default class. */
  storageClassName?: string;
}

/** The volume of each cache node. Local mode uses the data folder instead. */
export interface CacheStorageSpecInput {
  /**
   * Size of the volume. A live token takes under 400 bytes, an append-only file several times that. May grow where the
   * storage class allows it. Unit: bytes as a quantity. Default: 1Gi.
   */
  size?: string;
  /** Storage class of the volume. Cannot change once the volume exists. Absent: the cluster's default class. */
  storageClassName?: string;
}

/**
 * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
 * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing unless
 * somebody changed it.
 */
export interface ResourcesSpec {
  /** What the scheduler sets aside for the pod. */
  requests: ResourcesRequestsSpec;
  /** What the pod may use at most. A pod that needs more memory is killed and restarted. */
  limits: ResourcesLimitsSpec;
}

/**
 * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
 * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing unless
 * somebody changed it.
 */
export interface ResourcesSpecInput {
  /** What the scheduler sets aside for the pod. */
  requests?: ResourcesRequestsSpec;
  /** What the pod may use at most. A pod that needs more memory is killed and restarted. */
  limits?: ResourcesLimitsSpec;
}

/** What the scheduler sets aside for the pod. */
export interface ResourcesRequestsSpec {
  /** CPU, such as 500m or 2. Absent: none. Unit: cores as a quantity. */
  cpu?: Quantity;
  /** Memory, such as 512Mi or 4Gi. Absent: none. Unit: bytes as a quantity. */
  memory?: Quantity;
}

/** What the pod may use at most. A pod that needs more memory is killed and restarted. */
export interface ResourcesLimitsSpec {
  /** CPU, such as 500m or 2. Absent: none. Unit: cores as a quantity. */
  cpu?: Quantity;
  /** Memory, such as 512Mi or 4Gi. Absent: none. Unit: bytes as a quantity. */
  memory?: Quantity;
}

/**
 * The databases that sell. Each shard is a PostgreSQL server with one stock row; every order lives in the shard that
 * sold it.
 */
export interface ShardsSpec {
  /**
   * Number of shards. More sell more orders a second. May grow while the sale runs (the balancer fills the new ones),
   * never shrink. Unit: shards.
   */
  count: number;
  /** The volume of each shard, and of the transfer pool. Local mode uses the data folder instead. */
  storage: ShardsStorageSpec;
  /**
   * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
   * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing
   * unless somebody changed it.
   */
  resources?: ResourcesSpec;
}

/**
 * The databases that sell. Each shard is a PostgreSQL server with one stock row; every order lives in the shard that
 * sold it.
 */
export interface ShardsSpecInput {
  /**
   * Number of shards. More sell more orders a second. May grow while the sale runs (the balancer fills the new ones),
   * never shrink. Unit: shards.
   */
  count: number;
  /** The volume of each shard, and of the transfer pool. Local mode uses the data folder instead. */
  storage?: ShardsStorageSpecInput;
  /**
   * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
   * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing
   * unless somebody changed it.
   */
  resources?: ResourcesSpecInput;
}

/** The volume of each shard, and of the transfer pool. Local mode uses the data folder instead. */
export interface ShardsStorageSpec {
  /**
   * Size of the volume. An order and its ledger rows take about a kilobyte. May grow where the storage class allows it.
   * Unit: bytes as a quantity. Default: 10Gi.
   */
  size: string;
  /**
   * Storage class of the volume; choose one that replicates, for a lost shard volume is not recovered. Cannot change
   * once the volume exists. Absent: the cluster's default class.
   */
  storageClassName?: string;
}

/** The volume of each shard, and of the transfer pool. Local mode uses the data folder instead. */
export interface ShardsStorageSpecInput {
  /**
   * Size of the volume. An order and its ledger rows take about a kilobyte. May grow where the storage class allows it.
   * Unit: bytes as a quantity. Default: 10Gi.
   */
  size?: string;
  /**
   * Storage class of the volume; choose one that replicates, for a lost shard volume is not recovered. Cannot change
   * once the volume exists. Absent: the cluster's default class.
   */
  storageClassName?: string;
}

/** The pods buyers talk to. */
export interface StorefrontSpec {
  /**
   * Number of storefront pods (processes in local mode); with autoscaling, the least there are. kubectl scale sets this
   * field, too. With 0 nobody can buy. Unit: pods. Default: 2.
   */
  replicas: number;
  /**
   * Adds storefront pods while they are busy and takes them away again, never below replicas. A crowd that comes at one
   * moment is faster than any autoscaler: choose replicas for it. Ignored in local mode. Absent: replicas is the number
   * of pods.
   */
  autoscaling?: StorefrontAutoscalingSpec;
  /**
   * How many connections each storefront pod keeps open, so that clients which only hold them cost a bounded amount of
   * memory and keep nobody out.
   */
  connections: StorefrontConnectionsSpec;
  /**
   * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
   * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing
   * unless somebody changed it.
   */
  resources?: ResourcesSpec;
  /**
   * Which web pages of other origins may call the storefronts from a browser. Name only those you trust to act for a
   * visitor: their pages may send the visitor's cookies. Absent: none, and a write that a page of another site sends is
   * refused.
   */
  cors?: StorefrontCorsSpec;
}

/** The pods buyers talk to. */
export interface StorefrontSpecInput {
  /**
   * Number of storefront pods (processes in local mode); with autoscaling, the least there are. kubectl scale sets this
   * field, too. With 0 nobody can buy. Unit: pods. Default: 2.
   */
  replicas?: number;
  /**
   * Adds storefront pods while they are busy and takes them away again, never below replicas. A crowd that comes at one
   * moment is faster than any autoscaler: choose replicas for it. Ignored in local mode. Absent: replicas is the number
   * of pods.
   */
  autoscaling?: StorefrontAutoscalingSpecInput;
  /**
   * How many connections each storefront pod keeps open, so that clients which only hold them cost a bounded amount of
   * memory and keep nobody out.
   */
  connections?: StorefrontConnectionsSpecInput;
  /**
   * CPU and memory of each pod of this role: of its Redis, PostgreSQL or storefront; the agent beside it has what the
   * operator gives it. Ignored in local mode. Absent: what the operator was installed with, which asks for nothing
   * unless somebody changed it.
   */
  resources?: ResourcesSpecInput;
  /**
   * Which web pages of other origins may call the storefronts from a browser. Name only those you trust to act for a
   * visitor: their pages may send the visitor's cookies. Absent: none, and a write that a page of another site sends is
   * refused.
   */
  cors?: StorefrontCorsSpec;
}

/**
 * Adds storefront pods while they are busy and takes them away again, never below replicas. A crowd that comes at one
 * moment is faster than any autoscaler: choose replicas for it. Ignored in local mode. Absent: replicas is the number
 * of pods.
 */
export interface StorefrontAutoscalingSpec {
  /** The most storefront pods there may be. Unit: pods. */
  maxReplicas: number;
  /**
   * The share of the CPU in storefront.resources.requests that the pods are kept at, on average. Needs those requests,
   * and the cluster's metrics server. Unit: percent. Default: 70.
   */
  cpuUtilization: number;
}

/**
 * Adds storefront pods while they are busy and takes them away again, never below replicas. A crowd that comes at one
 * moment is faster than any autoscaler: choose replicas for it. Ignored in local mode. Absent: replicas is the number
 * of pods.
 */
export interface StorefrontAutoscalingSpecInput {
  /** The most storefront pods there may be. Unit: pods. */
  maxReplicas: number;
  /**
   * The share of the CPU in storefront.resources.requests that the pods are kept at, on average. Needs those requests,
   * and the cluster's metrics server. Unit: percent. Default: 70.
   */
  cpuUtilization?: number;
}

/**
 * How many connections each storefront pod keeps open, so that clients which only hold them cost a bounded amount of
 * memory and keep nobody out.
 */
export interface StorefrontConnectionsSpec {
  /**
   * The most connections of one pod. At the limit, the connection on which nothing has happened for longest gives way
   * to a new one. Each takes some 20 KiB of memory. Unit: connections. Default: 10000.
   */
  most: number;
  /**
   * The most connections of one client address to one pod; for IPv6, of one /64 network. Leave it out behind a load
   * balancer or an ingress that hides the clients' addresses, for all buyers share its few. Unit: connections. Absent:
   * no limit.
   */
  perAddress?: number;
}

/**
 * How many connections each storefront pod keeps open, so that clients which only hold them cost a bounded amount of
 * memory and keep nobody out.
 */
export interface StorefrontConnectionsSpecInput {
  /**
   * The most connections of one pod. At the limit, the connection on which nothing has happened for longest gives way
   * to a new one. Each takes some 20 KiB of memory. Unit: connections. Default: 10000.
   */
  most?: number;
  /**
   * The most connections of one client address to one pod; for IPv6, of one /64 network. Leave it out behind a load
   * balancer or an ingress that hides the clients' addresses, for all buyers share its few. Unit: connections. Absent:
   * no limit.
   */
  perAddress?: number;
}

/**
 * Which web pages of other origins may call the storefronts from a browser. Name only those you trust to act for a
 * visitor: their pages may send the visitor's cookies. Absent: none, and a write that a page of another site sends is
 * refused.
 */
export interface StorefrontCorsSpec {
  /** Origins, exactly as browsers send them. */
  origins: string[];
}

/** The token a successful purchase yields, which reserves the buyer's units until checkout. */
export interface TokenSpec {
  /**
   * How long a token reserves its units; then they return to sale. Long enough to fill in a checkout form, short enough
   * that abandoned units come back while buyers are still there. Applies to tokens issued from then on. A duration from
   * 5s to 1h. Default: 120s.
   */
  ttl: Duration;
}

/** The token a successful purchase yields, which reserves the buyer's units until checkout. */
export interface TokenSpecInput {
  /**
   * How long a token reserves its units; then they return to sale. Long enough to fill in a checkout form, short enough
   * that abandoned units come back while buyers are still there. Applies to tokens issued from then on. A duration from
   * 5s to 1h. Default: 120s.
   */
  ttl?: Duration;
}

/** Who may buy, how much and how often. A buyer who does not qualify gets no token, and no stock is touched. */
export interface QualificationSpec {
  /**
   * Units one buyer may order in the whole sale; cancelled orders count. A buyer holds one live token at a time, and a
   * duplicate click gets the same token back. Unit: units. Default: 1.
   */
  perBuyer: Units;
  /** Units one purchase may ask for, at most perBuyer. Unit: units. Default: 1. */
  maxQuantity: Units;
  /**
   * How often one buyer may reserve units and let the reservation lapse. After maxLapsed in a row the buyer is answered
   * reservations-lapsed with Retry-After until cooldown has passed since the last one; an order clears the count. A
   * cache node that lost its data, or changed its place in a resize, has forgotten what lapsed.
   */
  reservations: QualificationReservationsSpec;
  /**
   * How often one buyer may try, as a token bucket; what is above is answered rate-limited with Retry-After. Each
   * storefront pod counts on its own, so a buyer who reaches r pods may try up to r times as often. Absent: unlimited
   * (a duplicate click still burns no stock).
   */
  rateLimit?: QualificationRateLimitSpec;
  /** Only these buyers qualify. Absent: everyone does. */
  allowList?: QualificationAllowListSpec;
  /** These buyers never qualify, even when they are on allowList. Absent: nobody is denied. */
  denyList?: QualificationDenyListSpec;
  /**
   * An external risk check, asked after every other criterion: POST with JSON {"sale", "sku", "buyer", "quantity"}, to
   * be answered with status 200 and {"allow": true}, or {"allow": false, "reason": "…"}, which the buyer reads. An
   * answer is remembered for some seconds. It is told the buyer's id, which is personal data. Absent: nobody is asked.
   */
  webhook?: QualificationWebhookSpec;
}

/** Who may buy, how much and how often. A buyer who does not qualify gets no token, and no stock is touched. */
export interface QualificationSpecInput {
  /**
   * Units one buyer may order in the whole sale; cancelled orders count. A buyer holds one live token at a time, and a
   * duplicate click gets the same token back. Unit: units. Default: 1.
   */
  perBuyer?: Units;
  /** Units one purchase may ask for, at most perBuyer. Unit: units. Default: 1. */
  maxQuantity?: Units;
  /**
   * How often one buyer may reserve units and let the reservation lapse. After maxLapsed in a row the buyer is answered
   * reservations-lapsed with Retry-After until cooldown has passed since the last one; an order clears the count. A
   * cache node that lost its data, or changed its place in a resize, has forgotten what lapsed.
   */
  reservations?: QualificationReservationsSpecInput;
  /**
   * How often one buyer may try, as a token bucket; what is above is answered rate-limited with Retry-After. Each
   * storefront pod counts on its own, so a buyer who reaches r pods may try up to r times as often. Absent: unlimited
   * (a duplicate click still burns no stock).
   */
  rateLimit?: QualificationRateLimitSpecInput;
  /** Only these buyers qualify. Absent: everyone does. */
  allowList?: QualificationAllowListSpecInput;
  /** These buyers never qualify, even when they are on allowList. Absent: nobody is denied. */
  denyList?: QualificationDenyListSpecInput;
  /**
   * An external risk check, asked after every other criterion: POST with JSON {"sale", "sku", "buyer", "quantity"}, to
   * be answered with status 200 and {"allow": true}, or {"allow": false, "reason": "…"}, which the buyer reads. An
   * answer is remembered for some seconds. It is told the buyer's id, which is personal data. Absent: nobody is asked.
   */
  webhook?: QualificationWebhookSpecInput;
}

/**
 * How often one buyer may reserve units and let the reservation lapse. After maxLapsed in a row the buyer is answered
 * reservations-lapsed with Retry-After until cooldown has passed since the last one; an order clears the count. A cache
 * node that lost its data, or changed its place in a resize, has forgotten what lapsed.
 */
export interface QualificationReservationsSpec {
  /** Reservations in a row that may lapse. Unit: reservations. Default: 3. */
  maxLapsed: number;
  /** How long a buyer then waits, from when the last reservation was due. A duration from 1s to 24h. Default: 10m. */
  cooldown: Duration;
}

/**
 * How often one buyer may reserve units and let the reservation lapse. After maxLapsed in a row the buyer is answered
 * reservations-lapsed with Retry-After until cooldown has passed since the last one; an order clears the count. A cache
 * node that lost its data, or changed its place in a resize, has forgotten what lapsed.
 */
export interface QualificationReservationsSpecInput {
  /** Reservations in a row that may lapse. Unit: reservations. Default: 3. */
  maxLapsed?: number;
  /** How long a buyer then waits, from when the last reservation was due. A duration from 1s to 24h. Default: 10m. */
  cooldown?: Duration;
}

/**
 * How often one buyer may try, as a token bucket; what is above is answered rate-limited with Retry-After. Each
 * storefront pod counts on its own, so a buyer who reaches r pods may try up to r times as often. Absent: unlimited (a
 * duplicate click still burns no stock).
 */
export interface QualificationRateLimitSpec {
  /** Attempts a buyer regains per second; 0.5 is one every two seconds. Unit: attempts per second. */
  perSecond: number;
  /** Attempts a buyer may make at once after a rest. Unit: attempts. Default: 5. */
  burst: number;
}

/**
 * How often one buyer may try, as a token bucket; what is above is answered rate-limited with Retry-After. Each
 * storefront pod counts on its own, so a buyer who reaches r pods may try up to r times as often. Absent: unlimited (a
 * duplicate click still burns no stock).
 */
export interface QualificationRateLimitSpecInput {
  /** Attempts a buyer regains per second; 0.5 is one every two seconds. Unit: attempts per second. */
  perSecond: number;
  /** Attempts a buyer may make at once after a rest. Unit: attempts. Default: 5. */
  burst?: number;
}

/** Only these buyers qualify. Absent: everyone does. */
export interface QualificationAllowListSpec {
  /**
   * Buyer ids, as auth yields them; for a thousand at most, beyond that use configMapRefs. Absent: only those of
   * configMapRefs.
   */
  ids?: string[];
  /**
   * ConfigMaps of the sale's namespace, labelled flashsale.dev/usable: "true", with buyer ids, one a line, for lists of
   * hundreds of thousands (a ConfigMap holds a megabyte, so spread them). All are read together, and changes are picked
   * up while the sale runs. In local mode they are further documents of the same YAML file. Absent: only ids.
   */
  configMapRefs?: ConfigMapRefSpec[];
}

/** Only these buyers qualify. Absent: everyone does. */
export interface QualificationAllowListSpecInput {
  /**
   * Buyer ids, as auth yields them; for a thousand at most, beyond that use configMapRefs. Absent: only those of
   * configMapRefs.
   */
  ids?: string[];
  /**
   * ConfigMaps of the sale's namespace, labelled flashsale.dev/usable: "true", with buyer ids, one a line, for lists of
   * hundreds of thousands (a ConfigMap holds a megabyte, so spread them). All are read together, and changes are picked
   * up while the sale runs. In local mode they are further documents of the same YAML file. Absent: only ids.
   */
  configMapRefs?: ConfigMapRefSpecInput[];
}

/** One key of one ConfigMap. */
export interface ConfigMapRefSpec {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: ids. */
  key: string;
}

/** One key of one ConfigMap. */
export interface ConfigMapRefSpecInput {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: ids. */
  key?: string;
}

/** These buyers never qualify, even when they are on allowList. Absent: nobody is denied. */
export interface QualificationDenyListSpec {
  /**
   * Buyer ids, as auth yields them; for a thousand at most, beyond that use configMapRefs. Absent: only those of
   * configMapRefs.
   */
  ids?: string[];
  /**
   * ConfigMaps of the sale's namespace, labelled flashsale.dev/usable: "true", with buyer ids, one a line, for lists of
   * hundreds of thousands (a ConfigMap holds a megabyte, so spread them). All are read together, and changes are picked
   * up while the sale runs. In local mode they are further documents of the same YAML file. Absent: only ids.
   */
  configMapRefs?: ConfigMapRefSpec[];
}

/** These buyers never qualify, even when they are on allowList. Absent: nobody is denied. */
export interface QualificationDenyListSpecInput {
  /**
   * Buyer ids, as auth yields them; for a thousand at most, beyond that use configMapRefs. Absent: only those of
   * configMapRefs.
   */
  ids?: string[];
  /**
   * ConfigMaps of the sale's namespace, labelled flashsale.dev/usable: "true", with buyer ids, one a line, for lists of
   * hundreds of thousands (a ConfigMap holds a megabyte, so spread them). All are read together, and changes are picked
   * up while the sale runs. In local mode they are further documents of the same YAML file. Absent: only ids.
   */
  configMapRefs?: ConfigMapRefSpecInput[];
}

/**
 * An external risk check, asked after every other criterion: POST with JSON {"sale", "sku", "buyer", "quantity"}, to be
 * answered with status 200 and {"allow": true}, or {"allow": false, "reason": "…"}, which the buyer reads. An answer is
 * remembered for some seconds. It is told the buyer's id, which is personal data. Absent: nobody is asked.
 */
export interface QualificationWebhookSpec {
  /** Where to ask; http or https, without credentials. */
  url: string;
  /** How long to wait for the answer; the buyer waits as long. A duration from 10ms to 10s. Default: 500ms. */
  timeout: Duration;
  /**
   * What happens to a buyer when there is no answer in time, or one that is not understood. Deny: nobody buys
   * unchecked, and an outage of the webhook stops the sale. Allow: the sale goes on, and nobody is checked meanwhile.
   * Default: Deny.
   */
  failurePolicy: 'Allow' | 'Deny';
}

/**
 * An external risk check, asked after every other criterion: POST with JSON {"sale", "sku", "buyer", "quantity"}, to be
 * answered with status 200 and {"allow": true}, or {"allow": false, "reason": "…"}, which the buyer reads. An answer is
 * remembered for some seconds. It is told the buyer's id, which is personal data. Absent: nobody is asked.
 */
export interface QualificationWebhookSpecInput {
  /** Where to ask; http or https, without credentials. */
  url: string;
  /** How long to wait for the answer; the buyer waits as long. A duration from 10ms to 10s. Default: 500ms. */
  timeout?: Duration;
  /**
   * What happens to a buyer when there is no answer in time, or one that is not understood. Deny: nobody buys
   * unchecked, and an outage of the webhook stops the sale. Allow: the sale goes on, and nobody is checked meanwhile.
   * Default: Deny.
   */
  failurePolicy?: 'Allow' | 'Deny';
}

/**
 * How a storefront knows who the buyer is: by a signed JWT (jwt), or by a header that an authenticating proxy sets
 * (trustedHeader). Exactly one of them must be given. Absent: the sale is refused.
 */
export interface AuthSpec {
  /**
   * A header in which an authenticating proxy names the buyer. With proxySecretRef a request is believed only if it
   * also carries a secret that the proxy adds, so nobody who reaches a storefront past the proxy can buy. The proxy
   * must remove both headers from what a client sent.
   */
  trustedHeader?: AuthTrustedHeaderSpec;
  /**
   * Bearer tokens signed by an identity provider, with an expiry. Signature, expiry, and issuer and audience where
   * given, are checked; a checked token is remembered for some minutes, never beyond its expiry.
   */
  jwt?: AuthJwtSpec;
}

/**
 * How a storefront knows who the buyer is: by a signed JWT (jwt), or by a header that an authenticating proxy sets
 * (trustedHeader). Exactly one of them must be given. Absent: the sale is refused.
 */
export interface AuthSpecInput {
  /**
   * A header in which an authenticating proxy names the buyer. With proxySecretRef a request is believed only if it
   * also carries a secret that the proxy adds, so nobody who reaches a storefront past the proxy can buy. The proxy
   * must remove both headers from what a client sent.
   */
  trustedHeader?: AuthTrustedHeaderSpecInput;
  /**
   * Bearer tokens signed by an identity provider, with an expiry. Signature, expiry, and issuer and audience where
   * given, are checked; a checked token is remembered for some minutes, never beyond its expiry.
   */
  jwt?: AuthJwtSpecInput;
}

/**
 * A header in which an authenticating proxy names the buyer. With proxySecretRef a request is believed only if it also
 * carries a secret that the proxy adds, so nobody who reaches a storefront past the proxy can buy. The proxy must
 * remove both headers from what a client sent.
 */
export interface AuthTrustedHeaderSpec {
  /** The request header whose value is the buyer's id. */
  name: string;
  /** The request header in which the proxy sends its secret. Default: X-Proxy-Secret. */
  proxyHeader: string;
  /**
   * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with what the proxy sends in proxyHeader, at
   * least 32 visible ASCII characters. Absent: insecure must be true.
   */
  proxySecretRef?: AuthTrustedHeaderProxySecretRefSpec;
  /**
   * Says aloud that whoever reaches a storefront is believed, whatever buyer they name: for trying things out. Status,
   * an event and plan say so, too. Absent: false, and proxySecretRef must be given.
   */
  insecure?: boolean;
}

/**
 * A header in which an authenticating proxy names the buyer. With proxySecretRef a request is believed only if it also
 * carries a secret that the proxy adds, so nobody who reaches a storefront past the proxy can buy. The proxy must
 * remove both headers from what a client sent.
 */
export interface AuthTrustedHeaderSpecInput {
  /** The request header whose value is the buyer's id. */
  name: string;
  /** The request header in which the proxy sends its secret. Default: X-Proxy-Secret. */
  proxyHeader?: string;
  /**
   * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with what the proxy sends in proxyHeader, at
   * least 32 visible ASCII characters. Absent: insecure must be true.
   */
  proxySecretRef?: AuthTrustedHeaderProxySecretRefSpecInput;
  /**
   * Says aloud that whoever reaches a storefront is believed, whatever buyer they name: for trying things out. Status,
   * an event and plan say so, too. Absent: false, and proxySecretRef must be given.
   */
  insecure?: boolean;
}

/**
 * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with what the proxy sends in proxyHeader, at
 * least 32 visible ASCII characters. Absent: insecure must be true.
 */
export interface AuthTrustedHeaderProxySecretRefSpec {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: secret. */
  key: string;
}

/**
 * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with what the proxy sends in proxyHeader, at
 * least 32 visible ASCII characters. Absent: insecure must be true.
 */
export interface AuthTrustedHeaderProxySecretRefSpecInput {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: secret. */
  key?: string;
}

/**
 * Bearer tokens signed by an identity provider, with an expiry. Signature, expiry, and issuer and audience where given,
 * are checked; a checked token is remembered for some minutes, never beyond its expiry.
 */
export interface AuthJwtSpec {
  /**
   * Where the provider publishes its public keys (JWKS); fetched when needed and cached. https, or plain http to
   * localhost or to a Service of the cluster, since whoever can change the answer can be any buyer. Absent: secretRef
   * is used.
   */
  jwksUri?: string;
  /**
   * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the secret shared with the provider, at
   * least 32 bytes, for HS256. Absent: jwksUri is used.
   */
  secretRef?: AuthJwtSecretRefSpec;
  /** The iss claim tokens must carry. Absent: any; safe only when the keys are of one provider alone. */
  issuer?: string;
  /**
   * The aud claim tokens must carry. Absent: any; then a token made for another application of the same provider buys
   * here, too.
   */
  audience?: string;
  /**
   * The typ that the header of a token must carry, such as at+jwt for access tokens (RFC 9068), so that an ID token
   * does not buy. Absent: any.
   */
  typ?: string;
  /** The claim that is the buyer's id; it must be one that the buyer cannot change. Default: sub. */
  buyerClaim: string;
}

/**
 * Bearer tokens signed by an identity provider, with an expiry. Signature, expiry, and issuer and audience where given,
 * are checked; a checked token is remembered for some minutes, never beyond its expiry.
 */
export interface AuthJwtSpecInput {
  /**
   * Where the provider publishes its public keys (JWKS); fetched when needed and cached. https, or plain http to
   * localhost or to a Service of the cluster, since whoever can change the answer can be any buyer. Absent: secretRef
   * is used.
   */
  jwksUri?: string;
  /**
   * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the secret shared with the provider, at
   * least 32 bytes, for HS256. Absent: jwksUri is used.
   */
  secretRef?: AuthJwtSecretRefSpecInput;
  /** The iss claim tokens must carry. Absent: any; safe only when the keys are of one provider alone. */
  issuer?: string;
  /**
   * The aud claim tokens must carry. Absent: any; then a token made for another application of the same provider buys
   * here, too.
   */
  audience?: string;
  /**
   * The typ that the header of a token must carry, such as at+jwt for access tokens (RFC 9068), so that an ID token
   * does not buy. Absent: any.
   */
  typ?: string;
  /** The claim that is the buyer's id; it must be one that the buyer cannot change. Default: sub. */
  buyerClaim?: string;
}

/**
 * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the secret shared with the provider, at
 * least 32 bytes, for HS256. Absent: jwksUri is used.
 */
export interface AuthJwtSecretRefSpec {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: secret. */
  key: string;
}

/**
 * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the secret shared with the provider, at
 * least 32 bytes, for HS256. Absent: jwksUri is used.
 */
export interface AuthJwtSecretRefSpecInput {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: secret. */
  key?: string;
}

/** What follows a checkout. */
export interface OrdersSpec {
  /**
   * How long an order waits to be paid; then it is cancelled and its units are on sale again. A payment that comes
   * later is reported as a refund due and never sells twice. Applies to orders placed from then on. A duration from 1s
   * to 720h. Absent: an order is final at checkout.
   */
  paymentDeadline?: Duration;
}

/**
 * How stock is moved between the shards, so that no buyer meets an empty one while another has stock. The defaults suit
 * most sales.
 */
export interface BalancerSpec {
  /**
   * How the stock is spread. Threshold: in proportion to each shard's capacity, leaving alone what is within deadBand.
   * Average: the same amount for every shard. None: stock moves only to a shard that lacks what its tokens were
   * promised; for comparison. Default: Threshold.
   */
  rule: 'Average' | 'Threshold' | 'None';
  /**
   * How far a shard may be from its share before stock moves, as a fraction of that share. Larger moves less, smaller
   * keeps shards more even. For the rule Threshold. Unit: fraction, 0 to 1. Default: 0.1.
   */
  deadBand: number;
  /**
   * How long a shard sums its changes before it reports them. Shorter is fresher, longer sends fewer messages. A
   * duration from 0s (every change at once) to 10s. Default: 100ms.
   */
  summaryPeriod: Duration;
  /**
   * The time k one shard takes to hand over or store stock, until measurements replace it. A duration from 1ms to 1m.
   * Default: 30ms.
   */
  shardTime: Duration;
  /**
   * The time m a message takes from a shard to the balancer and back, until measurements replace it. A duration from 0s
   * to 1m. Default: 20ms.
   */
  delay: Duration;
  /**
   * Time between two rounds of spreading; stock that is promised and missing is moved at once in any case. A duration
   * from 10ms to 10m, at least summaryPeriod. Absent: n × k + m, for n shards, with the measured k and m.
   */
  period?: Duration;
}

/**
 * How stock is moved between the shards, so that no buyer meets an empty one while another has stock. The defaults suit
 * most sales.
 */
export interface BalancerSpecInput {
  /**
   * How the stock is spread. Threshold: in proportion to each shard's capacity, leaving alone what is within deadBand.
   * Average: the same amount for every shard. None: stock moves only to a shard that lacks what its tokens were
   * promised; for comparison. Default: Threshold.
   */
  rule?: 'Average' | 'Threshold' | 'None';
  /**
   * How far a shard may be from its share before stock moves, as a fraction of that share. Larger moves less, smaller
   * keeps shards more even. For the rule Threshold. Unit: fraction, 0 to 1. Default: 0.1.
   */
  deadBand?: number;
  /**
   * How long a shard sums its changes before it reports them. Shorter is fresher, longer sends fewer messages. A
   * duration from 0s (every change at once) to 10s. Default: 100ms.
   */
  summaryPeriod?: Duration;
  /**
   * The time k one shard takes to hand over or store stock, until measurements replace it. A duration from 1ms to 1m.
   * Default: 30ms.
   */
  shardTime?: Duration;
  /**
   * The time m a message takes from a shard to the balancer and back, until measurements replace it. A duration from 0s
   * to 1m. Default: 20ms.
   */
  delay?: Duration;
  /**
   * Time between two rounds of spreading; stock that is promised and missing is moved at once in any case. A duration
   * from 10ms to 10m, at least summaryPeriod. Absent: n × k + m, for n shards, with the measured k and m.
   */
  period?: Duration;
}

/**
 * The message transport between shards, balancer and whoever listens to the order events. It may lose, repeat and
 * reorder messages without harm, and buyers are served without it.
 */
export interface KafkaSpec {
  /**
   * Addresses of a Kafka of your own, at least one that is up. Absent: in a cluster, the Kafka that the operator was
   * given; in local mode, a single-node one of the sale's own.
   */
  bootstrapServers?: string[];
  /**
   * Copies the brokers keep of each message. No promise depends on it; more copies mean fewer pauses in balancing when
   * a broker fails. Used when the topics are created. Unit: replicas. Absent: the brokers' default.
   */
  replicationFactor?: number;
  /** Encryption of the connection; an empty object turns it on. Absent: not encrypted. */
  tls?: KafkaTlsSpec;
  /** Login at the brokers, with tls. Absent: none. */
  sasl?: KafkaSaslSpec;
}

/**
 * The message transport between shards, balancer and whoever listens to the order events. It may lose, repeat and
 * reorder messages without harm, and buyers are served without it.
 */
export interface KafkaSpecInput {
  /**
   * Addresses of a Kafka of your own, at least one that is up. Absent: in a cluster, the Kafka that the operator was
   * given; in local mode, a single-node one of the sale's own.
   */
  bootstrapServers?: string[];
  /**
   * Copies the brokers keep of each message. No promise depends on it; more copies mean fewer pauses in balancing when
   * a broker fails. Used when the topics are created. Unit: replicas. Absent: the brokers' default.
   */
  replicationFactor?: number;
  /** Encryption of the connection; an empty object turns it on. Absent: not encrypted. */
  tls?: KafkaTlsSpecInput;
  /** Login at the brokers, with tls. Absent: none. */
  sasl?: KafkaSaslSpecInput;
}

/** Encryption of the connection; an empty object turns it on. Absent: not encrypted. */
export interface KafkaTlsSpec {
  /** Whether to encrypt. Write false only where the network itself is trusted. Default: true. */
  enabled: boolean;
  /**
   * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the certificate authority (PEM) that
   * signed the brokers' certificates. Absent: the public ones.
   */
  caSecretRef?: KafkaTlsCaSecretRefSpec;
}

/** Encryption of the connection; an empty object turns it on. Absent: not encrypted. */
export interface KafkaTlsSpecInput {
  /** Whether to encrypt. Write false only where the network itself is trusted. Default: true. */
  enabled?: boolean;
  /**
   * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the certificate authority (PEM) that
   * signed the brokers' certificates. Absent: the public ones.
   */
  caSecretRef?: KafkaTlsCaSecretRefSpecInput;
}

/**
 * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the certificate authority (PEM) that
 * signed the brokers' certificates. Absent: the public ones.
 */
export interface KafkaTlsCaSecretRefSpec {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: ca.crt. */
  key: string;
}

/**
 * Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the certificate authority (PEM) that
 * signed the brokers' certificates. Absent: the public ones.
 */
export interface KafkaTlsCaSecretRefSpecInput {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: ca.crt. */
  key?: string;
}

/** Login at the brokers, with tls. Absent: none. */
export interface KafkaSaslSpec {
  /** How the password is proved. Default: SCRAM-SHA-512. */
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  /** The user, who may create, read and write the sale's topics. */
  username: string;
  /** Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the password. */
  secretRef: KafkaSaslSecretRefSpec;
}

/** Login at the brokers, with tls. Absent: none. */
export interface KafkaSaslSpecInput {
  /** How the password is proved. Default: SCRAM-SHA-512. */
  mechanism?: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  /** The user, who may create, read and write the sale's topics. */
  username: string;
  /** Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the password. */
  secretRef: KafkaSaslSecretRefSpecInput;
}

/** Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the password. */
export interface KafkaSaslSecretRefSpec {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: password. */
  key: string;
}

/** Secret of the sale's namespace, labelled flashsale.dev/usable: "true", with the password. */
export interface KafkaSaslSecretRefSpecInput {
  /** Name of the object, in the sale's namespace. */
  name: string;
  /** Key within it. Default: password. */
  key?: string;
}

/**
 * What is so, as last seen; written by the operator. All units together are conserved at every instant, but the figures
 * are not read at the same instant.
 */
export interface FlashSaleStatus {
  /** The metadata.generation these figures and conditions are about. Unit: edits. */
  observedGeneration?: number;
  /**
   * Where the sale stands; the first that applies. Pending: its parts are being started, nobody can buy yet. Resizing:
   * the number of cache nodes is changing, purchases pause for at most one token lifetime. Closed: past
   * window.closesAt. Paused: spec.paused is true. Scheduled: ready, waiting for window.opensAt. SoldOut: no unit is
   * left, nor reserved by a token. Selling: buyers are served. What is wrong stands in the conditions.
   */
  phase?: 'Pending' | 'Resizing' | 'Closed' | 'Paused' | 'Scheduled' | 'SoldOut' | 'Selling';
  /**
   * Ready: storefronts answer and can sell (Unknown until first looked at). Progressing: the parts are being brought to
   * what the spec says. Degraded: some part is down or data cannot be reached; the rest sells on. Balanced: every shard
   * has what its tokens were promised. Authenticated: a buyer's name is proved, by a signed token or by the proxy's
   * secret.
   */
  conditions?: ConditionStatus[];
  /**
   * Names this life of the sale. A sale deleted and created again has another one, and everything of the former is
   * refused.
   */
  incarnation?: string;
  /**
   * Units put on sale so far, less those withdrawn; becomes spec.stock, or what is sold if that is more. Unit: units.
   */
  supplied?: Units;
  /** Units of orders that are not cancelled. Unit: units. */
  sold?: Units;
  /** Units in the shards and the transfer pool that no order has. Unit: units. */
  available?: Units;
  /** Units on the cache nodes that no token has reserved. Unit: units. */
  virtualAvailable?: Units;
  /** Units reserved by tokens that were not checked out yet. Unit: units. */
  tokensLive?: Units;
  /** Units that left one shard and have not reached the other. Unit: units. */
  inTransfer?: Units;
  /** Each shard, and the transfer pool. */
  shards?: ShardStatus[];
  /** Each cache node. */
  caches?: CacheStatus[];
  /** How unevenly the stock lies over the shards. */
  dispersion?: DispersionStatus;
  /** The time between two rounds of spreading that is in force, as a duration. */
  balancePeriod?: string;
  /** Storefront pods that run. Unit: pods. */
  storefrontReplicas?: number;
  /** Label selector of the storefront pods, for autoscalers. */
  selector?: string;
}

/** One condition. */
export interface ConditionStatus {
  /** Which condition. */
  type: string;
  /** Whether it holds. */
  status: 'True' | 'False' | 'Unknown';
  /** The metadata.generation it is about. Unit: edits. */
  observedGeneration?: number;
  /** When status last changed. */
  lastTransitionTime: Timestamp;
  /** Why, in one CamelCase word that stays the same from release to release. */
  reason: string;
  /** Why, for people. */
  message: string;
}

/** One shard. */
export interface ShardStatus {
  /** The shard's name, s0, s1, … or pool. */
  id: string;
  /** Whether it answers. */
  ready?: boolean;
  /** Units in it that no order has. Unit: units. */
  available?: Units;
  /** Units promised on it to live tokens. Unit: units. */
  pinned?: Units;
  /** Units of its orders that are not cancelled. Unit: units. */
  sold?: Units;
}

/** One cache node. */
export interface CacheStatus {
  /** The node's name, c0, c1, … */
  id: string;
  /** Whether it admits buyers. */
  ready?: boolean;
  /** How often its data was rebuilt; a higher one voids the tokens of the lower. Unit: lives. */
  epoch?: number;
  /** Units on it that no token has reserved. Unit: units. */
  virtualAvailable?: Units;
  /** Units reserved by its tokens that were not checked out yet. Unit: units. */
  tokensLive?: Units;
}

/** How unevenly the stock lies over the shards. */
export interface DispersionStatus {
  /** Standard deviation divided by the mean; 0 is even. Unit: fraction. */
  coefficientOfVariation?: number;
  /** Stock of the poorest shard. Unit: units. */
  min?: Units;
  /** Stock of the richest shard. Unit: units. */
  max?: Units;
  /** Mean stock of a shard. Unit: units. */
  mean?: Units;
}
