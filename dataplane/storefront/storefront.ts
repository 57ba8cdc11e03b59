// Puts a storefront together from its parts. It knows no process, no file and no client library: stores come in as
// functions that connect, so that a test or a simulation can take their place.

import { isDeepStrictEqual } from 'node:util';
import type { Registry } from 'prom-client';
import { type Answer, json, shared } from '../http/answer.ts';
import type { GuardedServer } from '../http/guarded-server.ts';
import {
  type Address,
  type AuthConfig,
  type NodeConfig,
  type SaleConfig,
  SECRETS,
  type ShardConfig,
} from '../protocol/config.ts';
import { tokenSigner } from '../protocol/token.ts';
import type { Millis, TokenId } from '../protocol/units.ts';
import type { Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { StorefrontNode } from '../stores/cache-node/cache-node.ts';
import type { StorefrontShard } from '../stores/shard/shard.ts';
import { AdmissionLimiter, type Watermarks } from './admission-limiter.ts';
import { createApi } from './api.ts';
import { nobody } from './authentication.ts';
import { Checkouts } from './checkout.ts';
import type { CheckoutBatcherHooks, CheckoutBatcherOptions } from './checkout-batcher.ts';
import { DistributionView } from './distribution-view.ts';
import { type Store, storefrontMetrics } from './metrics.ts';
import { Nodes } from './nodes.ts';
import { openapi } from './openapi.ts';
import { Orders } from './orders.ts';
import { Purchases } from './purchase.ts';
import { type RefillClient, singleFlight } from './refill.ts';
import { RetryAfterPacer } from './retry-after-pacer.ts';
import { closeRules, rulesFor } from './rules.ts';
import { saleState } from './sale-state.ts';
import { createBuyersServer } from './server.ts';
import { SettleBatcher } from './settle-batcher.ts';
import { Shards } from './shards.ts';
import { SoldOut } from './sold-out.ts';
import { tokenIds } from './token-ids.ts';

export interface Stores {
  node(config: NodeConfig): StorefrontNode;
  shard(config: ShardConfig): StorefrontShard;
  refill(agent: Address, failed: (error: unknown) => void): RefillClient;
}

export interface StorefrontDeps {
  stores: Stores;
  /** Returns one secret by its file's name in the secrets folder. */
  secret(name: string): string;
  /** The configuration's file. Files of lists are named relative to it. */
  configFile: string;
  /** The version of this program, shown in the OpenAPI document. */
  version: string;
  log: Logger;
  metrics: Registry;
  /** Is called when orders are committed and no buyer has been told yet; a test may end the process there. */
  committed(): void;
  batcher?: CheckoutBatcherOptions;
  admission?: Watermarks;
  /** Returns a number from 0 up to and without 1. */
  random(): number;
  clock: Clock;
  /** Makes the ids of tokens. By default each is 128 random bits. */
  tokenId?(): TokenId;
}

export interface Storefront {
  server: GuardedServer;
  /** The flows that the server's routes carry out, for callers without HTTP. */
  purchases: Purchases;
  checkouts: Checkouts;
  orders: Orders;
  /** Returns undefined when the storefront is ready to serve, and otherwise a sentence that says why it is not. */
  ready(): string | undefined;
  /** Takes over an edited configuration. */
  edit(config: SaleConfig): void;
  /** Begins to follow the reports that the distribution view is made of. */
  follow(bus: Bus): Promise<void>;
  /** Answers what is under way, tells the nodes what was sold, and closes everything. */
  drain(): Promise<void>;
}

/**
 * Draining may take longer than the longest request. Both together are shorter than what drivers wait before they kill.
 */
const DRAIN_WITHIN: Millis = 8000;
const SETTLE_WITHIN: Millis = 1000;
/** How long a new storefront waits for the last of the nodes. */
const WAIT_FOR_NODES: Millis = 10_000;

export function createStorefront(initial: SaleConfig, deps: StorefrontDeps): Storefront {
  const { stores, log, clock, random } = deps;
  const { now, wall } = clock;
  const limiter = new AdmissionLimiter(deps.admission);
  const metrics = storefrontMetrics(deps.metrics, {
    queued: () => shards.queued(),
    purchasing: () => limiter.underWay,
    connections: () => server.connections(),
  });
  const complain = complaints(log, now);
  const failed = (store: Store, error: unknown) => {
    metrics.storeError(store);
    complain(`a ${store} did not answer`, error);
  };
  const fault = (error: unknown) => complain('a fault of this program', error);

  const rulesDeps = {
    configFile: deps.configFile,
    secret: deps.secret,
    log,
    webhookFailed(error: unknown) {
      metrics.webhookFailed();
      complain('the risk check did not answer', error);
    },
  };
  let rules = rulesFor(initial, rulesDeps);
  const current = () => rules;

  const soldOut = new SoldOut();
  const view: DistributionView = new DistributionView({
    stocked: (shard, available) => shards.get(shard)?.checkouts.stocked(available),
    restocked: () => soldOut.forget(),
  });
  const nodes = new Nodes(stores.node, initial.cache.nodes, clock);
  const batcherHooks: CheckoutBatcherHooks = {
    paymentDeadline: () => rules.sale.orders.paymentDeadline,
    committed: deps.committed,
    batch(rows, took) {
      metrics.batchRows(rows);
      metrics.connectionHeld(took);
    },
    resent: metrics.resent,
    failed: (error) => failed('shard', error),
    clock,
  };
  const shards: Shards = new Shards(
    { connect: stores.shard, view, hooks: batcherHooks, ...(deps.batcher ? { batcher: deps.batcher } : {}) },
    initial.shards,
  );
  const settler = new SettleBatcher({
    settled(tokens, lag) {
      metrics.settled(tokens);
      metrics.settleLag(lag);
    },
    dropped: metrics.settleDropped,
    clock,
  });
  const signer = tokenSigner(deps.secret(SECRETS.tokenKey));

  const connectRefill = (agent: Address) => stores.refill(agent, (error) => failed('pool', error));
  let refill = connectRefill(initial.pool.agent);
  const askRefill = singleFlight(async (node, quantity) => {
    const answer = await refill.ask(node, quantity);
    metrics.refill(answer.outcome);
    return answer;
  });

  const purchases = new Purchases({
    rules: current,
    nodes,
    shards,
    signer,
    tokenId: deps.tokenId ?? tokenIds(),
    soldOut,
    pacer: new RetryAfterPacer(),
    limiter,
    askRefill,
    failed,
    random,
    wall,
    now,
  });
  const checkouts = new Checkouts({ nodes, shards, signer, settler, failed });
  const orders = new Orders({ shards, failed, rate: () => rules.rate, now });
  const sale = () =>
    saleState(rules.sale, {
      now: wall(),
      paused: nodes.paused,
      soldOut: soldOut.lately(now()),
      virtual: nodes.layout && view.virtual(nodes.layout.count),
    });
  const api = createApi({ rules: current, purchases, checkouts, orders, sale, metrics, fault, now });
  // The document is the largest answer there is, and depends on one part of the configuration only.
  let described: { auth: AuthConfig; answer: Answer } | undefined;
  const document = () => {
    const { auth } = rules.sale;
    if (described?.auth !== auth)
      described = { auth, answer: shared(json(200, JSON.stringify(openapi(auth, deps.version)))) };
    return described.answer;
  };
  const server = createBuyersServer({
    ...{ api, openapi: document, origins: () => rules.origins, fault },
    guards: { limits: () => rules.sale.storefront.connections, cut: metrics.connectionCut },
  });
  let draining = false;
  const began = now();

  return {
    server,
    purchases,
    checkouts,
    orders,
    ready() {
      if (draining) return 'draining';
      if (rules.identify === nobody) return 'nobody can be identified: auth says no way, or one that cannot be set up';
      if (rules.allow?.known === false || rules.deny?.known === false) return 'a list of buyers has not been read yet';
      // A node that is down is answered to its buyers, and does not keep the others from theirs.
      const isPatient = nodes.layout !== undefined && now() - began >= WAIT_FOR_NODES;
      return (isPatient ? undefined : nodes.missing()) ?? shards.missing(nodes.layout?.incarnation);
    },
    edit(config) {
      const before = rules.sale;
      rules = rulesFor(config, rulesDeps, rules);
      nodes.configure(config.cache.nodes);
      shards.configure(config.shards);
      if (!isDeepStrictEqual(config.pool.agent, before.pool.agent)) {
        void refill.close();
        refill = connectRefill(config.pool.agent);
      }
      log.info({ generation: config.generation }, 'the configuration was edited');
    },
    follow: (bus) =>
      bus.subscribe(['deltas', 'levels'], { beginning: true }, (_topic, message) => {
        const incarnation = nodes.layout?.incarnation;
        if (incarnation !== undefined) view.apply(message, incarnation, now());
      }),
    async drain() {
      draining = true;
      await server.drain(DRAIN_WITHIN);
      await Promise.race([settler.drained(), clock.sleep(SETTLE_WITHIN)]);
      closeRules(rules);
      await Promise.all([nodes.close(), shards.close(), refill.close()]);
    },
  };
}

/**
 * Logs each kind of failure at most every few seconds, with how often it happened meanwhile, so that load cannot fill
 * the log.
 */
function complaints(log: Logger, now: () => Millis) {
  const EVERY: Millis = 5000;
  const said = new Map<string, { at: Millis; since: number }>();
  return (what: string, error: unknown) => {
    const last = said.get(what);
    if (last !== undefined && now() - last.at < EVERY) {
      last.since++;
      return;
    }
    log.warn({ err: error, ...(last?.since ? { alsoTimes: last.since } : {}) }, what);
    said.set(what, { at: now(), since: 0 });
  };
}
