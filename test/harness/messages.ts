// Random messages that fit their topics, for properties and for clients that mean harm.

import fc from 'fast-check';
import type { Command, Delta, Level, Topic, Transfer } from '../../dataplane/protocol/messages.ts';
import { nodeId, type ShardId, type StockHolderId, shardId } from '../../dataplane/protocol/units.ts';

const whole = fc.oneof(fc.nat(20), fc.maxSafeNat());
const incarnation = fc.constantFrom('sale', 'another sale');
const shard = fc.nat(3).map(shardId);
const holder: fc.Arbitrary<StockHolderId> = fc.oneof(shard, fc.constant('pool' as const));
const amounts = <Id extends string>(id: fc.Arbitrary<Id>): fc.Arbitrary<Partial<Record<Id, number>>> =>
  fc.dictionary(id, whole, { noNullPrototype: true }) as fc.Arbitrary<Partial<Record<Id, number>>>;
const command = fc.record({ term: whole, sequence: whole });

const delta: fc.Arbitrary<Delta> = fc
  .record({
    incarnation,
    peer: holder,
    peerIncarnation: fc.constantFrom('life 1', 'life 2'),
    version: whole,
    fromVersion: whole,
    delta: fc.oneof(fc.integer({ min: -20, max: 20 }), fc.maxSafeInteger()),
    available: whole,
    sold: whole,
    cancelled: whole,
    missed: whole,
    missedMax: whole,
    sent: amounts(holder),
    received: whole,
    receivedVersions: amounts(holder),
    command,
    pool: fc.option(fc.record({ owed: whole, allocatable: whole, supplied: whole, target: whole }), { nil: undefined }),
  })
  .map(({ pool, ...rest }) => ({
    ...rest,
    fromVersion: Math.min(rest.fromVersion, rest.version),
    ...(pool && rest.peer === 'pool' ? { pool } : {}),
  }));

const level: fc.Arbitrary<Level> = fc.record({
  incarnation,
  node: fc.nat(2).map(nodeId),
  epoch: whole,
  sequence: whole,
  layout: whole,
  paused: fc.boolean(),
  virtual: whole,
  liveTokens: whole,
  liveUnits: whole,
  pinned: amounts(shard),
  granted: whole,
  revoked: whole,
  issued: whole,
  settledUnits: whole,
  returnedUnits: whole,
});

const route = fc.oneof(
  fc
    .tuple(shard, holder)
    .filter(([from, destination]) => from !== destination)
    .map(([from, destination]) => ({ from, to: 'pool' as const, destination })),
  shard.map((to: ShardId) => ({ from: 'pool' as const, to, destination: to })),
);
const transfer: fc.Arbitrary<Transfer> = fc
  .tuple(route, incarnation, fc.nat(500), fc.integer({ min: 1, max: 500 }), fc.nat(1000))
  .map(([way, sale, units, step, previous]) => ({
    ...way,
    incarnation: sale,
    fromIncarnation: 'life 1',
    units: units + 1,
    version: previous + step,
    previous,
  }));

const commanded: fc.Arbitrary<Command> = fc.record({
  incarnation,
  source: holder,
  term: whole,
  sequence: whole,
  legs: fc.array(fc.record({ destination: holder, units: whole.map((units) => Math.max(1, units)) }), { maxLength: 4 }),
});

export const MESSAGES = {
  deltas: delta.map((value) => ({ topic: 'deltas' as const, key: value.peer as string, value })),
  levels: level.map((value) => ({ topic: 'levels' as const, key: value.node as string, value })),
  transfers: transfer.map((value) => ({ topic: 'transfers' as const, key: value.to as string, value })),
  commands: commanded.map((value) => ({ topic: 'commands' as const, key: value.source as string, value })),
};

/** A message of any topic that a role reads. */
export const anyMessage: fc.Arbitrary<{ topic: Exclude<Topic, 'orders'>; key: string; value: object }> = fc.oneof(
  ...Object.values(MESSAGES),
);
