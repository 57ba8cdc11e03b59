// The shape of a model: a store's interface without its promises. A model answers at once, and whoever uses it decides
// when the call is carried out and when its answer arrives.

/** The same methods, whose answers are there at once. */
export type Sync<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => Promise<infer R>
    ? (...args: A) => R
    : T[K] extends (...args: infer A) => AsyncIterable<infer R>
      ? (...args: A) => Iterable<R>
      : T[K];
};

/** What a model has of a client's interface: a model keeps no connection that could be closed. */
export type Calls<T> = Sync<Omit<T, 'close'>>;

/**
 * The store refused the call as one that must never be made, or found its own numbers broken. The real client rejects
 * with an error that is neither StoreUnknown nor WrongIncarnation. Nothing was done.
 */
export class Mistake extends Error {
  override name = 'Mistake';
}

/** The same of a call that no program of the sale makes, and a forged message can lead to. */
export class Refused extends Mistake {
  override name = 'Refused';
}
