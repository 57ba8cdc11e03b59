// When a shard reports, and what it says.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deltaOf, lookAgainIn, reportDue } from '../../../dataplane/shard-agent/report.ts';
import type { ShardState } from '../../../dataplane/stores/shard/shard.ts';

const PERIOD = 100;
const state = (fields: Partial<ShardState> = {}): ShardState => ({
  peerIncarnation: 'database',
  incarnation: 'sale',
  version: 10,
  available: 100,
  sold: 0,
  cancelled: 0,
  missed: 0,
  missedMax: 0,
  sent: {},
  received: 0,
  receivedVersions: { pool: 4 },
  command: { term: 1, sequence: 1 },
  ...fields,
});
const due = (now: Partial<ShardState>, waited: number, before: Partial<ShardState> = {}) =>
  reportDue({ state: state(before), at: 1000 }, state(now), 1000 + waited, PERIOD);

describe('a report is due', () => {
  test('at once when nothing was reported yet', () => {
    expect(reportDue({ state: undefined, at: Number.NEGATIVE_INFINITY }, state(), 0, PERIOD)).toBe(true);
  });

  test('R12: a summary period after the last one when stock changed, not before', () => {
    expect(due({ version: 11, available: 99 }, PERIOD - 1)).toBe(false);
    expect(due({ version: 11, available: 99 }, PERIOD)).toBe(true);
  });

  test('every second even when nothing changed, and not before', () => {
    expect(due({}, 999)).toBe(false);
    expect(due({}, 1000)).toBe(true);
  });

  test.each<[string, Partial<ShardState>]>([
    ['units were missed', { missed: 1 }],
    ['a command was executed, an empty one too', { command: { term: 1, sequence: 2 } }],
    ['a newer balancer’s command was executed', { command: { term: 2, sequence: 0 } }],
    ['a transfer was received', { version: 11, receivedVersions: { pool: 5 } }],
    ['a first transfer of a new sender was received', { version: 11, receivedVersions: { pool: 4, s1: 1 } }],
    ['half of the reported stock is gone', { version: 60, available: 50 }],
  ])('30 ms after the last one when %s', (_, now) => {
    expect(due(now, 29)).toBe(false);
    expect(due(now, 30)).toBe(true);
  });

  test('after a summary period when only what is owed changed', () => {
    const pool = { owed: 0, allocatable: 100, supplied: 100, target: 100 };
    const before = { pool };
    expect(due({ pool: { ...pool, target: 50 } }, PERIOD, before)).toBe(true);
    expect(due({ pool: { ...pool } }, PERIOD, before)).toBe(false);
  });
});

test('the state is read 50 times a second while it changes, and 10 times where a second brought nothing', () => {
  expect([0, 500, 999].map(lookAgainIn)).toEqual([20, 20, 20]);
  expect([1000, 60_000].map(lookAgainIn)).toEqual([100, 100]);
});

describe('a report', () => {
  test('says nothing before the shard joined a sale', () => {
    expect(deltaOf('s0', undefined, state({ incarnation: undefined }))).toBeUndefined();
  });

  test('R13: the first one covers everything since the beginning', () => {
    expect(deltaOf('s0', undefined, state())).toMatchObject({
      fromVersion: 0,
      delta: 100,
      version: 10,
      available: 100,
    });
  });

  test('R9, R12: deltas lead from amount to amount, however many reports are lost', () => {
    const changes = fc.array(fc.record({ delta: fc.integer({ min: -50, max: 50 }), sent: fc.boolean() }));
    fc.assert(
      fc.property(changes, (steps) => {
        let version = 0;
        let available = 0;
        let last: ShardState | undefined;
        let readerVersion = 0;
        let readerAmount = 0;
        for (const { delta, sent } of steps) {
          version += 1;
          available += delta;
          const now = state({ version, available });
          const report = deltaOf('s0', last, now);
          if (!sent || !report) continue;
          expect(report.fromVersion).toBe(readerVersion);
          readerAmount += report.delta;
          readerVersion = report.version;
          last = now;
          expect(readerAmount).toBe(available);
        }
      }),
    );
  });
});
