// The resource table: whatever order and however often reports arrive, it says the same (R13, R14).

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Delta, Level } from '../../../dataplane/protocol/messages.ts';
import { dispersion, ResourceTable } from '../../../dataplane/protocol/table.ts';
import { delta, level } from '../balancer/stage.ts';

const tableOf = (deltas: Delta[], levels: Level[] = []) => {
  const table = new ResourceTable('sale');
  for (const message of deltas) table.applyDelta(message, 0);
  for (const message of levels) table.applyLevel(message, 0);
  return table;
};

describe('R13: the table starts from the initial amounts and applies every delta', () => {
  const history = [
    delta('s0', { version: 1, fromVersion: 0, delta: 100, available: 100 }),
    delta('s0', { version: 4, fromVersion: 1, delta: -3, available: 97, sold: 3 }),
    delta('s0', { version: 5, fromVersion: 4, delta: 1, available: 98, sold: 3, cancelled: 1 }),
    delta('s0', { version: 9, fromVersion: 5, delta: 40, available: 138, sold: 5, cancelled: 1, received: 42 }),
  ];

  test('orders, cancellations and transfers change it by their signed amounts', () => {
    const table = new ResourceTable('sale');
    const amounts = history.map((message) => {
      table.applyDelta(message, 0);
      return table.shard('s0')?.available;
    });
    expect(amounts).toEqual([100, 97, 98, 138]);
    expect(table.disagreements).toBe(0);
  });

  test('a lost report is made up for by the next', () => {
    const [first, , , last] = history as [Delta, Delta, Delta, Delta];
    expect(tableOf([first, last]).shards()).toEqual(tableOf(history).shards());
  });

  test('a report whose change does not lead to its result is counted as a fault', () => {
    const table = tableOf([...history, delta('s0', { version: 10, fromVersion: 9, delta: -1, available: 130 })]);
    expect(table.disagreements).toBe(1);
    expect(table.shard('s0')?.available).toBe(130);
  });

  test('reports of another life of the sale or of the shard do not count', () => {
    const table = tableOf(history);
    const before = [...table.shards()];
    expect(table.applyDelta(delta('s0', { incarnation: 'former sale', version: 99 }), 0)).toBe(false);
    expect(table.applyDelta(delta('s0', { peerIncarnation: 'another database', version: 99 }), 0)).toBe(false);
    expect(table.applyLevel(level('c0', { s0: 5 }, { incarnation: 'former sale' }), 0)).toBe(false);
    expect(table.shards()).toEqual(before);
    expect(table.dropped).toBe(3);
  });

  test('an older report does not count', () => {
    const table = tableOf([...history].reverse());
    expect(table.shards()).toEqual(tableOf(history).shards());
    expect(table.dropped).toBe(3);
  });

  test('misses and commands that leave no version behind still count, and never go back', () => {
    const same = { version: 9, fromVersion: 9, available: 138, sold: 5, cancelled: 1, received: 42 };
    const table = tableOf([
      ...history,
      delta('s0', { ...same, missed: 4, missedMax: 2 }),
      delta('s0', { ...same, missed: 1, missedMax: 1, command: { term: 2, sequence: 1 } }),
      delta('s0', { ...same, command: { term: 1, sequence: 8 } }),
    ]);
    expect(table.shard('s0')).toMatchObject({ missed: 4, missedMax: 2, command: { term: 2, sequence: 1 } });
  });

  test('a repeated report is heard but changes no revision', () => {
    const table = new ResourceTable('sale');
    table.applyDelta(delta('s0', { available: 5 }), 10);
    table.applyLevel(level('c0', {}), 10);
    const { revision } = table;
    expect(table.applyDelta(delta('s0', { available: 5 }), 1010)).toBe(false);
    expect(table.applyLevel(level('c0', {}), 1010)).toBe(false);
    expect(table.revision).toBe(revision);
    expect([table.heardAt('s0'), table.heardAt('c0'), table.heardAt('s1')]).toEqual([1010, 1010, undefined]);
  });

  test('any order and any repetition of the same reports gives the same table', () => {
    fc.assert(
      fc.property(histories, fc.infiniteStream(fc.nat()), ({ deltas, levels }, noise) => {
        const order = [...deltas, ...levels, ...deltas, ...levels].map((message) => ({
          message,
          key: noise.next().value as number,
        }));
        order.sort((a, b) => a.key - b.key);
        const shuffled = order.map(({ message }) => message);
        const table = new ResourceTable('sale');
        for (const message of shuffled) {
          if ('peer' in message) table.applyDelta(message, 0);
          else table.applyLevel(message, 0);
        }
        const straight = tableOf(deltas, levels);
        expect(table.shards()).toEqual(straight.shards());
        expect(table.pool()).toEqual(straight.pool());
      }),
    );
  });

  /** A few shards and the pool sell, send and receive; reports are taken at random moments. */
  const histories = fc
    .array(fc.record({ peer: fc.nat(2), to: fc.nat(3), units: fc.nat(20), misses: fc.nat(1) }), { maxLength: 30 })
    .map((steps) => {
      const peers = ['s0', 's1', 's2', 'pool'] as const;
      const states = new Map(peers.map((peer) => [peer as string, delta(peer, { available: 1000 })]));
      const deltas: Delta[] = [...states.values()];
      const levels: Level[] = [];
      steps.forEach(({ peer, to, units, misses }, i) => {
        const from = peers[peer] ?? 's0';
        const destination = peers[to] ?? 's0';
        const last = states.get(from) as Delta;
        const next: Delta = {
          ...last,
          fromVersion: last.version,
          version: last.version + 1,
          delta: -units,
          available: last.available - units,
          missed: last.missed + misses,
          sent: { ...last.sent, [destination]: (last.sent[destination] ?? 0) + units },
          received: last.received + (i % 3),
        };
        states.set(from, next);
        deltas.push(next);
        levels.push(level(`c${peer}`, { s0: units }, { sequence: i + 1, epoch: 1 + (i >> 3) }));
      });
      return { deltas, levels };
    });
});

describe('what the table says', () => {
  test('stock in flight is everything sent to a shard by anyone and not received by it, forwards not counted twice', () => {
    const table = tableOf([
      delta('s0', { sent: { s2: 10, pool: 3 } }),
      delta('s1', { sent: { s2: 5 } }),
      delta('pool', { sent: { s0: 7 }, received: 1 }),
      delta('s2', { received: 4 }),
    ]);
    expect(['s0', 's1', 's2', 'pool'].map((peer) => table.inFlight(peer as 's0'))).toEqual([7, 0, 11, 2]);
  });

  test('a receiver may report before its sender: nothing is in flight then, never less', () => {
    const table = tableOf([delta('s2', { received: 4 })]);
    expect(table.inFlight('s2')).toBe(0);
    table.applyDelta(delta('s0', { sent: { s2: 10 } }), 0);
    expect(table.inFlight('s2')).toBe(6);
  });

  test('units promised on a shard are those of all cache nodes', () => {
    const deltas = [delta('s0', { available: 9 }), delta('s1', { available: 1 })];
    const table = tableOf(deltas, [level('c0', { s0: 2 }), level('c1', { s0: 3, s1: 4 })]);
    expect(table.shards().map(({ pinned }) => pinned)).toEqual([5, 4]);
  });

  test('a node that recovered promises only what its new epoch did', () => {
    const table = tableOf(
      [delta('s0')],
      [level('c0', { s0: 9 }, { sequence: 50 }), level('c0', { s0: 1 }, { epoch: 2 })],
    );
    expect(table.shard('s0')?.pinned).toBe(1);
  });

  test('a node that left with the layout before promises nothing any more', () => {
    const levels = [level('c0', { s0: 1 }, { layout: 2 }), level('c1', { s0: 9 })];
    expect(tableOf([delta('s0')], levels).shard('s0')?.pinned).toBe(1);
  });

  test('shards are listed by number', () => {
    const table = tableOf([delta('s10'), delta('s2'), delta('pool'), delta('s0')]);
    expect(table.shards().map(({ shard }) => shard)).toEqual(['s0', 's2', 's10']);
  });

  test('the pool says what it owes and may allocate', () => {
    const table = tableOf([
      delta('pool', { available: 9, pool: { owed: 4, allocatable: 5, supplied: 20, target: 16 } }),
    ]);
    expect(table.pool()).toMatchObject({ available: 9, owed: 4, allocatable: 5, supplied: 20, target: 16 });
    expect(tableOf([]).pool()).toBeUndefined();
  });
});

describe('R14: the distribution view has its dispersion', () => {
  test.each([
    [[], { coefficientOfVariation: 0, min: 0, max: 0, mean: 0 }],
    [[0, 0], { coefficientOfVariation: 0, min: 0, max: 0, mean: 0 }],
    [[5, 5, 5], { coefficientOfVariation: 0, min: 5, max: 5, mean: 5 }],
    [[0, 10], { coefficientOfVariation: 1, min: 0, max: 10, mean: 5 }],
    [[2, 4, 4, 4, 5, 5, 7, 9], { coefficientOfVariation: 0.4, min: 2, max: 9, mean: 5 }],
  ])('%j', (amounts, expected) => expect(dispersion(amounts)).toEqual(expected));

  test('it is taken over the shards, not the pool', () => {
    const table = tableOf([delta('s0', { available: 10 }), delta('s1'), delta('pool', { available: 70 })]);
    expect(table.dispersion()).toEqual({ coefficientOfVariation: 1, min: 0, max: 10, mean: 5 });
  });
});
