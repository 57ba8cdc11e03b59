// The cache nodes as this storefront knows them: one connection each, and the stamp it last showed. Stamps are read
// once a second and whenever a script calls an expectation stale, so that neither the registry nor an agent is on the
// buyer's path. A node that does not answer keeps its last stamp: scripts check it again anyway.

import type { Stamp, StorefrontNode } from '../clients/cache-node.ts';
import type { NodeConfig } from '../protocol/config.ts';
import { homeNode } from '../protocol/home.ts';
import { type BuyerId, type Millis, type NodeId, nodeId } from '../protocol/units.ts';
import { type Layout, layoutOf } from './layout.ts';
import { Lookup } from './lookup.ts';
import { Reservations } from './reservations.ts';

const POLL_EVERY: Millis = 1000;

export interface NodeLink {
  readonly config: NodeConfig;
  readonly client: StorefrontNode;
  readonly lookup: Lookup;
  readonly reservations: Reservations;
  /** Undefined: never heard of, or not fit for use now. */
  stamp: Stamp | undefined;
  /** Whether it answered when it was last asked. */
  answers: boolean;
  /** Whether it ever showed a stamp. */
  heard: boolean;
}

export type ConnectNode = (config: NodeConfig) => StorefrontNode;

export class Nodes {
  readonly #connect: ConnectNode;
  readonly #links = new Map<NodeId, NodeLink>();
  readonly #asking = new Map<NodeLink, Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #layout: Layout | undefined;

  constructor(connect: ConnectNode, nodes: readonly NodeConfig[]) {
    this.#connect = connect;
    this.configure(nodes);
    this.#timer = setInterval(() => void this.refresh(), POLL_EVERY).unref();
  }

  get layout(): Layout | undefined {
    return this.#layout;
  }

  get(id: NodeId): NodeLink | undefined {
    return this.#links.get(id);
  }

  /** R4: the buyer's home; undefined: no layout is known, or its node is not configured here. */
  home(buyer: BuyerId): NodeLink | undefined {
    return this.#layout && this.#links.get(homeNode(buyer, this.#layout.count));
  }

  /** Some node takes no purchases. */
  get paused(): boolean {
    return [...this.#links.values()].some(({ stamp }) => stamp?.paused);
  }

  /** Undefined: every node of the layout has shown a stamp. Otherwise what is missing, in words. */
  missing(): string | undefined {
    const layout = this.#layout;
    if (layout === undefined) return 'no cache node has shown its stamp yet';
    for (let n = 0; n < layout.count; n++)
      if (!this.#links.get(nodeId(n))?.heard) return `cache node c${n} has not shown its stamp yet`;
    return undefined;
  }

  /** Connects to what is new or moved, lets go of what is gone. */
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

  /** Asks every node for its stamp; who is being asked already is not asked twice. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => this.#ask(link)));
  }

  /** What a node said of itself, in whatever answer. */
  learn(link: NodeLink, stamp: Stamp | undefined): void {
    link.stamp = stamp;
    link.answers = true;
    link.heard ||= stamp !== undefined;
    const stamps = [...this.#links.values()].flatMap((l) => (l.answers && l.stamp ? [l.stamp] : []));
    this.#layout = layoutOf(this.#layout, stamps);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all([...this.#links.values()].map(({ client }) => client.close()));
  }

  #link(config: NodeConfig): NodeLink {
    const client = this.#connect(config);
    return {
      config,
      client,
      lookup: new Lookup(client),
      reservations: new Reservations(client),
      stamp: undefined,
      answers: false,
      heard: false,
    };
  }

  #ask(link: NodeLink): Promise<void> {
    let asking = this.#asking.get(link);
    if (asking === undefined) {
      asking = link.client
        .stamp()
        .then(
          (stamp) => this.learn(link, stamp),
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
