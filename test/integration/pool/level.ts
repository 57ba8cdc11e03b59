// A cache tier for the pool's tests: buyers who reserve and order, questions to the pool's agent, and where every
// virtual unit is.

import { randomBytes } from 'node:crypto';
import type { RefillAnswer } from '../../../dataplane/protocol/refill.ts';
import type { Incarnation, NodeId, ShardId, Units } from '../../../dataplane/protocol/units.ts';
import type { NodeState, ReserveReply } from '../../../dataplane/stores/cache-node/cache-node.ts';
import type { Backstage } from '../../harness/agents.ts';
import { PATIENT_TERMS, reserve } from '../../harness/cache-node.ts';
import { until } from '../../harness/until.ts';

export type Level = ReturnType<typeof levelOf>;

export function levelOf(sale: Backstage) {
  const clients = new Map<NodeId, ReturnType<Backstage['node']>>();
  const node = (id: NodeId) => {
    const client = clients.get(id) ?? sale.node(id);
    clients.set(id, client);
    return client;
  };
  const state = (id: NodeId): Promise<NodeState> =>
    until(`${id} answers`, () =>
      node(id)
        .state()
        .catch(() => undefined),
    );
  let buyers = 0;

  async function purchase(id: NodeId, quantity: Units = 1, shard: ShardId = 's0'): Promise<ReserveReply> {
    // By the connection that is used then: each of them comes back by itself.
    const identity = await until(`${id} has an identity`, () =>
      node(id)
        .identity()
        .catch(() => undefined),
    );
    return reserve(node(id), {
      incarnation: identity.incarnation,
      epoch: identity.epoch,
      layout: identity.layout,
      id: randomBytes(16).toString('base64url'),
      buyer: `buyer-${buyers++}`,
      quantity,
      shard,
      ttl: sale.config.token.ttl,
      perBuyer: 1000,
      ...PATIENT_TERMS,
    });
  }

  return {
    state,
    reserve: purchase,
    async virtual(id: NodeId): Promise<Units> {
      return (await state(id)).virtual;
    },
    /** One buyer takes `units` of a node at once (all it has when absent). */
    async drain(id: NodeId, units?: Units): Promise<void> {
      const quantity = units ?? (await state(id)).virtual;
      if (quantity === 0) return;
      const reply = await purchase(id, quantity);
      if (reply.kind !== 'token') throw new Error(`${id} answered ${reply.kind}`);
    },
    /** A purchase and a checkout. */
    async order(incarnation: Incarnation, id: NodeId, quantity: Units, deadline?: number): Promise<string> {
      const reply = await purchase(id, quantity);
      if (reply.kind !== 'token') throw new Error(`${id} answered ${reply.kind}`);
      const { token } = reply;
      const epoch = (await state(id)).identity.epoch;
      const row = { token: token.id, buyer: token.buyer, quantity, node: id, epoch, sequence: token.sequence };
      const [outcome] = await sale.storefrontShard(token.shard).checkout(incarnation, [row], deadline);
      if (outcome !== 'sold') throw new Error(`the checkout answered ${outcome}`);
      await node(id).settle({ incarnation, epoch }, [token]);
      return token.id;
    },
    async ask(id: NodeId, quantity: Units = 1): Promise<RefillAnswer> {
      const response = await fetch(sale.refillUrl, {
        method: 'POST',
        headers: { authorization: 'Bearer internal-secret', 'content-type': 'application/json' },
        body: JSON.stringify({ node: id, quantity }),
      });
      // As a storefront takes it: no instance acts at the moment.
      if (response.status === 503) return { outcome: 'unavailable', liveUnits: 0 };
      if (response.status !== 200) throw new Error(`the pool's agent answered ${response.status}`);
      return (await response.json()) as RefillAnswer;
    },
    /** Undefined: every unit is where the registry says. Otherwise what is wrong, or not done yet. */
    async wrong(): Promise<string | undefined> {
      const view = await sale.view();
      const owned = view.nodes.reduce((sum, { granted, revoked }) => sum + granted - revoked, 0);
      const credited = view.shards.reduce((sum, shard) => sum + shard.credited, 0);
      if (owned !== view.supplied - view.owed + credited)
        return `the nodes own ${owned} of ${view.supplied} − ${view.owed} + ${credited}`;
      for (const { id, epoch, granted, revoked } of view.nodes) {
        if (!sale.redis.has(id) || Number(id.slice(1)) >= view.count) continue;
        const found = await state(id);
        const held = found.virtual + found.liveUnits + found.settledUnits + found.orderedBefore;
        if (found.identity.epoch !== epoch || found.granted !== granted || found.revoked !== revoked)
          return `${id} has not caught up with the registry`;
        if (held !== granted - revoked) return `${id} holds ${held} of ${granted} − ${revoked}`;
      }
      return undefined;
    },
    /** Every unit is accounted for. */
    async conserved(): Promise<void> {
      let wrong: string | undefined;
      await until('every unit is accounted for', async () => {
        wrong = await this.wrong();
        return wrong === undefined;
      }).catch(() => {
        throw new Error(wrong);
      });
    },
  };
}
