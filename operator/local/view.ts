// What the supervisor sees of the sale: the registry, asked when somebody wants to know, and the resource table, kept
// from the same topics the balancer reads. Decides nothing.

import { isDeepStrictEqual } from 'node:util';
import { Registry } from 'prom-client';
import { databaseSecret, type SaleConfig, SECRETS } from '../../dataplane/protocol/config.ts';
import { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Bus } from '../../dataplane/runtime/bus.ts';
import { connectBus } from '../../dataplane/runtime/bus-kafka.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { connectOperatorRegistry } from '../../dataplane/stores/registry/postgres.ts';
import type { OperatorRegistry, RegistryView } from '../../dataplane/stores/registry/registry.ts';
import { takeStep } from '../sale/agree.ts';
import type { Step } from '../sale/registry-steps.ts';

type Endpoints = Pick<SaleConfig, 'pool' | 'kafka'> & { busKey: string };

export class View {
  readonly #secret: Secret;
  readonly #log: Logger;
  #connected: { to: Endpoints; registry: OperatorRegistry; bus: Bus } | undefined;
  #last: RegistryView | undefined;
  #table: ResourceTable | undefined;

  constructor(secret: Secret, log: Logger) {
    this.#secret = secret;
    this.#log = log;
  }

  /** The registry as it was last read; undefined: it was not read yet. */
  get registry(): RegistryView | undefined {
    return this.#last;
  }

  get table(): ResourceTable | undefined {
    return this.#table;
  }

  /** Connects, unless it is connected to the same already. */
  async connect({ pool, kafka }: SaleConfig): Promise<void> {
    const to = { pool, kafka, busKey: this.#secret(SECRETS.busKey) };
    if (isDeepStrictEqual(this.#connected?.to, to)) return;
    await this.close();
    const registry = connectOperatorRegistry(pool, this.#secret(databaseSecret('operator')), {});
    const bus = connectBus(kafka, this.#secret, this.#log, new Registry());
    this.#connected = { to, registry, bus };
  }

  /** Reads the registry. Returns undefined when nothing is connected, or no longer to the registry that was asked. Rejects when the registry cannot be asked, or is not made yet. */
  async read(): Promise<RegistryView | undefined> {
    const connected = this.#connected;
    const view = await connected?.registry.read();
    if (!connected || !view || connected !== this.#connected) return undefined;
    this.#last = view;
    if (view.incarnation !== this.#table?.incarnation) await this.#follow(view.incarnation, connected.bus);
    return view;
  }

  async take(step: Step): Promise<void> {
    const registry = this.#connected?.registry;
    if (registry) await takeStep(registry, step);
  }

  async close(): Promise<void> {
    const connected = this.#connected;
    this.#connected = undefined;
    this.#table = undefined;
    await Promise.allSettled([connected?.registry.close(), connected?.bus.close()]);
  }

  async #follow(incarnation: string, bus: Bus): Promise<void> {
    const table = new ResourceTable(incarnation);
    this.#table = table;
    await bus.subscribe(['deltas', 'levels'], { beginning: true }, (topic, message) => {
      if (topic === 'deltas' && 'peer' in message) table.applyDelta(message, Date.now());
      else if (topic === 'levels' && 'node' in message) table.applyLevel(message, Date.now());
    });
  }
}
