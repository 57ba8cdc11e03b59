// The agent of one cache node: it carries out what decide.ts decides, applies grants, ends tokens and reports levels.
// It is not on the buyer's path: with the agent, the sale's registry or the queue away, a fit node goes on selling what
// it holds.
//
// It has three steps, each repeated by a loop of its own (start.ts); each may be cut off anywhere.

import type { SaleConfig } from '../protocol/config.ts';
import type { Millis, NodeId, ShardId } from '../protocol/units.ts';
import type { Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import type { AgentNode, Expected, NodeServer, NodeState, PurchaseMode } from '../stores/cache-node/cache-node.ts';
import type { CacheRegistry, RegistryView } from '../stores/registry/registry.ts';
import type { CacheShard } from '../stores/shard/shard.ts';
import { decide, type Objection, type Verdict } from './decide.ts';
import { Expiry } from './expire.ts';
import { levelOf, type Reported, shouldReport } from './levels.ts';
import type { CacheMetrics } from './metrics.ts';
import { recover } from './recover.ts';

export type CacheStep = 'expiry-fenced' | `recovery-${1 | 2 | 3 | 4 | 5}`;

export interface AgentDeps {
  self: NodeId;
  durability(): SaleConfig['cache']['durability'];
  node: AgentNode;
  registry: CacheRegistry;
  shard(id: ShardId): CacheShard | undefined;
  bus: Pick<Bus, 'publish'>;
  metrics: CacheMetrics;
  log: Logger;
  /** Is called at each place where a test may end the process. */
  passed(step: CacheStep): void;
  clock: Clock;
  /** Returns a number from 0 up to and without 1. */
  random(): number;
}

/** Two recoveries at once are safe, but each voids the other; the one that lost stands back for a while. */
const STAND_BACK: Millis = 1000;

export class CacheAgent {
  readonly #deps: AgentDeps;
  readonly #expiry: Expiry;
  /** The epoch of the node that was found fit, or was not found unfit; undefined while the node is kept off. */
  #expected: Expected | undefined;
  #reported: Reported | undefined;
  #standBackUntil: Millis = 0;
  /** The last decision; undefined when the node did not answer. */
  #verdict: Verdict | undefined;
  #users: NodeServer['users'] = 'none';

  constructor(deps: AgentDeps) {
    this.#deps = deps;
    this.#expiry = new Expiry({
      self: deps.self,
      node: deps.node,
      shard: deps.shard,
      fenced: () => deps.passed('expiry-fenced'),
      ended: ({ settled, returned }) => {
        deps.metrics.ended(settled, 'settled');
        deps.metrics.ended(returned, 'returned');
      },
      failed: (shard, error) => {
        deps.metrics.loopFailed(1, 'close');
        deps.log.debug({ err: error, shard }, 'a shard did not close its tokens; they stay reserved');
      },
    });
  }

  /** Returns undefined when the node may be used, and otherwise a sentence that says why not. */
  unready(): string | undefined {
    if (this.#verdict === undefined) return 'the node does not answer';
    return this.#users === 'all' ? undefined : `the node is off: ${this.#verdict.reason}`;
  }

  /**
   * Compares the node with the sale's registry and does what is to be done. Resolves to true to be called again at
   * once.
   */
  async attend(): Promise<boolean> {
    const { self, durability, log } = this.#deps;
    const view = await this.#readRegistry();
    const { server, state } = await this.#readNode();
    this.#saw(server.users);
    const verdict = decide({ self, durability: durability(), view, server, state });
    if (verdict.reason !== this.#verdict?.reason) log.info({ do: verdict.do, reason: verdict.reason }, 'the node');
    this.#verdict = verdict;
    switch (verdict.do) {
      case 'serve':
        if (view && state) await this.#serve(view, state, server, verdict.mode);
        return false;
      case 'leave':
        this.#expected ??= state && expectedOf(state);
        return false;
      case 'keep-off':
        await this.#off();
        return false;
      case 'recover':
        await this.#off();
        return this.#recover(verdict.reason);
    }
  }

  /** Ends the tokens that are due. Resolves to true when there may be more. */
  async expire(): Promise<boolean> {
    if (this.#expected === undefined) return false;
    const more = await this.#expiry.round(this.#expected);
    this.#deps.metrics.waiting(this.#expiry.waiting);
    return more;
  }

  /** Publishes the node's level when it is due. */
  async report(): Promise<void> {
    const { node, bus, self, clock } = this.#deps;
    const state = await node.state();
    if (state === undefined || state.identity.epoch !== this.#expected?.epoch) return;
    this.#deps.metrics.state(state);
    const level = levelOf(state);
    if (!shouldReport(this.#reported, level, clock.now())) return;
    if (await bus.publish('levels', [{ key: self, value: level }])) this.#reported = { level, at: clock.now() };
    else this.#deps.metrics.reportsFailed(1);
  }

  /** Resolves when no shard is being closed any more. */
  settled(): Promise<void> {
    return this.#expiry.settled();
  }

  async #serve(view: RegistryView, state: NodeState, server: NodeServer, mode: PurchaseMode): Promise<void> {
    const { self, node, log } = this.#deps;
    const { identity } = state;
    this.#expected = expectedOf(state);
    if (modeOfState(state) !== mode && (await node.setMode(identity, mode))) log.info({ mode }, 'purchases');
    const granted = view.nodes.find(({ id }) => id === self)?.granted ?? 0;
    if (granted > state.granted) await node.grant(identity, granted);
    if (server.users !== 'all' && (await node.enable(server.run, identity))) {
      this.#saw('all');
      log.info({ epoch: identity.epoch, layout: identity.layout, virtual: state.virtual }, 'the node is on');
    }
  }

  async #off(): Promise<void> {
    this.#expected = undefined;
    if (this.#users === 'none') return;
    await this.#deps.node.disable();
    this.#saw('none');
  }

  #saw(users: NodeServer['users']): void {
    this.#users = users;
    this.#deps.metrics.enabled(users === 'all' ? 1 : 0);
  }

  async #readRegistry(): Promise<RegistryView | undefined> {
    try {
      return await this.#deps.registry.read();
    } catch (error) {
      this.#deps.log.debug({ err: error }, 'the registry cannot be read');
      this.#deps.metrics.loopFailed(1, 'registry');
      return undefined;
    }
  }

  async #readNode(): Promise<{ server: NodeServer; state: NodeState | undefined }> {
    try {
      return { server: await this.#deps.node.server(), state: await this.#deps.node.state() };
    } catch (error) {
      this.#verdict = undefined;
      this.#deps.metrics.enabled(0);
      throw error;
    }
  }

  async #recover(reason: Objection): Promise<boolean> {
    const { log, clock, random } = this.#deps;
    if (clock.now() < this.#standBackUntil) return false;
    const outcome = await recover({ ...this.#deps, passed: (step) => this.#deps.passed(`recovery-${step}`) });
    if (outcome.kind === 'overtaken') {
      this.#standBackUntil = clock.now() + STAND_BACK * (0.5 + random());
      return false;
    }
    this.#deps.metrics.recovered(1, reason);
    log.info({ reason, epoch: outcome.epoch, virtual: outcome.virtual }, 'the node is recovered');
    return true;
  }
}

const expectedOf = ({ identity: { incarnation, epoch } }: NodeState): Expected => ({ incarnation, epoch });

const modeOfState = ({ identity, draining }: NodeState): PurchaseMode =>
  draining ? 'draining' : identity.paused ? 'paused' : 'selling';
