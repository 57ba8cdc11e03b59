// Sends items to one store in batches. What arrives in one turn of the event loop travels together; one batch is under
// way at a time, and the next one gathers meanwhile. A store answers a batch of fifty for little more than a batch of
// one, so the batches grow with the load by themselves, and no item ever waits for a batch to fill.

import type { Clock } from '../runtime/clock.ts';
import { BatchQueue } from './batch-queue.ts';

export interface BatcherOptions<T> {
  /** The largest number of items in one batch. */
  most: number;
  /** Returns true when two items may travel in one batch. It is an equivalence relation. */
  together(a: T, b: T): boolean;
  /**
   * Sends one batch, which begins with `first`; the next batch goes out when the promise resolves. It must not reject:
   * what a failure means for the items is known only here.
   */
  send(first: T, batch: T[]): Promise<void>;
  /** Is called whenever nothing waits and nothing is under way any more. */
  idle?(): void;
}

export class Batcher<T> {
  readonly #options: BatcherOptions<T>;
  readonly #clock: Pick<Clock, 'soon'>;
  readonly #queue: BatchQueue<T>;
  #busy = false;

  constructor(options: BatcherOptions<T>, clock: Pick<Clock, 'soon'>) {
    this.#options = options;
    this.#clock = clock;
    this.#queue = new BatchQueue(options.together);
  }

  /** How many items wait for a batch. Those under way are not counted. */
  get waiting(): number {
    return this.#queue.length;
  }

  push(item: T): void {
    this.#queue.push(item);
    if (this.#busy) return;
    this.#busy = true;
    this.#clock.soon(() => void this.#run());
  }

  /** Puts items of the batch under way back in front of all that wait, in their order. Only `send` may call it. */
  putBack(items: readonly T[]): void {
    this.#queue.putBack(items);
  }

  async #run(): Promise<void> {
    const { most, send, idle } = this.#options;
    while (this.#queue.length > 0) {
      const batch = this.#queue.take(most);
      const [first] = batch;
      if (first !== undefined) await send(first, batch);
    }
    this.#busy = false;
    idle?.();
  }
}
