// What the leader keeps open for one sale: the registry's connection and the balancer with its resource table. Made
// when the sale's databases are there, made anew when they or Kafka move, closed when the sale ends. Holds no decision.

import { isDeepStrictEqual } from 'node:util';
import type { Registry } from 'prom-client';
import { databaseSecret, type SaleConfig, SECRETS } from '../../dataplane/protocol/config.ts';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { connectBus } from '../../dataplane/runtime/bus-kafka.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { connectOperatorRegistry } from '../../dataplane/stores/registry/postgres.ts';
import type { OperatorRegistry, RegistryView } from '../../dataplane/stores/registry/registry.ts';
import type { Cycle } from '../balancer/cycle.ts';
import { type Balancer, startBalancer } from '../balancer/loop.ts';
import { takeStep } from '../sale/agree.ts';
import type { Step } from '../sale/registry-steps.ts';

export interface SaleSessionDeps {
  log: Logger;
  /** Makes the metrics registry of this sale, in place of an earlier one. */
  metrics(): Registry;
  /** Is called when the resource table has changed. */
  changed(): void;
}

/** A registry that gives no answer within this time does not answer. */
const ASK_WITHIN: Millis = 2000;

export class SaleSession {
  readonly #deps: SaleSessionDeps;
  #connected: { to: unknown; registry: OperatorRegistry } | undefined;
  #balancing:
    | {
        incarnation: string;
        registry: OperatorRegistry;
        config: SaleConfig;
        /** The keys of its messages. */
        busKey: string;
        balancer: Balancer;
        since: Millis;
        close(): Promise<void>;
      }
    | undefined;
  #view: RegistryView | undefined;
  #metrics: Registry | undefined;

  constructor(deps: SaleSessionDeps) {
    this.#deps = deps;
  }

  /** The sale's registry as it was last read; undefined: it was not read yet. */
  get view(): RegistryView | undefined {
    return this.#view;
  }

  /** The balancer's resource table; undefined: no balancer runs. */
  get table(): ResourceTable | undefined {
    return this.#balancing?.balancer.table;
  }

  /** The balance cycle as it was last measured. */
  get cycle(): Cycle | undefined {
    return this.#balancing?.balancer.cycle();
  }

  /** The configuration of the balancer that runs. */
  get config(): SaleConfig | undefined {
    return this.#balancing?.config;
  }

  /** When the balancer that runs was started; undefined: none runs. */
  get balancingSince(): Millis | undefined {
    return this.#balancing?.since;
  }

  /** The metrics registry of the balancer that runs. */
  get metrics(): Registry | undefined {
    return this.#metrics;
  }

  /** Reads the registry; the answer is kept as `view`. Undefined: no sale is in it yet. Rejects when it cannot be asked. */
  async read({ pool }: SaleConfig, secret: Secret): Promise<RegistryView | undefined> {
    const password = secret(databaseSecret('operator'));
    const to = { pool, password };
    if (!isDeepStrictEqual(this.#connected?.to, to)) {
      await this.#connected?.registry.close();
      this.#connected = { to, registry: connectOperatorRegistry(pool, password, { timeout: ASK_WITHIN }) };
    }
    const view = await this.#connected?.registry.read();
    if (view) this.#view = view;
    return view;
  }

  /** Writes one step into the registry. */
  async take(step: Step): Promise<void> {
    const registry = this.#connected?.registry;
    if (registry) await takeStep(registry, step);
  }

  /** Starts the balancer of the sale that the registry named, or lets it take the edited configuration. */
  async balance(config: SaleConfig, secret: Secret): Promise<void> {
    const registry = this.#connected?.registry;
    const incarnation = this.#view?.incarnation;
    if (!registry || incarnation === undefined) return;
    const running = this.#balancing;
    const busKey = secret(SECRETS.busKey);
    if (
      running?.incarnation === incarnation &&
      running.registry === registry &&
      running.busKey === busKey &&
      isDeepStrictEqual(running.config.kafka, config.kafka)
    ) {
      if (!isDeepStrictEqual(running.config, config)) running.balancer.update(config);
      running.config = config;
      return;
    }
    await this.#stopBalancing();
    const { log, changed } = this.#deps;
    const metrics = this.#deps.metrics();
    this.#metrics = metrics;
    const bus = connectBus(config.kafka, secret, log, metrics);
    const balancer = await startBalancer(
      { bus, registry, clock: systemClock, log, metrics, heard: changed },
      config,
      incarnation,
    );
    const close = async () => {
      await balancer.stop();
      await bus.close();
    };
    this.#balancing = { incarnation, registry, config, busKey, balancer, since: performance.now(), close };
  }

  /** Stops the balancer and closes the connection. */
  async close(): Promise<void> {
    await this.#stopBalancing();
    const connected = this.#connected;
    this.#connected = undefined;
    this.#view = undefined;
    await connected?.registry.close();
  }

  async #stopBalancing(): Promise<void> {
    const running = this.#balancing;
    this.#balancing = undefined;
    this.#metrics = undefined;
    await running?.close();
  }
}
