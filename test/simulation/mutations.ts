// The sentences of docs/protocol.md taken back, one at a time, to show that each is needed: some seed must then find a
// violation. What the roles keep is taken back in the files that ship, as a patch of their text on import; what Lua and
// SQL keep is taken back in the models, which stand for them.

import type { StoreSentence } from '../models/sentences.ts';
import type { WeatherName } from './weathers.ts';

export interface Mutation {
  sentence: string;
  /** Relative to the repository. */
  file: string;
  /** Each text must occur exactly once; it is replaced by the other one. */
  patch: readonly (readonly [find: string, replace: string])[];
  /** Weather in which the sentence matters more often; absent: whatever the seed decides. */
  weather?: WeatherName;
  /** Where the search begins, for what few seeds find: a seed that did is not far from here. Absent: 1. */
  from?: number;
}

export const MUTATIONS = {
  'recovery: list of shards before the epoch': {
    sentence: 'After the epoch is raised, read the list of shards.',
    file: 'dataplane/cache-agent/recover.ts',
    patch: [['const shards = await shardsOf(deps, view);', 'const shards = await shardsOf(deps, before);']],
    weather: 'growing',
  },
  'recovery: totals before the epoch': {
    sentence: 'After the epoch is raised, read granted and revoked.',
    file: 'dataplane/cache-agent/recover.ts',
    patch: [['const { granted, revoked } = rowOf(deps, view);', 'const { granted, revoked } = rowOf(deps, before);']],
    weather: 'lateEpochs',
    from: 540,
  },
  'recovery: orders before the fence': {
    sentence: 'Every shard raises the epoch; then read the units ever ordered.',
    file: 'dataplane/cache-agent/recover.ts',
    patch: [
      ['  await Promise.all(shards.map((shard) => shard.raiseEpoch(incarnation, self, epoch)));\n', ''],
      [
        '  deps.passed(4);',
        '  await Promise.all(shards.map((shard) => shard.raiseEpoch(incarnation, self, epoch)));\n  deps.passed(4);',
      ],
    ],
    weather: 'restless',
  },
  'recovery: no buyers': {
    sentence: 'A recovery restores the records of the buyers whom the node owns.',
    file: 'dataplane/cache-agent/recover.ts',
    patch: [['i < buyers.length;', 'i < 0;']],
  },
  'recovery: none after a restart': {
    sentence: 'After any restart with EverySecond, the node recovers.',
    file: 'dataplane/cache-agent/decide.ts',
    patch: [["durability === 'EverySecond' && server.recoveredIn !== server.run", 'false && durability && server']],
    weather: 'forgetful',
  },
  'recovery: none for an old epoch': {
    sentence: 'The users are on while the node’s identity equals the registry.',
    file: 'dataplane/cache-agent/decide.ts',
    patch: [['state.identity.epoch < row.epoch', 'state.identity.epoch < 0 * row.epoch']],
    weather: 'contested',
  },
  'recovery: none for another incarnation': {
    sentence: 'Deleting and re-creating a sale gives a new incarnation; everything old is then refused.',
    file: 'dataplane/cache-agent/decide.ts',
    patch: [['state.identity.incarnation !== view.incarnation', 'state.identity.incarnation.length < 0 * view.layout']],
    weather: 'remade',
  },
  'recovery: none for a new layout': {
    sentence:
      'Every node recovers, and with that has its buyers’ records of the buyers it now owns, and the new identity.',
    file: 'dataplane/cache-agent/decide.ts',
    patch: [['state.identity.layout !== view.layout', 'state.identity.layout > view.layout']],
    weather: 'resizing',
  },
  'expiry: ordered tokens return': {
    sentence: 'Ordered → settled; others → returned.',
    file: 'dataplane/cache-agent/expire.ts',
    patch: [['ordered: ordered.has(token.id)', 'ordered: ordered.size < 0']],
  },
  'join: epochs before the registry': {
    sentence: 'A new shard enters the registry first, then copies the nodes’ epochs.',
    file: 'dataplane/shard-agent/join.ts',
    patch: [
      ['  await registry.enterShard(incarnation, id, peerIncarnation);\n', ''],
      [
        '  await registry.shardJoined(incarnation, id);',
        '  await registry.enterShard(incarnation, id, peerIncarnation);\n  await registry.shardJoined(incarnation, id);',
      ],
    ],
    weather: 'growing',
  },
  'transfers: nothing is sent again': {
    sentence: 'What is unreported for a second is sent again.',
    file: 'dataplane/shard-agent/resend.ts',
    patch: [['send: transfers }', 'send: [] }']],
  },
  'fence: reads before fencing': {
    sentence: 'An unreachable leaving node is fenced and its remainder booked.',
    file: 'dataplane/shard-agent/pool/fence.ts',
    patch: [
      ['    for (const client of clients) await client.raiseEpoch(incarnation, node, epoch);\n', ''],
      [
        '    await registry.book(',
        '    for (const client of clients) await client.raiseEpoch(incarnation, node, epoch);\n    await registry.book(',
      ],
    ],
    weather: 'leaving',
  },
  'pool: differences are not booked': {
    sentence: 'The agent books every difference it ever sees.',
    file: 'dataplane/shard-agent/pool/virtual-stock.ts',
    patch: [
      [
        'const booked = recipient !== undefined && (await book(look, recipient));',
        'const booked = recipient !== undefined && book.length < 0;',
      ],
    ],
    weather: 'unanswered',
  },
  'commands: any term is believed': {
    sentence: 'A command of a term that the registry never gave is refused.',
    file: 'dataplane/shard-agent/stock-holder.ts',
    patch: [['if (covers(command)) return true;', 'if (known) return true;']],
    weather: 'forged',
  },
  'pool: nothing is credited': {
    sentence: 'The lifetime total of cancelled units reaches the pool’s agent, which credits the difference.',
    file: 'dataplane/shard-agent/pool/reconciler.ts',
    patch: [['cancelled <= credited', 'cancelled >= credited']],
  },
  'pool: owed units are not paid': {
    sentence: 'The pool pays what is owed by negative supply rows.',
    file: 'dataplane/shard-agent/pool/reconciler.ts',
    patch: [['if (view.owed > 0) metrics', 'if (view.owed < 0) metrics']],
    weather: 'lowered',
  },
  'resize: live tokens are not awaited': {
    sentence: 'Live tokens end before the new layout is taken.',
    file: 'dataplane/shard-agent/pool/decide-resize.ts',
    patch: [["      if (state.liveTokens > 0) return [wait([reading], 'until its live tokens end')];\n", '']],
    weather: 'resizing',
  },
  'resize: a leaving node keeps its stock': {
    sentence: 'Leaving nodes are revoked to zero.',
    file: 'dataplane/shard-agent/pool/decide-resize.ts',
    patch: [["      if (state.virtual > 0) return [{ kind: 'empty', node: node.id, units: state.virtual }];\n", '']],
    weather: 'resizing',
  },
  'resize: nobody drains': {
    sentence: 'Purchases pause in the registry and on every node.',
    file: 'dataplane/cache-agent/decide.ts',
    patch: [
      ["if (view.resize === 'draining') return 'draining';", "if (view.resize === 'draining') return 'selling';"],
    ],
    weather: 'resizing',
  },
  'checkout: another token of the buyer was settled': {
    sentence: 'The stored token is read from its node. Settled → its order.',
    file: 'dataplane/storefront/checkout.ts',
    patch: [['stored?.sequence === sequence && stored.id === id && stored.state', 'stored?.state']],
    weather: 'twoWindows',
  },
  'checkout: unknown is taken for expired': {
    sentence:
      'A lost connection or a timeout makes the batch unknown, and the same rows are sent to the same shard again.',
    file: 'dataplane/storefront/checkout-batcher.ts',
    patch: [
      [
        '      this.#batcher.putBack(batch);\n      return false;',
        "      for (const { answer } of batch) answer({ outcome: 'expired', paymentDeadline });\n      return true;",
      ],
    ],
    weather: 'lastMoment',
  },
  'purchase: a stale identity is not looked at again': {
    sentence: 'The identity is what the storefront expects; else stale.',
    file: 'dataplane/storefront/nodes.ts',
    patch: [['    link.identity = identity;\n', '    link.identity ??= identity;\n']],
  },
  'balancer: promises are not covered': {
    sentence: 'Every shard is to hold what tokens promise on it.',
    file: 'operator/balancer/decide.ts',
    patch: [['  cover(draft);\n', '']],
    weather: 'lopsided',
  },
  'balancer: owed stock is not gathered': {
    sentence: 'The balancer gathers owed units into the pool.',
    file: 'operator/balancer/decide.ts',
    patch: [['  gatherOwed(draft);\n', '']],
    weather: 'lowered',
  },
  'balancer: pool stock is not allocated': {
    sentence: 'Pool stock that is not owed is allocated.',
    file: 'operator/balancer/decide.ts',
    patch: [['  allocate(draft);\n', '']],
  },
  'balancer: commands are not repeated': {
    sentence: 'Any message may be lost as long as a later one comes.',
    file: 'operator/balancer/decide.ts',
    patch: [['.filter((entry) => due(entry, now))', '.filter((entry) => due(entry, now) && now < 0)']],
    weather: 'lopsided',
  },
  'resize: not everybody has stopped': {
    sentence: 'Purchases pause on every node before the new layout is taken.',
    file: 'dataplane/shard-agent/pool/decide-resize.ts',
    patch: [["      if (!state.draining) return [wait([reading], 'to pause')];\n", '']],
    weather: 'distracted',
  },
  'resize: said to be over too early': {
    sentence: 'A resize ends when every node of the new layout has taken it.',
    file: 'dataplane/shard-agent/pool/decide-resize.ts',
    patch: [
      [
        "  return missing.length > 0\n    ? [wait(missing, 'to take",
        "  return missing.length < 0\n    ? [wait(missing, 'to take",
      ],
    ],
    weather: 'resizing',
  },
  'refill: registry before the nodes': {
    sentence: '"Sold out" is said only when nothing is left: the nodes are asked first, then the registry.',
    file: 'dataplane/shard-agent/pool/nodes.ts',
    patch: [
      ['      const view = await registry.read();\n', ''],
      ['      const asked =', '      const view = await registry.read();\n      const asked ='],
    ],
    weather: 'trickling',
  },
  'refill: not every node was asked': {
    sentence: 'If a node cannot be asked, the answer is unavailable.',
    file: 'dataplane/shard-agent/pool/classify.ts',
    patch: [['members.length === view.count &&', '']],
    weather: 'unasked',
  },
  'refill: the very last units are not gathered': {
    sentence: '"Sold out" is said only when the nodes together have less than is asked for.',
    file: 'dataplane/shard-agent/pool/classify.ts',
    patch: [['sum + state.virtual, 0) >= needed)', 'sum + state.virtual, 0) > needed)']],
    weather: 'crumbs',
  },
  'refill: something is unbooked or unapplied': {
    sentence: '"Sold out" is said only when nothing is unbooked or unapplied.',
    file: 'dataplane/shard-agent/pool/classify.ts',
    patch: [['fit.every((reading) => unbooked(reading) === 0 && unapplied(reading) === 0)', 'true']],
    weather: 'unapplied',
  },
  'expiry: a void list is used': {
    sentence: 'Another epoch at the shard voids the list.',
    file: 'dataplane/cache-agent/expire.ts',
    patch: [
      ['      if (ordered === undefined) break;\n', ''],
      ['ordered: ordered.has(token.id)', 'ordered: ordered?.has(token.id) ?? false'],
    ],
    weather: 'leaving',
  },
  'checkout: the node is not told of a known order': {
    sentence: 'After the answer, settle at the node.',
    file: 'dataplane/storefront/checkout.ts',
    patch: [["      case 'cancelled':\n        this.#settle(claims);\n", "      case 'cancelled':\n"]],
    weather: 'regulars',
  },
  'outbox: the cursor moves first': {
    sentence: 'The durable cursor moves only after Kafka has the events.',
    file: 'dataplane/shard-agent/outbox.ts',
    patch: [
      [
        '    const sent = await bus.publish(',
        '    await shard.relayed(last.version);\n    const sent = await bus.publish(',
      ],
    ],
  },
  'outbox: nobody waits for Kafka': {
    sentence: 'Order events reach the merchant at least once.',
    file: 'dataplane/shard-agent/outbox.ts',
    patch: [["    if (!sent) throw new Error('Kafka did not take the order events');\n", '']],
  },
} as const satisfies Record<string, Mutation>;

/** Sentences without a mutation of their own, and why no run can miss them. */
export const COVERED = {
  'runtime/mutex.ts lets one after the other move virtual stock':
    'What moves shows in the lifetime totals at every instant; taking turns saves the looks that it would spoil.',
  'sale/registry-steps.ts compares generations':
    'set_supply refuses an old generation itself (newer-generation, newest-supply).',
  'shard-agent/stock-holder.ts reports changes from what the topic has':
    'A reader whose last version is another one goes by the totals; the change is for display.',
} as const;

/** Where a sentence of the stores matters more often than in whatever a seed decides. */
export const STORE_WEATHERS: Partial<Record<StoreSentence, WeatherName>> = {
  'known-first': 'lastMoment',
  'locked-then-read': 'lastMoment',
  'close-before-reading': 'lastMoment',
  'close-checks-epoch': 'lateCloses',
  'epoch-resets-closed': 'restless',
  'book-current-epoch': 'seesaw',
  'recovery-marks': 'contested',
  'users-off-until-recovered': 'forgetful',
  'far-future-is-due': 'jumping',
  'raise-by-reached': 'lowered',
  'unowe-first': 'seesaw',
  'owed-not-allocated': 'seesaw',
  'owe-only-the-excess': 'lowered',
  'draining-stays': 'latePauses',
  'newest-wish': 'secondThoughts',
  'newer-generation': 'lateSupplies',
  'join-names-database': 'outlived',
  'registry-incarnation': 'outlived',
  'resize-names-layout': 'lateSteps',
  'grants-in-layout': 'threePools',
  'drained-totals': 'threePools',
  'paused-refused': 'resizing',
  'wanted-itself': 'wavering',
  'known-senders': 'forged',
};

/**
 * Sentences of the stores that no run can miss, and why. `together`: those that guard the same; taken back all at once, a
 * seed finds it soon enough for a test.
 */
export const COVERED_SENTENCES: Partial<
  Record<StoreSentence, { reason: string; together?: readonly StoreSentence[] }>
> = {
  'newer-generation': {
    reason:
      'A supply that is older than another wish is refused as such (newest-supply), and one of the same generation asks for the same target: supply is absolute, so it changes nothing.',
    together: ['newer-generation', 'newest-supply'],
  },
  'newest-supply': {
    reason:
      'A supply that is older than the last one is refused as such (newer-generation); another old one comes before the newest, which replaces it.',
    together: ['newer-generation', 'newest-supply'],
  },
  'grants-stay': {
    reason:
      'Draining does not end when units were granted to a leaving node behind the agent’s back (drained-totals), and the agent takes them away again.',
  },
  'drained-totals': {
    reason: 'What a leaving node accounts for only falls, because nothing is granted to it (grants-stay).',
  },
  'lapses-counted': {
    reason:
      'Whoever hoards takes no unit that is not there: what it costs is other buyers’ time, which no invariant is about. The tests of the real script hold it.',
  },
  'one-run-recovery': {
    reason:
      'Where a restart may lose records, a node that has restarted is recovered once more before its users are on (decide.ts: restarted, which is taken back by “recovery: none after a restart”).',
  },
};
