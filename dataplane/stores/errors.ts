// The ways in which a store can fail to answer, for all clients alike.

/** The connection was lost or timed out: the call may or may not have been carried out. Safe to ask again. */
export class StoreUnknown extends Error {
  override name = 'StoreUnknown';
}

/** The call named another incarnation of the sale than the store has. Nothing was done. */
export class WrongIncarnation extends Error {
  override name = 'WrongIncarnation';
}

/** The database's schema is not one that this program can bring up to date: it is newer, or has another history. */
export class SchemaMismatch extends Error {
  override name = 'SchemaMismatch';
}
