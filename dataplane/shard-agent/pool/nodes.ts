// Keeps the pool agent's connections to the cache nodes, as the configuration says, and reads all nodes at once. It
// decides nothing; of a node that cannot be read it says so.

import type { NodeConfig } from '../../protocol/config.ts';
import type { Millis, NodeId } from '../../protocol/units.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { NodeState, PoolNode } from '../../stores/cache-node/cache-node.ts';
import type { AgentRegistry, RegistryNode, RegistryView } from '../../stores/registry/registry.ts';
import type { Look } from './reading.ts';

/** How long a node that failed is not asked again, so that nobody waits for its timeout twice. */
const REST: Millis = 500;

interface Connection {
  address: string;
  node: PoolNode;
  failedAt: Millis;
}

export interface Nodes {
  configure(nodes: readonly NodeConfig[]): void;
  /**
   * Reads every node first, then the registry: what is granted meanwhile then shows as unapplied, and is not missed
   * (R29). Resolves to undefined when there is no sale yet. Rejects when the registry is away.
   */
  look(): Promise<Look | undefined>;
  /** Returns undefined when the configuration does not name the node. */
  client(id: NodeId): PoolNode | undefined;
  close(): Promise<void>;
}

export function openNodes(
  registry: Pick<AgentRegistry, 'read'>,
  connect: (node: NodeConfig) => PoolNode,
  clock: Clock,
): Nodes {
  const connections = new Map<NodeId, Connection>();

  const drop = (id: NodeId) => {
    void connections.get(id)?.node.close();
    connections.delete(id);
  };

  async function read(connection: Connection): Promise<NodeState | undefined> {
    if (clock.now() - connection.failedAt < REST) return undefined;
    try {
      return await connection.node.state();
    } catch {
      connection.failedAt = clock.now();
      return undefined;
    }
  }

  return {
    configure(nodes) {
      const wanted = new Map(nodes.map((node) => [node.id, node]));
      for (const id of connections.keys()) if (!wanted.has(id)) drop(id);
      for (const [id, config] of wanted) {
        const address = `${config.host}:${config.port}`;
        if (connections.get(id)?.address === address) continue;
        drop(id);
        connections.set(id, { address, node: connect(config), failedAt: Number.NEGATIVE_INFINITY });
      }
    },
    async look() {
      const asked = [...connections].map(async ([id, connection]) => [id, await read(connection)] as const);
      const states = new Map(await Promise.all(asked));
      const view = await registry.read();
      if (!view) return undefined;
      const readings = view.nodes.map((node) => ({ node, state: fitting(view, node, states.get(node.id)) }));
      return { view, readings };
    },
    client: (id) => connections.get(id)?.node,
    async close() {
      for (const id of [...connections.keys()]) drop(id);
    },
  };
}

/**
 * Returns the state if it is of this incarnation and epoch: a node's state of another one says nothing about this one.
 */
const fitting = (view: RegistryView, node: RegistryNode, state: NodeState | undefined): NodeState | undefined =>
  state?.identity.incarnation === view.incarnation && state.identity.epoch === node.epoch ? state : undefined;
