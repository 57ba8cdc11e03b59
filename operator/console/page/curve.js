// The curve of a sale: samples in, columns to draw out. Pure.

/** @import { Sample } from '../source.ts' */

/** Ten minutes are drawn; a browser keeps an hour. */
const DRAWN = 600_000;
const MOST = 3600;
/** Samples closer than this are one: the server's and our own do not tick together. */
const CLOSEST = 600;
/** What is drawn before the first change and after the last one. */
const MARGIN = 10_000;

export class Curve {
  /** @type {Sample[]} */
  #samples = [];

  /** The server's account goes before ours. @param {readonly Sample[]} samples */
  replace(samples) {
    this.#samples = [...samples];
  }

  /** @param {Sample} sample */
  add(sample) {
    const last = this.#samples.at(-1);
    if (last && sample.at - last.at < CLOSEST) this.#samples.pop();
    this.#samples.push(sample);
    if (this.#samples.length > MOST) this.#samples.shift();
  }

  /** Units sold per second of late; undefined until it can be told. */
  perSecond(window = 3000) {
    const last = this.#samples.at(-1);
    const before = last && this.#samples.findLast(({ at }) => at <= last.at - window + CLOSEST);
    return before && last.at > before.at ? between(before, last) : undefined;
  }

  /** Milliseconds from the last moment without a sale to the last sale; undefined: we were not there. */
  soldOutIn() {
    const samples = this.#samples;
    const last = samples.at(-1);
    const start = samples.findLastIndex(({ sold }) => sold === 0);
    const end = samples.findIndex(({ sold }, i) => i > start && sold === last?.sold);
    const [from, to] = [samples[start], samples[end]];
    return from && to && to.sold > 0 ? to.at - from.at : undefined;
  }

  /** What is drawn: from shortly before the first change in it to shortly after the last. Seconds since 1970. */
  columns() {
    const all = this.#samples;
    const changes = all.flatMap((sample, i) => (i > 0 && differs(sample, all[i - 1]) ? [sample.at] : []));
    const end = Math.min(all.at(-1)?.at ?? 0, (changes.at(-1) ?? Number.POSITIVE_INFINITY) + 3 * MARGIN);
    const start = Math.max(end - DRAWN, (changes.find((at) => at > end - DRAWN) ?? end - 5 * MARGIN) - MARGIN);
    const first = all.findLastIndex(({ at }) => at <= start);
    const drawn = all.slice(Math.max(0, first)).filter(({ at }, i) => i === 0 || at <= end);
    const before = all[Math.max(0, first) - 1];
    return {
      at: drawn.map(({ at }) => Math.max(at, start) / 1000),
      perSecond: drawn.map((sample, i) => {
        const last = drawn[i - 1] ?? before;
        return last ? Math.max(0, between(last, sample)) : 0;
      }),
      sold: drawn.map(({ sold }) => sold),
      // Unsold, and not to be had: tokens have reserved it, or it is being given out.
      reserved: drawn.map(({ available, virtual }) => Math.max(0, available - virtual)),
      virtual: drawn.map(({ virtual }) => virtual),
    };
  }
}

/** @param {Sample} a @param {Sample} b */
const between = (a, b) => (1000 * (b.sold - a.sold)) / (b.at - a.at);

/** @param {Sample} a @param {Sample | undefined} b */
const differs = (a, b) => a.sold !== b?.sold || a.available !== b.available || a.virtual !== b.virtual;

/**
 * At most so many rows of them, evenly, the last one among them.
 * @template T @param {readonly T[]} rows @param {number} most
 */
export const thinned = (rows, most) =>
  rows.filter((_, i) => (rows.length - 1 - i) % Math.max(1, Math.ceil(rows.length / most)) === 0);
