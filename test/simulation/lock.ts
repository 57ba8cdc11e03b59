// The lock of the pool's agents, as the pool's database gives it: held by a session and gone with it. A holder whose
// session was cut learns of it late, and acts for a while beside the next one.

import type { Millis } from '../../dataplane/protocol/units.ts';
import type { HeldLock } from '../../dataplane/stores/registry/lock.ts';
import type { Process } from './engine/process.ts';
import type { Stores } from './stores.ts';

const ASK: Millis = 300;
/** A holder asks its session every second whether it is still there. */
const LEARNS_WITHIN: Millis = 1500;

export class Lock {
  readonly #stores: Stores;
  #holder: { process: Process; lose: () => void } | undefined;

  constructor(stores: Stores) {
    this.#stores = stores;
  }

  async acquire(
    process: Process,
    stop: AbortSignal,
    waiting: (error?: unknown) => void,
  ): Promise<HeldLock | undefined> {
    while (!stop.aborted) {
      await process.clock.sleep(ASK * process.random(), stop);
      if (this.#stores.pool.up && !this.#holder?.process.alive) return this.#held(process);
      waiting(this.#stores.pool.up ? undefined : new Error('the database does not answer'));
    }
    return undefined;
  }

  /** Ends the holder's session. */
  cut(): void {
    this.#holder?.lose();
    this.#holder = undefined;
  }

  #held(process: Process): HeldLock {
    const lost = new AbortController();
    const lose = () => void process.wake(process.random() * LEARNS_WITHIN, () => lost.abort());
    this.#holder = { process, lose };
    return {
      lost: lost.signal,
      release: async () => {
        if (this.#holder?.process === process) this.#holder = undefined;
      },
    };
  }
}
