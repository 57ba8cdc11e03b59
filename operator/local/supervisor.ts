// The supervisor of one sale on this machine: takes edits, reconciles the machine with each, reports, stops. There is one
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
import { reconcile } from './reconcile.ts';
import { type SaleReport, saleReport } from './report.ts';
import { writeSecrets } from './secrets.ts';
import { type Plan, Site, type SiteOptions } from './site.ts';

export interface ApplyOptions {
  /** The name of the text in messages, such as its file. */
  source: string;
  /** Storefronts listen on this port and the ones after it. Absent: as before; at first on any. */
  firstPort?: number;
  /** Whether the console is served. Absent: as before; at first it is not. */
  console?: ConsoleWish;
}

export interface Applied {
  /** How many edits the sale has had, this one included. */
  generation: number;
  /** What differs from the edit before; undefined: the sale is new. */
  changes: Change[] | undefined;
}

const RETRY: Millis = 500;
const STATUS_TIMEOUT: Millis = 1_000;

/** A plan that is being carried out. */
interface Reconcile {
  /** Ends it: a newer plan has come, or the sale is being stopped. */
  abort: AbortController;
  /** Everything was made as the plan says. */
  through: boolean;
  /** Resolves when nothing of it is under way any more. */
  done: Promise<void>;
}

export class Supervisor {
  readonly #site: Site;
  readonly #console: LocalConsole;
  readonly #giveBack: () => void;
  #reconcile: Reconcile | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #stopped = false;
  /** Why the last try failed; undefined: it did not. */
  #problem: string | undefined;

  /** Opens the folder, making it if need be, and locks it. Throws `UserError` when another supervisor has it. */
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
   * Takes an edit: resolves when it is written down and being carried out. Throws `Refused` or another `UserError`
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

    await this.#endReconcile();
    const { sale, topology, companions, companionsVersion, tools } = edit;
    writeSecrets(site.folder, topology.secrets, givenSecrets(topology, companions));
    site.remember({
      sale,
      companions: companionsVersion,
      nodes: Math.max(before?.nodes ?? 0, topology.caches.nodes.length),
      ...(first === undefined ? {} : { firstPort: first }),
      ...(wish === 'off' ? {} : { console: wish }),
    });
    this.#beginReconcile({ topology, tools, companionsVersion, lists: writeLists(site.folder, topology, companions) });
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
        (this.#reconcile?.through ? undefined : 'the change'))
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
      await this.#endReconcile();
      await this.#site.view.close();
      await stopProcesses();
      rmSync(this.folder.control, { force: true });
      this.#giveBack();
    });
  }

  /** A part of the sale moved to another port: whoever must know it from its start is started again. */
  async #again(): Promise<void> {
    await this.#oneByOne(async () => {
      const { plan } = this.#site;
      if (!plan || this.#stopped) return;
      await this.#endReconcile();
      this.#beginReconcile(plan);
    });
  }

  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  #beginReconcile(plan: Plan): void {
    const abort = new AbortController();
    this.#site.plan = plan;
    this.#problem = undefined;
    const begun: Reconcile = { abort, through: false, done: Promise.resolve() };
    begun.done = this.#carryOut(plan, begun);
    this.#reconcile = begun;
  }

  async #endReconcile(): Promise<void> {
    const running = this.#reconcile;
    this.#reconcile = undefined;
    running?.abort.abort();
    await running?.done;
  }

  /** Tries until everything is as the plan says, or the plan is given up. */
  async #carryOut(plan: Plan, run: Reconcile): Promise<void> {
    const { signal } = run.abort;
    while (!signal.aborted) {
      try {
        await reconcile(this.#site, plan, signal);
        run.through = true;
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
