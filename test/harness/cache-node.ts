// A cache node for tests of its scripts: a real Redis, an identity put there by the scripts of recovery, and one client of
// every kind, connected. No agent runs: what one would do, the test does.

import type { BuyerId, Epoch, Incarnation, NodeId, Units } from '../../dataplane/protocol/units.ts';
import type {
  AgentNode,
  AuditNode,
  NodeIdentity,
  NodeState,
  PoolNode,
  PurchaseMode,
  ReserveReply,
  ReserveRequest,
  ReserveTerms,
  StorefrontNode,
  TokenRecord,
  TokenRef,
} from '../../dataplane/stores/cache-node/cache-node.ts';
import {
  connectAgentNode,
  connectAuditNode,
  connectPoolNode,
  connectStorefrontNode,
} from '../../dataplane/stores/cache-node/redis.ts';
import type { TestRedis } from './redis.ts';
import { until } from './until.ts';

export interface CacheNodeClients {
  agent: AgentNode;
  storefront: StorefrontNode;
  pool: PoolNode;
  audit: AuditNode;
  close(): Promise<void>;
}

/** A slow disk is not what is tested here. */
export const PATIENT = { timeout: 10_000 };

/** Connected when this resolves: every user must be on. */
export async function connectAll(redis: TestRedis): Promise<CacheNodeClients> {
  const clients = {
    agent: connectAgentNode(redis, redis.passwordOf('agent'), PATIENT),
    storefront: connectStorefrontNode(redis, redis.passwordOf('storefront'), PATIENT),
    pool: connectPoolNode(redis, redis.passwordOf('pool'), PATIENT),
    audit: connectAuditNode(redis, redis.passwordOf('audit'), { page: 10, ...PATIENT }),
  };
  await connected(clients);
  return {
    ...clients,
    close: async () => {
      for (const client of Object.values(clients)) await client.close();
    },
  };
}

/** Waits until each answers, for the first time or again. */
export async function connected(clients: Omit<CacheNodeClients, 'close'>): Promise<void> {
  const { agent, storefront, pool, audit } = clients;
  for (const ask of [agent.state, storefront.identity, pool.state, audit.state]) await answers(ask);
}

export const answers = (ask: () => Promise<unknown>): Promise<true> =>
  until('a client to be connected', () =>
    ask().then(
      (): true => true,
      () => false,
    ),
  );

export interface Prepared {
  incarnation?: Incarnation;
  node?: NodeId;
  count?: number;
  epoch?: Epoch;
  layout?: number;
  mode?: PurchaseMode;
  granted?: Units;
  revoked?: Units;
  ordered?: Units;
  buyers?: [BuyerId, Units][];
}

/** Whatever the node held is gone; it has this identity and these numbers now. */
export async function prepare(agent: AgentNode, wanted: Prepared = {}): Promise<NodeIdentity> {
  const { mode = 'selling', granted = 0, revoked = 0, ordered = 0, buyers = [] } = wanted;
  const identity: NodeIdentity = {
    incarnation: wanted.incarnation ?? 'i1',
    node: wanted.node ?? 'c0',
    epoch: wanted.epoch ?? nextEpoch++,
    layout: wanted.layout ?? 1,
    count: wanted.count ?? 1,
    paused: mode !== 'selling',
  };
  const { incarnation, epoch } = identity;
  const done =
    (await agent.beginRecovery(incarnation, epoch)) &&
    (await agent.recoverBuyers(incarnation, epoch, buyers)) &&
    (await agent.endRecovery(identity, mode, { granted, revoked, ordered }));
  if (!done) throw new Error('the node has a newer epoch');
  return identity;
}
let nextEpoch = 1;

/** 22 characters, as a token id has. */
export const tokenId = (n: number): string => `token-${String(n).padStart(16, '0')}`;

/** One purchase, with its terms. */
export type Wanted = ReserveTerms & ReserveRequest;

/** A purchase in a call of its own. */
export async function reserve(storefront: Pick<StorefrontNode, 'reserve'>, wanted: Wanted): Promise<ReserveReply> {
  const [reply] = await storefront.reserve(wanted, [wanted]);
  if (reply === undefined) throw new Error('one reply for each request');
  return reply;
}

/** Terms under which any number of reservations may lapse. */
export const PATIENT_TERMS = { mostLapsed: Number.MAX_SAFE_INTEGER, cooldown: 0 };

let requests = 0;
export const request = (identity: NodeIdentity, patch: Partial<Wanted> = {}): Wanted => ({
  incarnation: identity.incarnation,
  epoch: identity.epoch,
  layout: identity.layout,
  id: tokenId(++requests),
  buyer: `buyer-${requests}`,
  quantity: 1,
  shard: 's0',
  ttl: 60_000,
  perBuyer: 1,
  ...PATIENT_TERMS,
  ...patch,
});

/** A purchase that must succeed. */
export async function purchase(
  storefront: StorefrontNode,
  identity: NodeIdentity,
  patch: Partial<Wanted> = {},
): Promise<TokenRecord> {
  const reply = await reserve(storefront, request(identity, patch));
  if (reply.kind !== 'token') throw new Error(`no token but ${reply.kind}`);
  return reply.token;
}

/** The token as it is stored; undefined: the buyer has another one, or none. */
export async function stored(storefront: StorefrontNode, { id, buyer }: TokenRef): Promise<TokenRecord | undefined> {
  const [token] = await storefront.tokens([buyer]);
  return token?.id === id ? token : undefined;
}

export async function stateOf(node: { state(): Promise<NodeState | undefined> }): Promise<NodeState> {
  const state = await node.state();
  if (state === undefined) throw new Error('the node has no identity');
  return state;
}

/** `granted − revoked = V + live tokens + units ever ordered through it`, as the node counts them (protocol.md). */
export const missing = (s: NodeState): Units =>
  s.granted - s.revoked - (s.virtual + s.liveUnits + s.settledUnits + s.orderedBefore);
