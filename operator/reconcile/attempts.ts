// Work that may take long, beside the reconciles: a database that does not answer, a name that nobody resolves. A
// reconcile begins it and waits for it a moment only; what comes of it later is for the next one. Otherwise a few sales
// whose servers hang would take every place there is for reconciles, and the other sales would wait for theirs.

import type { Millis } from '../../dataplane/protocol/units.ts';
import { systemClock } from '../../dataplane/runtime/clock.ts';

/** How long a reconcile waits for work: a server that is well has answered by then. */
const WAIT_AT_MOST: Millis = 300;

/** What came of the work. `error` says why it failed the last time; it is absent while the work is tried for the first time. */
export type Attempt = { done: true } | { done: false; error?: Error };

export class Attempts {
  /** Work that a reconcile is waiting for. */
  readonly #waitedFor = new Set<string>();
  readonly #underWay = new Map<string, Promise<Attempt>>();
  /** Work that is done, and that no reconcile was told of yet. */
  readonly #late = new Set<string>();
  /** Why each work failed, when it was last tried to the end. */
  readonly #errors = new Map<string, Error>();
  readonly #worked: () => void;
  readonly #failed: (what: string, error: Error) => void;

  /** `worked` is called when work that no reconcile waited for is done. `failed` hears of every failure. */
  constructor(worked: () => void, failed: (what: string, error: Error) => void = () => undefined) {
    this.#worked = worked;
    this.#failed = failed;
  }

  /**
   * Tells that the work is done, if no reconcile was told yet; else begins it, unless it is under way. Work that failed the
   * last time is begun again and not waited for. Only one may ask at a time. It never rejects.
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
    const waiting = new AbortController();
    this.#waitedFor.add(what);
    const ended = await Promise.race([this.#begin(what, work), systemClock.sleep(WAIT_AT_MOST, waiting.signal)]);
    this.#waitedFor.delete(what);
    waiting.abort();
    return ended ?? pending;
  }

  /** Resolves when nothing is under way any more. */
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
