// Reads the cache nodes for the audit: what each holds and every live token, taken together only if nothing changed
// while they were read.

import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeConfig, SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis, NodeId } from '../../dataplane/protocol/units.ts';
import type { AuditNode } from '../../dataplane/stores/cache-node/cache-node.ts';
import { connectAuditNode } from '../../dataplane/stores/cache-node/redis.ts';
import { StoreUnknown } from '../../dataplane/stores/errors.ts';
import type { LiveToken, NodeReading } from './check.ts';

/** A node that is busy is read this often before the newest reading is taken as it is. */
const READINGS = 5;

/** A connection begins with the first call, which does not wait for it. */
const CONNECT_WITHIN: Millis = 3000;

async function whenConnected<T>(call: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + CONNECT_WITHIN; ; ) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof StoreUnknown) || performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

async function readNode(id: NodeId, node: AuditNode): Promise<NodeReading | undefined> {
  for (let reading = 1; ; reading++) {
    const before = await node.state();
    if (!before) return undefined;
    // By id: a scan may show a key twice.
    const live = new Map<string, LiveToken>();
    for await (const page of node.buyers())
      for (const { token } of page)
        if (token?.state === 'live') live.set(token.id, { id: token.id, shard: token.shard, quantity: token.quantity });
    const after = await node.state();
    if (after?.sequence !== before.sequence && reading < READINGS) continue;
    return {
      node: id,
      epoch: before.identity.epoch,
      virtual: before.virtual,
      granted: before.granted,
      revoked: before.revoked,
      returnedUnits: before.returnedUnits,
      live: [...live.values()],
      pinned: before.pinned,
    };
  }
}

/** A node that cannot be read, or has no identity, is named in `unread`. */
export async function readNodes(
  config: SaleConfig,
  password: string,
): Promise<{ nodes: NodeReading[]; unread: NodeId[] }> {
  const nodes: NodeReading[] = [];
  const unread: NodeId[] = [];
  const read = async (at: NodeConfig) => {
    const node = connectAuditNode(at, password);
    try {
      await whenConnected(() => node.state());
      const reading = await readNode(at.id, node);
      if (reading) nodes.push(reading);
      else unread.push(at.id);
    } catch {
      unread.push(at.id);
    } finally {
      await node.close();
    }
  };
  await Promise.all(config.cache.nodes.map(read));
  return { nodes: nodes.sort((a, b) => a.node.localeCompare(b.node, 'en', { numeric: true })), unread };
}
