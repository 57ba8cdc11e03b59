// Work that may take long, beside the passes: a database that does not answer, a name that nobody resolves. A pass begins
// it and waits for it a moment only; what comes of it later is for the next pass. Otherwise a few sales whose servers hang
// would take every place there is for passes, and the other sales would wait for theirs.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { pause } from '../kube/pause.ts';

/** A server that is well has answered by then. */
const WAIT_AT_MOST: Millis = 300;

/** `error`: absent while it is tried for the first time. */
export type Attempt = { done: true } | { done: false; error?: Error };

export class Attempts {
  readonly #waitedFor = new Set<string>();
  readonly #underWay = new Map<string, Promise<Attempt>>();
  /** Worked, and no pass was told yet. */
  readonly #late = new Set<string>();
  /** Of the last time it was tried to the end. */
  readonly #errors = new Map<string, Error>();
  readonly #worked: () => void;
  readonly #failed: (what: string, error: Error) => void;

  /** `worked`: something that a pass did not wait for has worked. `failed` hears of every failure. */
  constructor(worked: () => void, failed: (what: string, error: Error) => void = () => undefined) {
    this.#worked = worked;
    this.#failed = failed;
  }

  /**
   * That it worked, if no pass was told yet; else it is tried, unless it is being tried. What failed the last time is not
   * waited for. One asks at a time. Never rejects.
   */
  async try(what: string, work: () => Promise<void>): Promise<Attempt> {
    if (this.#late.delete(what)) return { done: true };
    const error = this.#errors.get(what);
    const pending: Attempt = error ? { done: false, error } : { done: false };
    if (this.#underWay.has(what)) return pending;
    if (error) {
      this.#begin(what, work);
      return pending;
    }
    const patience = new AbortController();
    this.#waitedFor.add(what);
    const ended = await Promise.race([this.#begin(what, work), pause(WAIT_AT_MOST, patience.signal)]);
    this.#waitedFor.delete(what);
    patience.abort();
    return ended ?? pending;
  }

  /** When nothing is under way any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #begin(what: string, work: () => Promise<void>): Promise<Attempt> {
    const attempt = this.#run(what, work);
    this.#underWay.set(what, attempt);
    return attempt;
  }

  async #run(what: string, work: () => Promise<void>): Promise<Attempt> {
    const ended = await work().then(
      (): Attempt => ({ done: true }),
      (error: Error): Attempt => ({ done: false, error }),
    );
    this.#underWay.delete(what);
    if (ended.done) this.#errors.delete(what);
    else if (ended.error) {
      this.#errors.set(what, ended.error);
      this.#failed(what, ended.error);
    }
    if (ended.done && !this.#waitedFor.has(what)) {
      this.#late.add(what);
      this.#worked();
    }
    return ended;
  }
}
