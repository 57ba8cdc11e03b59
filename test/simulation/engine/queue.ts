// Events by time, and in the order they were added where times are equal: a binary heap.

import type { Millis } from '../../../dataplane/protocol/units.ts';

export interface Event {
  at: Millis;
  order: number;
  /** Undefined: the event was cancelled. */
  run: (() => unknown) | undefined;
  /** Nothing in a process can go on because of it, so nobody has to wait until the processes are still again. */
  quiet: boolean;
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class EventQueue {
  readonly #heap: Event[] = [];
  #added = 0;

  add(at: Millis, run: () => unknown, quiet: boolean): Event {
    const event: Event = { at, order: this.#added++, run, quiet };
    let i = this.#heap.length;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = this.#heap[parent] as Event;
      if (before(above, event)) break;
      this.#heap[i] = above;
      i = parent;
    }
    this.#heap[i] = event;
    return event;
  }

  /** Takes out the next event up to `time`; cancelled ones are passed over. */
  next(time: Millis): Event | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (!first || first.at > time) return undefined;
      this.#removeFirst();
      if (first.run) return first;
    }
  }

  #removeFirst(): void {
    const last = this.#heap.pop() as Event;
    const { length } = this.#heap;
    if (length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && before(this.#heap[child + 1] as Event, this.#heap[child] as Event)) child++;
      const below = this.#heap[child] as Event;
      if (before(last, below)) break;
      this.#heap[i] = below;
      i = child;
    }
    this.#heap[i] = last;
  }
}
