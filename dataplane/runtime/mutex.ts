// Runs asynchronous work one at a time, in the order in which it was asked for.

/** Runs `work` after all work before it has ended, and resolves or rejects as it does. */
export type Mutex = <T>(work: () => Promise<T>) => Promise<T>;

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
}
