// The cache nodes as this storefront knows them: for each its connection and the identity it last showed. Identities
// are read once a second and whenever a script calls an expectation stale, so that neither the sale's registry nor an
// agent is on the buyer's path. A node that does not answer keeps its last identity: scripts check it again anyway.

import type { NodeConfig } from '../protocol/config.ts';
import { ownerNode } from '../protocol/owner-node.ts';
import { type BuyerId, type Millis, type NodeId, nodeId, nodeNumber } from '../protocol/units.ts';
import type { Cancel, Clock } from '../runtime/clock.ts';
import type { NodeIdentity, StorefrontNode } from '../stores/cache-node/cache-node.ts';
import { type Layout, layoutOf } from './layout.ts';
import { ReserveBatcher } from './reserve-batcher.ts';
import { TokenReadBatcher } from './token-read-batcher.ts';

const POLL_EVERY: Millis = 1000;

export interface NodeLink {
  readonly config: NodeConfig;
  readonly client: StorefrontNode;
  readonly tokenReads: TokenReadBatcher;
  readonly reserves: ReserveBatcher;
  /** The identity that the node last showed; undefined when it never answered, or is not fit for use now. */
  identity: NodeIdentity | undefined;
  /** True when the node answered the last time it was asked. */
  answers: boolean;
  /** True once the node has shown an identity. */
  identified: boolean;
}

export type ConnectNode = (config: NodeConfig) => StorefrontNode;

export class Nodes {
  readonly #connect: ConnectNode;
  readonly #links = new Map<NodeId, NodeLink>();
  readonly #asking = new Map<NodeLink, Promise<void>>();
  readonly #clock: Clock;
  readonly #stopPolling: Cancel;
  #layout: Layout | undefined;

  constructor(connect: ConnectNode, nodes: readonly NodeConfig[], clock: Clock) {
    this.#connect = connect;
    this.#clock = clock;
    this.configure(nodes);
    this.#stopPolling = clock.every(POLL_EVERY, () => void this.refresh());
  }

  get layout(): Layout | undefined {
    return this.#layout;
  }

  get(id: NodeId): NodeLink | undefined {
    return this.#links.get(id);
  }

  /** R4: returns the buyer's owner node, or undefined when no layout is known, or that node is not configured here. */
  owner(buyer: BuyerId): NodeLink | undefined {
    return this.#layout && this.#links.get(ownerNode(buyer, this.#layout.count));
  }

  /**
   * True when some node of the layout takes no purchases. A node that is away is not asked: it may have missed that the
   * sale goes on. While all of them are away, what they said last counts.
   */
  get paused(): boolean {
    const members = [...this.#links.values()].filter(
      ({ config }) => nodeNumber(config.id) < (this.#layout?.count ?? 0),
    );
    const present = members.filter(({ answers }) => answers);
    return (present.length > 0 ? present : members).some(({ identity }) => identity?.paused);
  }

  /**
   * Returns undefined once every node of the layout has shown an identity, and otherwise a sentence that says what is
   * missing.
   */
  missing(): string | undefined {
    const layout = this.#layout;
    if (layout === undefined) return 'no cache node has shown its identity yet';
    for (let n = 0; n < layout.count; n++)
      if (!this.#links.get(nodeId(n))?.identified) return `cache node c${n} has not shown its identity yet`;
    return undefined;
  }

  /** Connects to nodes that are new or moved, and closes the connections of those that are gone. */
  configure(nodes: readonly NodeConfig[]): void {
    for (const [id, { config, client }] of this.#links) {
      const wanted = nodes.find((n) => n.id === id);
      if (wanted?.host === config.host && wanted.port === config.port) continue;
      this.#links.delete(id);
      void client.close();
    }
    for (const config of nodes) if (!this.#links.has(config.id)) this.#links.set(config.id, this.#link(config));
    void this.refresh();
  }

  /** Asks every node for its identity, but for those that are being asked already. It never rejects. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => this.#ask(link)));
  }

  /** Takes in what a node said of itself, in whatever answer. */
  learn(link: NodeLink, identity: NodeIdentity | undefined): void {
    link.identity = identity;
    link.answers = true;
    link.identified ||= identity !== undefined;
    const identities = [...this.#links.values()].flatMap((l) => (l.answers && l.identity ? [l.identity] : []));
    this.#layout = layoutOf(this.#layout, identities);
  }

  async close(): Promise<void> {
    this.#stopPolling();
    await Promise.all([...this.#links.values()].map(({ client }) => client.close()));
  }

  #link(config: NodeConfig): NodeLink {
    const client = this.#connect(config);
    return {
      config,
      client,
      tokenReads: new TokenReadBatcher(client, this.#clock),
      reserves: new ReserveBatcher(client, this.#clock),
      identity: undefined,
      answers: false,
      identified: false,
    };
  }

  #ask(link: NodeLink): Promise<void> {
    let asking = this.#asking.get(link);
    if (asking === undefined) {
      asking = link.client
        .identity()
        .then(
          (identity) => this.learn(link, identity),
          () => {
            link.answers = false;
          },
        )
        .finally(() => this.#asking.delete(link));
      this.#asking.set(link, asking);
    }
    return asking;
  }
}
