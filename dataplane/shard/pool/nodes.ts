// The pool agent's connections to the cache nodes: opened and closed as the configuration says, and read all at once.
// Decides nothing; what it cannot read it says so.

import type { NodeState, PoolNode } from '../../clients/cache-node.ts';
import { connectPoolNode } from '../../clients/cache-node-redis.ts';
import type { AgentRegistry, RegistryNode, RegistryView } from '../../clients/registry.ts';
import type { NodeConfig } from '../../protocol/config.ts';
import type { Millis, NodeId } from '../../protocol/units.ts';
import type { Look } from './reading.ts';

const TIMEOUT: Millis = 500;
/** A node that failed is not asked again for so long, so that nobody waits for its timeout twice. */
const REST: Millis = 500;

interface Connection {
  address: string;
  node: PoolNode;
  failedAt: Millis;
}

export interface Nodes {
  configure(nodes: readonly NodeConfig[]): void;
  /** The registry first, then every node of it. Undefined: there is no sale yet. Rejects when the registry is away. */
  look(): Promise<Look | undefined>;
  /** Undefined: the configuration does not name it. */
  client(id: NodeId): PoolNode | undefined;
  close(): Promise<void>;
}

export function openNodes(registry: AgentRegistry, password: string): Nodes {
  const connections = new Map<NodeId, Connection>();

  const drop = (id: NodeId) => {
    void connections.get(id)?.node.close();
    connections.delete(id);
  };

  async function read(view: RegistryView, node: RegistryNode): Promise<NodeState | undefined> {
    const connection = connections.get(node.id);
    if (!connection || performance.now() - connection.failedAt < REST) return undefined;
    try {
      const state = await connection.node.state();
      const fit = state?.stamp.incarnation === view.incarnation && state.stamp.epoch === node.epoch;
      return fit ? state : undefined;
    } catch {
      connection.failedAt = performance.now();
      return undefined;
    }
  }

  return {
    configure(nodes) {
      const wanted = new Map(nodes.map((node) => [node.id, node]));
      for (const id of connections.keys()) if (!wanted.has(id)) drop(id);
      for (const [id, { host, port }] of wanted) {
        const address = `${host}:${port}`;
        if (connections.get(id)?.address === address) continue;
        drop(id);
        const node = connectPoolNode({ host, port }, password, { timeout: TIMEOUT });
        connections.set(id, { address, node, failedAt: Number.NEGATIVE_INFINITY });
      }
    },
    async look() {
      const view = await registry.read();
      if (!view) return undefined;
      const readings = await Promise.all(view.nodes.map(async (node) => ({ node, state: await read(view, node) })));
      return { view, readings };
    },
    client: (id) => connections.get(id)?.node,
    async close() {
      for (const id of [...connections.keys()]) drop(id);
    },
  };
}
