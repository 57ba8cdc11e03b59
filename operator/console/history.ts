// The last ten minutes or so of a sale's curve, so that somebody who opens the page sees how it got here. Pure. A
// moment like the two before it only moves the end of the line: a sale at rest keeps two samples and its whole curve.

import type { Sample } from './source.ts';

/** Ten minutes at one a second, counting only moments in which something changed. */
const MOST = 600;

export class History {
  readonly #most: number;
  readonly #samples: Sample[] = [];

  constructor(most = MOST) {
    this.#most = most;
  }

  /** Later than all before it. */
  add(sample: Sample): void {
    const [before, last] = this.#samples.slice(-2);
    if (before && last && same(before, last) && same(last, sample)) this.#samples.pop();
    this.#samples.push(sample);
    if (this.#samples.length > this.#most) this.#samples.shift();
  }

  samples(): readonly Sample[] {
    return this.#samples;
  }
}

const same = (a: Sample, b: Sample): boolean =>
  a.sold === b.sold && a.available === b.available && a.virtual === b.virtual;
