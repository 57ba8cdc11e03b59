// Keeps one process alive: starts it, tells when it is ready, starts it again when it dies, stops it in order.
// Knows nothing of what the process is for. Never signals a process that it did not start, or that a pid file of
// this data folder does not prove to be ours.
//
//   stopped ──start──▶ starting ──▶ up ◀──probe──▶ ready
//      ▲                  ▲          │               │
//      │                  └─ waiting ◀────── died ───┘      (exponential backoff)
//      └── stopping ◀──stop── from anywhere

import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Millis } from '../../dataplane/protocol/units.ts';
import { messageOf } from '../../dataplane/runtime/user-error.ts';
import { deathsInRow, waitAfter } from './backoff.ts';
import { PRIVATE_FILE, writeWhole } from './files.ts';
import { alive, type Identity, identify, signal } from './identity.ts';
import { forgetPid, type PidRecord, readPid, writePid } from './pid-file.ts';
import { ask } from './probe.ts';
import { type ProcessSpec, type Stop, specFingerprint } from './process-spec.ts';

export type Phase = 'stopped' | 'starting' | 'up' | 'ready' | 'waiting' | 'stopping';

export interface ProcessReport {
  name: string;
  title: string;
  phase: Phase;
  pid?: number;
  /** When the running process was started, by this machine's clock. */
  startedAt?: Millis;
  /** Since when it has been ready. */
  readyAt?: Millis;
  /** Times it was started again after a death, in this supervisor's life. */
  restarts: number;
  /** Why it is not ready, in a few words. */
  reason?: string;
  /** How it last ended by itself. */
  died?: string;
  address?: string;
}

interface Running {
  identity: Identity;
  startedAt: Millis;
  stop: Stop;
  /** Resolves with a few words on how it ended. */
  ended: Promise<string>;
}

const ADOPTED_POLL: Millis = 200;
const PROBE_UNTIL_READY: Millis = 100;
const PROBE_WHEN_READY: Millis = 2_000;

export interface ProcessOptions {
  name: string;
  title: string;
  /** Describes the process. It is asked before every start, so that a restarted process is what is wanted now. */
  describe: () => ProcessSpec;
  /** Makes sure of the ports, before every start and before the description. It is not called when a running process is taken over. */
  claim?: () => Promise<void>;
  pidFile: string;
  logFile: string;
}

export class ManagedProcess extends EventEmitter<{ change: [] }> {
  readonly name: string;
  readonly #options: ProcessOptions;
  #phase: Phase = 'stopped';
  #reason: string | undefined;
  #died: string | undefined;
  #readyAt: Millis | undefined;
  #restarts = 0;
  #spec: ProcessSpec | undefined;
  #running: Running | undefined;
  #life: { abort: AbortController; done: Promise<void> } | undefined;

  constructor(options: ProcessOptions) {
    super();
    this.setMaxListeners(0);
    this.name = options.name;
    this.#options = options;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get identity(): Identity | undefined {
    return this.#running?.identity;
  }

  get report(): ProcessReport {
    const { name, title } = this.#options;
    return {
      name,
      title,
      phase: this.#phase,
      restarts: this.#restarts,
      ...(this.#running ? { pid: this.#running.identity.pid, startedAt: this.#running.startedAt } : {}),
      ...(this.#phase === 'ready' && this.#readyAt !== undefined ? { readyAt: this.#readyAt } : {}),
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      ...(this.#died === undefined ? {} : { died: this.#died }),
      ...(this.#spec?.address === undefined ? {} : { address: this.#spec.address }),
    };
  }

  /** Whether it runs as `spec` says; false while it does not run. */
  runsAs(spec: ProcessSpec): boolean {
    return (
      this.#running !== undefined && this.#spec !== undefined && specFingerprint(this.#spec) === specFingerprint(spec)
    );
  }

  /** Does nothing when it is started already. */
  start(): void {
    if (this.#life) return;
    const abort = new AbortController();
    this.#restarts = 0;
    this.#life = { abort, done: this.#live(abort.signal) };
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (!life) return;
    life.abort.abort();
    this.#become('stopping');
    await life.done;
    if (this.#life === life) this.#life = undefined;
    this.#become('stopped');
  }

  /** Resolves when it is ready; rejects when it is stopped before, or with the signal's reason. */
  async whenReady(wait?: AbortSignal): Promise<void> {
    while (this.#phase !== 'ready') {
      if (this.#phase === 'stopped' || this.#phase === 'stopping') throw new Error(`${this.name} is stopped`);
      await once(this, 'change', wait ? { signal: wait } : {});
    }
  }

  async #live(stopped: AbortSignal): Promise<void> {
    for (let deaths = 0; !stopped.aborted; ) {
      this.#become('starting');
      let readyFor: Millis = 0;
      let reason: string;
      try {
        const running = await this.#begin(stopped);
        if (!running) break;
        this.#running = running;
        this.#become('up');
        const watched = this.#watch(running);
        const stopping = whenAborted(stopped, () => end(running.identity, running.stop));
        reason = await running.ended;
        stopping.forget();
        readyFor = await watched;
        forgetPid(this.#options.pidFile);
      } catch (error) {
        reason = messageOf(error);
      }
      this.#running = undefined;
      if (stopped.aborted) break;
      deaths = deathsInRow(deaths, readyFor);
      this.#died = reason;
      this.#become('waiting', reason);
      await sleep(waitAfter(deaths), undefined, { signal: stopped }).catch(() => undefined);
      this.#restarts++;
    }
  }

  /** Takes over what a former supervisor left running, or starts anew; undefined: stopped meanwhile. */
  async #begin(stopped: AbortSignal): Promise<Running | undefined> {
    const { pidFile, logFile, describe, claim } = this.#options;
    const left = readPid(pidFile);
    if (left && alive(left)) {
      const spec = describe();
      if (left.fingerprint === specFingerprint(spec)) {
        this.#spec = spec;
        return { identity: left, startedAt: left.startedAt, stop: spec.stop, ended: adoptedEnd(left) };
      }
      await end(left, left.stop);
    }
    await claim?.();
    const spec = describe();
    for (const file of spec.files) if (!(file.keep && existsSync(file.path))) writeWhole(file.path, file.content);
    await spec.prepare?.(stopped);
    if (stopped.aborted) return undefined;
    this.#spec = spec;
    const { pid, ended } = await launch(spec, logFile);
    const identity = identify(pid);
    if (!identity) throw new Error(await ended);
    const startedAt = Date.now();
    writePid(pidFile, { ...identity, startedAt, fingerprint: specFingerprint(spec), ...recordOf(spec) });
    return { identity, startedAt, stop: spec.stop, ended };
  }

  /** Probes until the process ends; resolves then with how long it had been ready since it last became so. */
  async #watch(running: Running): Promise<Millis> {
    this.#readyAt = undefined;
    const over = new AbortController();
    void running.ended.then(() => over.abort());
    while (!over.signal.aborted && this.#spec) {
      const reason = await ask(this.#spec.probe);
      if (over.signal.aborted || this.#phase === 'stopping') break;
      this.#readyAt = reason === undefined ? (this.#readyAt ?? Date.now()) : undefined;
      this.#become(reason === undefined ? 'ready' : 'up', reason);
      const wait = reason === undefined ? PROBE_WHEN_READY : PROBE_UNTIL_READY;
      await sleep(wait, undefined, { signal: over.signal }).catch(() => undefined);
    }
    return this.#readyAt === undefined ? 0 : Date.now() - this.#readyAt;
  }

  #become(phase: Phase, reason?: string): void {
    if (this.#life?.abort.signal.aborted && phase !== 'stopping' && phase !== 'stopped') return;
    const same = this.#phase === phase && this.#reason === reason;
    this.#phase = phase;
    this.#reason = reason;
    if (!same) this.emit('change');
  }
}

const recordOf = ({ name, stage, stop }: ProcessSpec): Pick<PidRecord, 'name' | 'stage' | 'stop'> => ({
  name,
  stage,
  stop,
});

/**
 * In a session of its own: a Ctrl-C at the terminal reaches only the supervisor, which stops everything in order. It
 * writes to its log file itself: a pipe would break, and the process with it, when the supervisor dies.
 */
async function launch(spec: ProcessSpec, logFile: string): Promise<{ pid: number; ended: Promise<string> }> {
  const output = openSync(logFile, 'a', PRIVATE_FILE);
  const folder = spec.folder === undefined ? undefined : openSync(spec.folder, 'r');
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.cwd,
      env: { ...process.env, ...spec.env },
      stdio: ['ignore', output, output, ...(folder === undefined ? [] : [folder])],
      detached: true,
      ...(spec.user ?? {}),
    });
    const ended = new Promise<string>((resolve) => {
      child.once('exit', (code, by) => resolve(by ? `ended by ${by}` : `ended with exit code ${code}`));
    });
    await once(child, 'spawn');
    return { pid: child.pid ?? -1, ended };
  } finally {
    closeSync(output);
    if (folder !== undefined) closeSync(folder);
  }
}

/** Runs `act` when the signal is aborted, or at once when it is already. The returned function takes that back. */
function whenAborted(aborted: AbortSignal, act: () => void): { forget: () => void } {
  if (aborted.aborted) act();
  else aborted.addEventListener('abort', act, { once: true });
  return { forget: () => aborted.removeEventListener('abort', act) };
}

/** Waits for a process that is not our child by asking again and again, because nobody tells us of its end. */
async function adoptedEnd(identity: Identity): Promise<string> {
  while (alive(identity)) await sleep(ADOPTED_POLL);
  return 'ended';
}

/** Resolves when it is gone, which a SIGKILL after the grace makes sure of. */
export async function end(identity: Identity, stop: Stop): Promise<void> {
  const deadline = Date.now() + stop.grace;
  signal(identity, stop.signal);
  while (alive(identity)) {
    if (Date.now() > deadline) signal(identity, 'SIGKILL');
    await sleep(20);
  }
}
