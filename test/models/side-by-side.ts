// One call made of a real store and of its model, and what both say compared. For the property tests that hold the
// models of test/models to the stores.

import { ReplyError } from 'ioredis';
import pg from 'pg';
import { expect } from 'vitest';
import { StoreUnknown, WrongIncarnation } from '../../dataplane/stores/errors.ts';
import { Mistake } from './sync.ts';

/** What a call came to, in words that both sides have. */
type Outcome = { answer: unknown } | { refused: 'unknown' | 'wrong incarnation' | 'mistake' };

async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return { answer: await call() };
  } catch (error) {
    if (error instanceof StoreUnknown) return { refused: 'unknown' };
    if (error instanceof WrongIncarnation) return { refused: 'wrong incarnation' };
    const mistake = error instanceof Mistake || error instanceof pg.DatabaseError || error instanceof ReplyError;
    if (mistake) return { refused: 'mistake' };
    throw error;
  }
}

/** One call in the life of a store. `W` is the world that the test keeps of both sides. */
export interface Call<W> {
  /** For the report of a sequence that fails. */
  toString(): string;
  run(world: W): Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: a parameter list of any method is asked for.
type Method<T> = { [K in keyof T]: T[K] extends (...args: any[]) => unknown ? K : never }[keyof T] & string;
// biome-ignore lint/suspicious/noExplicitAny: see above.
type ArgumentsOf<F> = F extends (...args: any[]) => unknown ? Parameters<F> : never;
// biome-ignore lint/suspicious/noExplicitAny: see above.
type AnswerOf<F> = F extends (...args: any[]) => Promise<infer R> ? R : never;

/** Several calls, one after the other; what holds between two of them is not looked at. */
export const inOrder = <W>(calls: readonly Call<W>[]): Call<W> => ({
  toString: () => calls.map(String).join(', '),
  async run(world) {
    for (const call of calls) await call.run(world);
  },
});

export interface How<W, R> {
  /** Carried out between the two: what the model must be told of the real answer, such as the time. */
  between?: (world: W, answer: R) => Promise<void> | void;
  /** What of an answer is compared; all of it unless said otherwise. */
  compared?: (answer: R) => unknown;
  /** What the world learns of the answer of both. */
  after?: (world: W, answer: R) => Promise<void> | void;
}

/** Makes calls of both sides. `Doors`: the interfaces by which callers reach the store. */
export const caller =
  <W, Doors extends object>(sides: (world: W, door: keyof Doors) => { real: unknown; model: unknown }) =>
  <D extends keyof Doors & string, M extends Method<Doors[D]>>(
    door: D,
    method: M,
    /** Undefined: the world has nothing to call with yet, and the call is left out. */
    args: (world: W) => [...ArgumentsOf<Doors[D][M]>] | undefined,
    { between, compared = (answer) => answer, after }: How<W, AnswerOf<Doors[D][M]>> = {},
  ): Call<W> => {
    type Answer = AnswerOf<Doors[D][M]>;
    let said = `${door}.${method}(…)`;
    return {
      toString: () => said,
      async run(world) {
        const given = args(world);
        if (given === undefined) return;
        said = `${door}.${method}(${JSON.stringify(given).slice(1, -1)})`;
        const { real, model } = sides(world, door);
        const found = await outcomeOf(() => invoke(real, method, given));
        if ('answer' in found) await between?.(world, found.answer as Answer);
        const expected = await outcomeOf(() => invoke(model, method, structuredClone(given)));
        const shown = (outcome: Outcome) =>
          'answer' in outcome ? { answer: compared(outcome.answer as Answer) } : outcome;
        expect(shown(found), said).toEqual(shown(expected));
        if ('answer' in found) await after?.(world, found.answer as Answer);
      },
    };
  };

function invoke(store: unknown, method: string, args: readonly unknown[]): unknown {
  const found = (store as Record<string, ((...args: readonly unknown[]) => unknown) | undefined>)[method];
  if (found === undefined) throw new TypeError(`there is no method ${method}`);
  return found.apply(store, [...args]);
}
