// The pool agent's connections to the cache nodes: opened and closed as the configuration says, and read all at once.
// Decides nothing; what it cannot read it says so.

import type { NodeConfig } from '../../protocol/config.ts';
import type { Millis, NodeId } from '../../protocol/units.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { NodeState, PoolNode } from '../../stores/cache-node/cache-node.ts';
import type { AgentRegistry, RegistryNode, RegistryView } from '../../stores/registry/registry.ts';
import type { Look } from './reading.ts';

/** A node that failed is not asked again for so long, so that nobody waits for its timeout twice. */
const REST: Millis = 500;

interface Connection {
  address: string;
  node: PoolNode;
  failedAt: Millis;
}

export interface Nodes {
  configure(nodes: readonly NodeConfig[]): void;
  /**
   * Every node first, then the registry: what is granted meanwhile then shows as unapplied, and is not missed (R29).
   * Undefined: there is no sale yet. Rejects when the registry is away.
   */
  look(): Promise<Look | undefined>;
  /** Undefined: the configuration does not name it. */
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

/** A node of another life of the sale, or of its own, says nothing about this one. */
const fitting = (view: RegistryView, node: RegistryNode, state: NodeState | undefined): NodeState | undefined =>
  state?.identity.incarnation === view.incarnation && state.identity.epoch === node.epoch ? state : undefined;
