// The supervisor of one sale on this machine: takes edits, carries each out in passes, reports, stops. There is one
// per data folder. Losing it stops nothing that sells: the next one takes the processes over.

import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { messageOf, UserError } from '../../dataplane/runtime/user-error.ts';
import { unsettled, wantedOf } from '../sale/registry-steps.ts';
import { type Change, changesBetween } from '../topology/changes.ts';
import { givenSecrets, writeLists } from './companions.ts';
import { type ConsoleWish, LocalConsole } from './console.ts';
import { type DataFolder, dataFolder, makeDataFolder } from './data-folder.ts';
import { readEdit } from './edit.ts';
import { type Fleet, stopOrphans } from './fleet.ts';
import { takeLock } from './lock.ts';
import { boundLogs } from './log-files.ts';
import { converge } from './pass.ts';
import { type SaleReport, saleReport } from './report.ts';
import { writeSecrets } from './secrets.ts';
import { type Plan, Site, type SiteOptions } from './site.ts';

export interface ApplyOptions {
  /** Names the text in messages. */
  source: string;
  /** Storefronts listen on this port and those after it. */
  firstPort?: number;
  /** Absent: as it was; off until somebody asks for it. */
  console?: ConsoleWish;
}

export interface Applied {
  generation: number;
  /** Undefined: the sale is new. */
  changes: Change[] | undefined;
}

const RETRY: Millis = 500;
const STATUS_TIMEOUT: Millis = 1_000;

interface Pass {
  abort: AbortController;
  /** Everything was made as the plan says. */
  through: boolean;
  done: Promise<void>;
}

export class Supervisor {
  readonly #site: Site;
  readonly #console: LocalConsole;
  readonly #giveBack: () => void;
  #pass: Pass | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** What keeps the passes from coming to an end. */
  #problem: string | undefined;

  /** Takes the folder, making it if need be. Throws `Trouble` when another supervisor has it. */
  static open(path: string, options: SiteOptions): Supervisor {
    const folder = dataFolder(path);
    makeDataFolder(folder);
    const release = takeLock(folder.lock);
    if (!release) throw new UserError(`another supervisor runs the sale in ${folder.path}`);
    try {
      return new Supervisor(new Site(folder, options), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  private constructor(site: Site, release: () => void) {
    const stopBounding = boundLogs(site.folder.logs);
    this.#site = site;
    this.#console = new LocalConsole(site, () => this.report());
    site.moved = () => void this.#again();
    this.#giveBack = () => {
      stopBounding();
      release();
    };
  }

  get folder(): DataFolder {
    return this.#site.folder;
  }

  get fleet(): Fleet {
    return this.#site.fleet;
  }

  /** Whether this supervisor was given anything to do. */
  get applied(): boolean {
    return this.#site.plan !== undefined;
  }

  get config(): SaleConfig | undefined {
    return this.#site.config;
  }

  /**
   * Takes an edit: resolves when it is written down and being carried out. Throws `Refused` or another `Trouble`
   * when it cannot be; then nothing has changed.
   */
  apply(text: string, options: ApplyOptions): Promise<Applied> {
    return this.#oneByOne(() => this.#take(text, options));
  }

  async #take(text: string, { source, firstPort, console }: ApplyOptions): Promise<Applied> {
    if (this.#stopped) throw new UserError('the sale is being stopped');
    const site = this.#site;
    const before = site.state;
    const edit = readEdit(text, source, before);
    const first = firstPort ?? before?.firstPort;
    await site.promisePorts(edit.topology, first);
    const wish = console ?? before?.console ?? 'off';
    await this.#console.be(wish);

    await this.#endPass();
    const { sale, topology, companions, companionsVersion, tools } = edit;
    writeSecrets(site.folder, topology.secrets, givenSecrets(topology, companions));
    site.remember({
      sale,
      companions: companionsVersion,
      nodes: Math.max(before?.nodes ?? 0, topology.caches.nodes.length),
      ...(first === undefined ? {} : { firstPort: first }),
      ...(wish === 'off' ? {} : { console: wish }),
    });
    this.#beginPass({ topology, tools, companionsVersion, lists: writeLists(site.folder, topology, companions) });
    return {
      generation: topology.settings.generation,
      changes: before ? changesBetween(before.sale, sale) : undefined,
    };
  }

  /** Reads what can be read at once; never rejects. */
  async report(): Promise<SaleReport> {
    const { plan, view, folder, fleet, ports, state } = this.#site;
    await Promise.race([view.read().catch(() => undefined), sleep(STATUS_TIMEOUT)]);
    const waiting = plan
      ? (this.#problem ??
        unsettled(view.registry, wantedOf(plan.topology)) ??
        (this.#pass?.through ? undefined : 'the change'))
      : 'a FlashSale';
    const readings = {
      processes: fleet.reports(),
      registry: view.registry,
      table: view.table,
      console: this.#console.url,
      waiting,
    };
    return saleReport({ folder, ports: ports.all, sale: state?.sale, plan, ...readings }, Date.now());
  }

  /** Stops every process in order and gives the folder back. */
  stop(): Promise<void> {
    return this.#end(async () => {
      await this.#site.fleet.stopAll();
      await stopOrphans(this.folder);
    });
  }

  /** Gives the folder back as it was found: for one that was given nothing to do. What an earlier one left sells on. */
  leave(): Promise<void> {
    return this.#end(async () => undefined);
  }

  #end(stopProcesses: () => Promise<void>): Promise<void> {
    return this.#oneByOne(async () => {
      if (this.#stopped) return;
      this.#stopped = true;
      await this.#console.stop();
      await this.#endPass();
      await this.#site.view.close();
      await stopProcesses();
      rmSync(this.folder.control, { force: true });
      this.#giveBack();
    });
  }

  /** Something moved: whoever must know it from its start is started again. */
  async #again(): Promise<void> {
    await this.#oneByOne(async () => {
      const { plan } = this.#site;
      if (!plan || this.#stopped) return;
      await this.#endPass();
      this.#beginPass(plan);
    });
  }

  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #beginPass(plan: Plan): void {
    const abort = new AbortController();
    this.#site.plan = plan;
    this.#problem = undefined;
    const pass: Pass = { abort, through: false, done: Promise.resolve() };
    pass.done = this.#carryOut(plan, pass);
    this.#pass = pass;
  }

  async #endPass(): Promise<void> {
    const pass = this.#pass;
    this.#pass = undefined;
    pass?.abort.abort();
    await pass?.done;
  }

  /** Passes until one comes to its end. */
  async #carryOut(plan: Plan, pass: Pass): Promise<void> {
    const { signal } = pass.abort;
    while (!signal.aborted) {
      try {
        await converge(this.#site, plan, signal);
        pass.through = true;
        this.#problem = undefined;
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#problem = messageOf(error);
        this.#site.log.warn({ err: error }, 'not yet as the resource says; trying again');
        await sleep(RETRY, undefined, { signal }).catch(() => undefined);
      }
    }
  }
}
