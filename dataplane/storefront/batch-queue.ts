// The items that wait for the next batch, first in, first out. A batch is the longest run at the front that may travel
// together. Pure.

export class BatchQueue<T> {
  #items: T[] = [];
  readonly #together: (a: T, b: T) => boolean;

  /** `together` returns true when two items may be in one batch. It is an equivalence relation. */
  constructor(together: (a: T, b: T) => boolean) {
    this.#together = together;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Puts items in front of all others, in their order. */
  putBack(items: readonly T[]): void {
    this.#items = [...items, ...this.#items];
  }

  /** Removes the next batch of at most `most` ≥ 1 items, and returns it. */
  take(most: number): T[] {
    const first = this.#items[0];
    if (first === undefined) return [];
    let end = 1;
    for (; end < most && end < this.#items.length; end++) {
      const next = this.#items[end];
      if (next === undefined || !this.#together(first, next)) break;
    }
    return this.#items.splice(0, end);
  }
}
