// Sentences of the protocol that a run may take back, to show that each is needed: with one missing, some seed must
// find a violation (mutations.test.ts). Where a model or a role follows one of them it asks `without(name)`.
//
// Not here, because another sentence covers it: that the purchase script checks the layout, and that a recovery keeps
// the pause of a resize. A node takes a new layout by a recovery, so its epoch refuses what the layout would; and a
// resize goes on only when every node says that it drains.

export const SENTENCES = {
  'epoch-refused': 'a shard refuses tokens of another epoch than the node has there',
  'closed-refused': 'a shard refuses sequence numbers up to low watermark',
  'known-first': 'a token that has an order is answered with it before anything else is looked at',
  'close-checks-epoch': 'closing under another epoch changes nothing, and the agent drops its list',
  'close-before-reading': 'low watermark is raised, and then the orders are read',
  'epoch-resets-closed': 'low watermark starts at 0 with a new epoch',
  'epochs-only-rise': 'a shard raises the epoch of a node only upward',
  'locked-then-read': 'epochs, low watermark and orders are read after the stock row is locked',
  'chained-transfers': "a transfer is applied only after the sender's one before it",
  'resend-unreported': 'transfers that stay unreported are sent again',
  'book-and-grant-at-once': 'booking a revocation and granting it is one transaction',
  'book-current-epoch': "revocations are booked from the node's current epoch only",
  'book-every-difference': "the pool's agent books every difference it sees",
  'raise-by-reached': 'a raise is by target − reached, not by the difference of the targets',
  'owe-only-the-excess': 'only what exceeds the target is owed; the rest of a revocation is granted back',
  'credit-totals': "credits are the difference to the shard's lifetime total",
  'recovery-marks': 'a recovery writes only while its own mark is on the node',
  'registry-after-epoch': 'a recovery reads granted and revoked after it raised the epoch',
  'shards-after-epoch': 'a recovery reads the list of shards after it raised the epoch',
  'fence-before-reading': 'a recovery reads the orders of a shard after it fenced that shard',
  'enter-before-copying': 'a new shard enters the registry first and copies the epochs then',
  'return-only-live': 'a token the node does not know as live is not returned',
  'users-off-until-recovered': 'after a restart the other users stay off until the node is recovered',
  'all-drain-first': 'a new layout is put in force only when every node of the old one has stopped selling',
  'nodes-then-registry': 'before "sold out" is said, the nodes are asked first and the registry then',
  'far-future-is-due': "a token due further ahead than the token's own time to live is due: the clock jumped",
} as const;

export type Sentence = keyof typeof SENTENCES;

/** True when the sentence is taken back. */
export type Without = (sentence: Sentence) => boolean;
