// All processes of one sale: starts and stops them by name, claims their ports first, restarts those whose
// description changed. Knows no order but the stages of stopping.

import { join } from 'node:path';
import type { DataFolder } from './data-folder.ts';
import { alive } from './identity.ts';
import { forgetPid, readPid, readPids } from './pid-file.ts';
import { end, ManagedProcess, type ProcessReport } from './process.ts';
import { type ProcessSpec, STAGES } from './process-spec.ts';

export interface FleetOptions {
  folder: DataFolder;
  /** Makes sure of a process's ports before every start. */
  claim: (name: string) => Promise<void>;
  /** Describes what is wanted of a process now. */
  describe: (name: string) => ProcessSpec;
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #members = new Map<string, { process: ManagedProcess; stage: ProcessSpec['stage'] }>();
  /** Processes that were stopped by somebody's wish, and are not started until that is taken back. */
  readonly #held = new Set<string>();

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get(name: string): ManagedProcess | undefined {
    return this.#members.get(name)?.process;
  }

  /** Whether the process runs, also one that an earlier supervisor left and that was not taken over yet. */
  runs(name: string): boolean {
    if (this.get(name)?.identity !== undefined) return true;
    const left = readPid(pidFile(this.#options.folder, name));
    return left !== undefined && alive(left);
  }

  names(): string[] {
    return [...this.#members.keys()];
  }

  reports(): ProcessReport[] {
    return [...this.#members.values()].map(({ process }) => process.report);
  }

  /** Makes these processes known, in this order, and starts none. */
  expect(specs: ProcessSpec[]): void {
    const { folder, claim, describe } = this.#options;
    for (const { name, title, stage } of specs) {
      if (this.#members.has(name)) continue;
      const process = new ManagedProcess({
        name,
        title,
        claim: () => claim(name),
        describe: () => describe(name),
        pidFile: pidFile(folder, name),
        logFile: join(folder.logs, `${name}.log`),
      });
      this.#members.set(name, { process, stage });
    }
    const order = new Map(specs.map(({ name }, i) => [name, i]));
    const members = [...this.#members].sort(([a], [b]) => (order.get(a) ?? -1) - (order.get(b) ?? -1));
    this.#members.clear();
    for (const [name, member] of members) this.#members.set(name, member);
  }

  /**
   * Starts what does not run. What runs as something else is restarted: agents together, for no buyer waits for one;
   * servers and storefronts one after the other, each awaited.
   */
  async start(specs: ProcessSpec[], signal: AbortSignal): Promise<void> {
    const changed: { process: ManagedProcess; stage: ProcessSpec['stage'] }[] = [];
    for (const spec of specs) {
      const member = this.#members.get(spec.name);
      if (!member || this.#held.has(spec.name)) continue;
      if (member.process.identity && !member.process.runsAs(spec)) changed.push(member);
      else member.process.start();
    }
    const restart = async ({ process }: { process: ManagedProcess }) => {
      if (signal.aborted) return;
      await process.stop();
      process.start();
      await process.whenReady(signal);
    };
    await Promise.all(changed.filter(({ stage }) => stage === 'agents').map(restart));
    for (const member of changed.filter(({ stage }) => stage !== 'agents')) await restart(member);
  }

  async stop(names: string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        await this.get(name)?.stop();
        this.#members.delete(name);
      }),
    );
  }

  /** Stops it and leaves it so, whatever is applied, until `release`. */
  async hold(name: string): Promise<void> {
    this.#held.add(name);
    await this.get(name)?.stop();
  }

  release(name: string): void {
    this.#held.delete(name);
    this.get(name)?.start();
  }

  async stopAll(): Promise<void> {
    for (const stage of STAGES) {
      const members = [...this.#members.values()].filter((member) => member.stage === stage);
      await Promise.all(members.map(({ process }) => process.stop()));
    }
  }
}

const pidFile = (folder: DataFolder, name: string): string => join(folder.run, `${name}.pid.json`);

/** Ends what a killed supervisor left running, in order. Returns their names. */
export async function stopOrphans(folder: DataFolder, except: ReadonlySet<string> = new Set()): Promise<string[]> {
  const left = readPids(folder.run).filter(({ record }) => !except.has(record.name));
  const running = left.filter(({ record }) => alive(record));
  for (const stage of STAGES) {
    const members = running.filter(({ record }) => record.stage === stage);
    await Promise.all(members.map(({ record }) => end(record, record.stop)));
  }
  for (const { file } of left) forgetPid(file);
  return running.map(({ record }) => record.name);
}
