// What waits for the next batch: first in, first out. A batch is the longest run at the front that may travel
// together. Pure.

export class BatchQueue<T> {
  #items: T[] = [];
  readonly #together: (a: T, b: T) => boolean;

  /** `together`: whether two may be in one batch; an equivalence. */
  constructor(together: (a: T, b: T) => boolean) {
    this.#together = together;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** In front of everything, in their order. */
  putBack(items: readonly T[]): void {
    this.#items = [...items, ...this.#items];
  }

  /** Removes and answers at most `most` ≥ 1. */
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
