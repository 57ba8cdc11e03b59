// The sentences of the protocol that the stores keep, in Lua and SQL. A run may take one back in the models, to show
// that it is needed. (What the roles keep is taken back in their own files.)

export const NODE_SENTENCES = {
  'stale-refused': 'a purchase with another epoch or layout than the identity has is refused',
  'paused-refused': 'a paused node takes no purchases',
  'one-live-token': 'a buyer with a live token gets that one again',
  'buyer-limit': 'units ever ordered and the quantity together stay within the limit of a buyer',
  'lapses-counted': 'a buyer whose reservations lapsed too often in a row waits before the next one',
  'virtual-covers': 'a purchase takes virtual stock only if there is enough of it',
  'grant-totals': 'a node applies the difference between the granted total and what it applied before',
  'return-only-live': 'a token the node does not know as live is not returned',
  'far-future-is-due': "a token due further ahead than the token's own time to live is due: the clock jumped",
  'draining-stays': 'an identity that drains stays so until the node has taken a newer layout',
  'recovery-marks': 'a recovery writes only while its own mark is on the node',
  'one-run-recovery': 'a recovery ends only in the run of the server it began in',
  'users-off-until-recovered': 'after a restart the other users stay off until the node is recovered',
} as const;

export const SHARD_SENTENCES = {
  'epoch-refused': 'a shard refuses tokens of another epoch than the node has there',
  'closed-refused': 'a shard refuses sequence numbers up to the low watermark',
  'known-first': 'a token that has an order is answered with it before anything else is looked at',
  'close-checks-epoch': 'closing under another epoch changes nothing, and the list is void',
  'close-before-reading': 'the low watermark is raised, and then the orders are read',
  'epoch-resets-closed': 'the low watermark starts at 0 with a new epoch',
  'epochs-only-rise': 'a shard raises the epoch of a node only upward',
  'join-names-database': 'a shard joins only by a call that names the life of its own database',
  'locked-then-read': 'epochs, low watermarks and orders are read after the stock row is locked',
  'newest-command-wins': 'a source refuses commands that are not newer than the last one',
  'chained-transfers': "a transfer is applied only after the sender's one before it",
  'known-senders': 'a shard receives stock from the pool only, and the pool from the shards of its registry',
  'paid-stays-paid': 'paying a cancelled order, or with a second payment id, sells nothing',
} as const;

export const REGISTRY_SENTENCES = {
  'newer-generation': 'a supply is refused when its generation is not newer',
  'raise-by-reached': 'a raise is by target − reached, not by the difference of the targets',
  'unowe-first': 'a raise first cancels what is still owed to an earlier reduction',
  'owe-only-the-excess': 'only what exceeds the target is owed; the rest of a revocation is granted back',
  'book-current-epoch': "revocations are booked from the node's current epoch only",
  'book-and-grant-at-once': 'booking a revocation and granting it is one transaction',
  'credit-totals': "credits are the difference to the shard's lifetime total",
  'epoch-compare-and-set': 'the registry raises an epoch only from the one the recovery has seen',
  'registry-incarnation': 'the registry refuses calls that name another incarnation of the sale',
  'resize-names-layout': 'a step of a resize names the layout that it was decided by, and another one is refused',
  'grants-in-layout': 'units are granted only to a node of the layout',
  'grants-stay': 'units are granted only to a node that does not leave the layout',
  'drained-totals': "draining ends only when the leaving nodes' totals are those that the agent saw",
  'newest-supply': 'a supply is refused when another wish had a newer generation',
  'newest-wish': 'a number of nodes, or a pause, is refused when another wish had a newer generation',
  'wanted-itself': 'the registry says how many nodes are wanted, also while a resize to another number runs',
  'owed-not-allocated': 'the pool allocates what is not owed',
} as const;

export const STORE_SENTENCES = { ...NODE_SENTENCES, ...SHARD_SENTENCES, ...REGISTRY_SENTENCES };

export type StoreSentence = keyof typeof STORE_SENTENCES;

/** Answers true when the sentence is taken back. */
export type WithoutStore = (sentence: StoreSentence) => boolean;

export const withAll: WithoutStore = () => false;
