// What one sale has on this machine, and where: its folder, what is remembered, its ports, its processes and its
// view. The parts that every step of a reconcile needs; it decides nothing.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type SaleConfig, SECRETS } from '../../dataplane/protocol/config.ts';
import { type NodeId, nodeId } from '../../dataplane/protocol/units.ts';
import { fingerprint } from '../../dataplane/runtime/fingerprint.ts';
import type { Logger } from '../../dataplane/runtime/log.ts';
import { type Placement, saleConfig } from '../topology/placement.ts';
import type { Topology } from '../topology/topology.ts';
import type { DataFolder } from './data-folder.ts';
import { readIfThere, writeWhole } from './files.ts';
import { Fleet } from './fleet.ts';
import { Ports } from './ports.ts';
import type { ProcessSpec } from './process-spec.ts';
import { KAFKA, POSTGRES, place, portNames, processesOf, promisedPort } from './processes.ts';
import { secretOf, superuserPassword } from './secrets.ts';
import { readState, type State, writeState } from './state.ts';
import { cacheFolder, type Tools } from './tools.ts';
import { View } from './view.ts';

/** What one edit asks for, ready to be carried out. */
export interface Plan {
  topology: Topology;
  tools: Tools;
  lists: Placement['lists'];
  companionsVersion: string;
}

export interface SiteOptions {
  log: Logger;
  /** Variables that are added to the environment of the roles. */
  env?: Record<string, string>;
}

/** The folder of the package, where the roles' entry points are. */
const ROOT = join(import.meta.dirname, '..', '..');

export class Site {
  readonly folder: DataFolder;
  readonly log: Logger;
  readonly ports: Ports;
  readonly fleet: Fleet;
  readonly view: View;
  readonly #env: Record<string, string>;
  #state: State | undefined;
  #config: SaleConfig | undefined;
  /** The plan that is being carried out, or was last. */
  plan: Plan | undefined;
  /** Is called when a part of the running sale had to go to another port. */
  moved: () => void = () => undefined;

  constructor(folder: DataFolder, { log, env = {} }: SiteOptions) {
    this.folder = folder;
    this.log = log;
    this.#env = env;
    this.#state = readState(folder);
    this.ports = new Ports(this.#state?.ports ?? {}, () => this.#saveState());
    this.view = new View((name) => secretOf(folder, name), log);
    this.fleet = new Fleet({
      folder,
      claim: (name) => this.#claim(name),
      describe: (name) => this.#describe(name),
    });
  }

  get state(): State | undefined {
    return this.#state;
  }

  /** The configuration as it was written for the roles; undefined before the first time. */
  get config(): SaleConfig | undefined {
    return this.#config;
  }

  remember(state: Omit<State, 'version' | 'ports'>): void {
    this.#state = { version: 1, ...state, ports: {} };
    this.#saveState();
  }

  /** Takes the ports that a person asked for, before anything is changed. Throws `UserError` when a port that was asked for is somebody else's. */
  async promisePorts(topology: Topology, firstPort: number | undefined): Promise<void> {
    for (const [process, names] of portNames(topology, []))
      for (const name of names) {
        const wanted = promisedPort(name, firstPort);
        const ours = this.ports.all[name] === wanted && this.fleet.runs(process);
        if (wanted !== undefined && !ours) await this.ports.claim(name, wanted);
      }
  }

  /** The cache nodes that run now, or should. */
  nodes(): NodeId[] {
    return Array.from({ length: this.#state?.nodes ?? 0 }, (_, n) => nodeId(n));
  }

  specs({ topology, tools, companionsVersion }: Plan): ProcessSpec[] {
    const port = this.#port;
    const keys = [SECRETS.tokenKey, SECRETS.busKey, SECRETS.ordersKey].map((name) => secretOf(this.folder, name));
    const startedWith = JSON.stringify([
      companionsVersion,
      topology.kafka,
      port(POSTGRES),
      this.ports.all[KAFKA],
      keys,
    ]);
    return processesOf(topology, {
      folder: this.folder,
      tools,
      nodes: this.nodes(),
      port,
      secret: (name) => secretOf(this.folder, name),
      superuserPassword: superuserPassword(this.folder),
      startedWith: fingerprint(startedWith),
      kafkaClusterId: randomBytes(16).toString('base64url'),
      compiled: join(cacheFolder(), 'compiled'),
      root: ROOT,
      env: this.#env,
    });
  }

  /** Writes the roles' configuration: what to do and where everybody is. */
  configure({ topology, lists }: Plan): SaleConfig {
    const config = saleConfig(topology, place(topology, { port: this.#port, nodes: this.nodes() }, lists));
    const text = `${JSON.stringify(config, null, 2)}\n`;
    if (readIfThere(this.folder.config) !== text) writeWhole(this.folder.config, text);
    this.#config = config;
    return config;
  }

  readonly #port = (name: string): number => {
    const port = this.ports.all[name];
    if (port === undefined) throw new Error(`no port was chosen for ${name}`);
    return port;
  };

  /** Exchanges, before a start, a port that somebody else has taken meanwhile, and tells everybody. */
  async #claim(name: string): Promise<void> {
    const { plan } = this;
    if (!plan) return;
    let moved = false;
    for (const port of portNames(plan.topology, this.nodes()).get(name) ?? [])
      moved = (await this.ports.claim(port, promisedPort(port, this.#state?.firstPort))) || moved;
    if (!moved || !this.#config) return;
    this.configure(plan);
    this.moved();
  }

  #describe(name: string): ProcessSpec {
    const spec = this.plan && this.specs(this.plan).find((candidate) => candidate.name === name);
    if (!spec) throw new Error(`${name} is no part of the sale any more`);
    return spec;
  }

  #saveState(): void {
    if (this.#state) writeState(this.folder, { ...this.#state, ports: { ...this.ports.all } });
  }
}
