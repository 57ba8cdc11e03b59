// Plans: what is covered first, what counts as on its way, and that nothing is ever issued twice.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../../dataplane/protocol/messages.ts';
import { type StockHolderId, shardId } from '../../../dataplane/protocol/units.ts';
import {
  type Decision,
  decide,
  type Memory,
  type Policy,
  SETTLE,
  SILENT,
  startMemory,
} from '../../../operator/balancer/decide.ts';
import { average } from '../../../operator/balancer/rules/average.ts';
import { none } from '../../../operator/balancer/rules/none.ts';
import type { Rule } from '../../../operator/balancer/rules/rule.ts';
import { threshold } from '../../../operator/balancer/rules/threshold.ts';
import { begunMemory, Stage, TERM } from './stage.ts';

const policy = (rule: Rule = none, fields: Partial<Policy> = {}): Policy => ({
  rule,
  shardTime: 30,
  delay: 20,
  expected: [],
  ...fields,
});

/** Decides again and again while everything is carried out at once, until nothing is left to do. */
function settle(stage: Stage, rule: Rule, memory: Memory = begunMemory()): Memory {
  for (let now = 0; now < 60_000; now += 1000) {
    stage.report(now);
    const decision = decide(stage.table, policy(rule, { period: 1 }), now, memory);
    memory = decision.memory;
    if (decision.commands.length === 0) return memory;
    for (const command of decision.commands) stage.execute(command);
    stage.land();
  }
  throw new Error('it goes on for ever');
}

const legs = (commands: Command[]): string[] =>
  commands.flatMap(({ source, legs }) => legs.map(({ destination, units }) => `${source}>${destination}:${units}`));

const plan = (stage: Stage, rule: Rule = none, memory = begunMemory(), now = 0): Decision =>
  decide(stage.table, policy(rule), now, memory);

describe('who takes part', () => {
  test('the first command to everyone is empty: it fences older terms, and its answer shows a fresh report', () => {
    const stage = new Stage({ shards: [5, 1], pool: 10 }, false);
    const first = decide(stage.table, policy(average), 0, startMemory(TERM, 0));
    expect(first.commands.map(({ source, term, legs }) => [source, term, legs])).toEqual([
      ['pool', TERM, []],
      ['s0', TERM, []],
      ['s1', TERM, []],
    ]);
    for (const command of first.commands) stage.execute(command);
    stage.report(10);
    expect(legs(decide(stage.table, policy(average), SETTLE, first.memory).commands)).toContain('pool>s1:5');
  });

  test('early stock waits for every configured shard, but not for ever', () => {
    const stage = new Stage({ shards: [0, 0], pool: 10 });
    const waiting = policy(none, { expected: ['pool', 's0', 's1', 's2'] });
    const first = decide(stage.table, waiting, 0, startMemory(TERM, 0));
    expect(first.commands).toEqual([]);
    expect(legs(decide(stage.table, waiting, SETTLE, first.memory).commands)).toEqual(['pool>s0:5', 'pool>s1:5']);
    const complete = policy(none, { expected: ['pool', 's0', 's1'] });
    expect(decide(stage.table, complete, 0, startMemory(TERM, 0)).commands).toHaveLength(1);
  });

  test('a shard that says nothing any more is left out', () => {
    const stage = new Stage({ shards: [0, 0, 0], pool: 10 });
    for (const peer of ['pool', 's0', 's1'] as const) stage.table.applyDelta(stage.at(peer), SILENT);
    expect(legs(plan(stage, none, begunMemory(), SILENT).commands)).toEqual(['pool>s0:5', 'pool>s1:5']);
  });

  test('without the pool nothing is moved, for every transfer passes through it', () => {
    const stage = new Stage({ shards: [10, 0] });
    for (const peer of ['s0', 's1'] as const) stage.table.applyDelta(stage.at(peer), SILENT);
    expect(plan(stage, average, begunMemory(), SILENT).commands).toEqual([]);
  });

  test('a balancer that meets a higher term issues nothing more', () => {
    const stage = new Stage({ shards: [10, 0] });
    stage.change('s1', { command: { term: TERM + 1, sequence: 1 } });
    stage.report(0);
    const decision = plan(stage, average);
    expect(decision).toMatchObject({ superseded: true, commands: [] });
  });
});

describe.each([none, average, threshold(0.1)])('under the rule $name', (rule) => {
  test('R20: the initial stock is allocated evenly by one command', () => {
    const stage = new Stage({ shards: [0, 0, 0], pool: 100 });
    const { commands } = plan(stage, rule);
    expect(commands).toHaveLength(1);
    expect(legs(commands)).toEqual(['pool>s0:34', 'pool>s1:33', 'pool>s2:33']);
  });

  test('what a lowered supply is owed stays in the pool, and is gathered from the richest', () => {
    const stage = new Stage({ shards: [10, 30, 12], pool: 5, owed: 20 });
    expect(legs(plan(stage, none).commands)).toEqual(['s1>pool:15']);
    settle(stage, rule);
    expect(stage.at('pool').available).toBe(20);
  });

  test('R29: promised units are covered before the buyers come, from the pool first, then from spare stock', () => {
    const stage = new Stage({ shards: [0, 10, 10], pool: 3, pinned: [8, 9, 1] });
    expect(legs(plan(stage, none).commands).sort()).toEqual(['pool>s0:3', 's2>s0:5']);
    settle(stage, rule);
    for (const [i, units] of [8, 9, 1].entries()) expect(stage.stocks()[i]).toBeGreaterThanOrEqual(units);
  });

  test('R30: everything in the pool that is not owed comes out', () => {
    const stage = new Stage({ shards: [1, 2], pool: 9, owed: 2 });
    settle(stage, rule);
    expect(stage.at('pool').available).toBe(2);
    expect(stage.flying).toEqual([]);
  });
});

describe('shortage', () => {
  test('R29: where stock was missed it is gathered, from spare stock first, then from what is promised elsewhere', () => {
    const stage = new Stage({ shards: [0, 6, 4], pinned: [4, 5, 4] });
    const before = plan(stage).memory;
    stage.change('s0', { missed: 4, missedMax: 4 });
    stage.report(1);
    const { commands } = decide(stage.table, policy(), 1, { ...before, pending: new Map() });
    expect(legs(commands).sort()).toEqual(['s1>s0:3', 's2>s0:1']);
  });

  const short = () => {
    const stage = new Stage({ shards: [1, 50, 50] });
    const { memory } = plan(stage);
    stage.change('s0', { missed: 3, missedMax: 3 });
    stage.report(10);
    return { stage, memory };
  };

  test('gathers what a checkout missed, beyond what is there', () => {
    const { stage, memory } = short();
    const decision = decide(stage.table, policy(), 10, memory);
    expect(legs(decision.commands)).toEqual(['s1>s0:1', 's2>s0:1']);
    expect(decision.moved.shortage).toBe(2);
  });

  test('a buyer who asks again does not make it want more', () => {
    const { stage, memory } = short();
    const first = decide(stage.table, policy(), 10, memory);
    stage.change('s0', { missed: 6 });
    stage.report(110);
    expect(decide(stage.table, policy(), 110, first.memory).commands).toEqual([]);
  });

  test('what was sold since is not wanted any more', () => {
    const { stage, memory } = short();
    const first = decide(stage.table, policy(), 10, memory);
    for (const command of first.commands) stage.execute(command);
    stage.land();
    stage.change('s0', { available: 0, sold: 3 });
    stage.report(100);
    expect(decide(stage.table, policy(), 100, first.memory).commands).toEqual([]);
  });

  test('a want that nobody repeats ends', () => {
    const { stage, memory } = short();
    const first = decide(stage.table, policy(), 10, memory);
    const later = decide(stage.table, policy(), 2500, { ...first.memory, pending: new Map() });
    expect(later.commands).toEqual([]);
  });

  test('misses of before the balancer began say nothing', () => {
    const { stage } = short();
    expect(decide(stage.table, policy(), 10, begunMemory()).commands).toEqual([]);
  });
});

describe('R21: nothing is issued twice', () => {
  const uneven = () => new Stage({ shards: [100, 0] });

  test('an unanswered command counts as stock on its way', () => {
    const stage = uneven();
    const first = plan(stage, average);
    expect(legs(first.commands)).toEqual(['s0>s1:50']);
    expect(decide(stage.table, policy(average, { period: 1 }), 100, first.memory).commands).toEqual([]);
  });

  test('so does what its source sent and its destination has not received', () => {
    const stage = uneven();
    const first = plan(stage, average);
    for (const command of first.commands) stage.execute(command);
    stage.report(100);
    const second = decide(stage.table, policy(average, { period: 1 }), 100, first.memory);
    expect(second.memory.pending.size).toBe(0);
    expect(second.commands).toEqual([]);
  });

  test('it is published again under its number until it is answered, less and less often', () => {
    const stage = uneven();
    let { memory, commands } = plan(stage, average);
    const [command] = commands;
    const repeats: number[] = [];
    for (let now = 20; now < 1500; now += 20) {
      const next = decide(stage.table, policy(average), now, memory);
      memory = next.memory;
      if (next.commands.length > 0) repeats.push(now);
      for (const again of next.commands) expect(again).toEqual(command);
    }
    expect(repeats).toEqual([300, 900]);
    expect(repeats.length).toBe(2);
  });

  test('unanswered for long, it may be changed, but only under its own number: one of the two is carried out', () => {
    const stage = uneven();
    const first = plan(stage, average);
    stage.change('s1', { available: 60 });
    stage.report(2500);
    const second = decide(stage.table, policy(average), 2500, first.memory);
    expect(legs(second.commands)).toEqual(['s0>s1:20']);
    const [former, latter] = [first.commands[0], second.commands[0]];
    expect([latter?.term, latter?.sequence]).toEqual([former?.term, former?.sequence]);
    if (former) stage.execute(former);
    if (latter) stage.execute(latter);
    expect(stage.stocks()).toEqual([50, 60]);
  });

  test('a source has one command at a time; the next has a higher number', () => {
    const stage = new Stage({ shards: [100, 0, 0], pinned: [0, 10, 0] });
    const first = plan(stage);
    expect(legs(first.commands)).toEqual(['s0>s1:10']);
    stage.pin([0, 10, 20]);
    const second = decide(stage.table, policy(), 100, first.memory);
    expect(second.commands).toEqual([]);
    for (const command of first.commands) stage.execute(command);
    stage.report(200);
    const third = decide(stage.table, policy(), 200, second.memory);
    expect(legs(third.commands)).toEqual(['s0>s2:20']);
    expect(third.commands[0]?.sequence).toBeGreaterThan(first.commands[0]?.sequence ?? 0);
  });

  test('R22: a source that was drained before its command ran gives what it has, and the rest is planned anew', () => {
    const stage = new Stage({ shards: [100, 0, 60] });
    stage.pin([0, 40, 0]);
    const first = plan(stage);
    expect(legs(first.commands)).toEqual(['s0>s1:40']);
    stage.change('s0', { available: 5, sold: 95 });
    for (const command of first.commands) stage.execute(command);
    stage.report(100);
    expect(legs(decide(stage.table, policy(), 100, first.memory).commands)).toEqual(['s2>s1:35']);
  });
});

describe('R21: the cycle n·k + m', () => {
  test('uses the configured k and m until there are measured ones', () => {
    const { cycle } = plan(new Stage({ shards: [1, 1, 1, 1] }));
    expect(cycle).toEqual({ shards: 4, shardTime: 30, delay: 20, length: 140 });
  });

  test('measures k from command to hand-over, and m from there to the storing', () => {
    const stage = new Stage({ shards: [100, 0] });
    let decision = plan(stage, average);
    for (const command of decision.commands) stage.execute(command);
    stage.report(44);
    decision = decide(stage.table, policy(average), 44, decision.memory);
    stage.land();
    stage.report(55);
    decision = decide(stage.table, policy(average), 55, decision.memory);
    expect(decision.cycle).toEqual({ shards: 2, shardTime: 44, delay: 11, length: 99 });
  });

  test('a rule plans once a cycle, or once a configured period; promises are covered at any time', () => {
    const stage = new Stage({ shards: [100, 100, 100] });
    const first = plan(stage, average);
    stage.change('s0', { available: 40 });
    stage.report(50);
    const tooEarly = decide(stage.table, policy(average), 50, first.memory);
    expect(tooEarly.commands).toEqual([]);
    expect(decide(stage.table, policy(average), 110, tooEarly.memory).moved.spread).toBe(40);
    expect(decide(stage.table, policy(average, { period: 40 }), 50, first.memory).moved.spread).toBe(40);
    stage.pin([50]);
    expect(decide(stage.table, policy(average), 50, first.memory).moved.cover).toBe(10);
  });
});

describe('the seam for rules that learn', () => {
  const counting: Rule<number> = {
    name: 'Counting',
    cadence: 'event',
    start: 0,
    tolerance: () => 0,
    aims: (standings, _now, memory) => ({
      aims: standings.map(({ stock }) => ({ target: stock, tolerance: 0 })),
      memory: memory + 1,
    }),
  };

  test('a rule gets its own memory back, plans with every change, and starts afresh when it is chosen', () => {
    const stage = new Stage({ shards: [5, 5] });
    let memory = begunMemory();
    for (let now = 0; now < 3; now++) memory = decide(stage.table, policy(counting as Rule), now, memory).memory;
    expect(memory.rule).toEqual({ name: 'Counting', memory: 3 });
    memory = decide(stage.table, policy(average), 1000, memory).memory;
    expect(decide(stage.table, policy(counting as Rule), 1001, memory).memory.rule?.memory).toBe(1);
  });
});

describe('for any distribution', () => {
  const amounts = fc.array(fc.nat(60), { minLength: 1, maxLength: 8 });
  const starts = fc.record({ shards: amounts, pool: fc.nat(40), owed: fc.nat(40), pinned: amounts });
  const rules = fc.constantFrom<Rule>(none, average, threshold(0), threshold(0.2));

  test('commands never ask a peer for more than it reported', () => {
    fc.assert(
      fc.property(starts, rules, (start, rule) => {
        const stage = new Stage(start);
        const { commands } = plan(stage, rule);
        expect(new Set(commands.map(({ source }) => source)).size).toBe(commands.length);
        for (const { source, legs } of commands) {
          const asked = legs.reduce((sum, { units }) => sum + units, 0);
          expect(asked).toBeLessThanOrEqual(stage.at(source).available);
          for (const { destination, units } of legs) expect([units > 0, destination !== source]).toEqual([true, true]);
        }
      }),
    );
  });

  test('R21: asked again with the same table, it issues nothing new', () => {
    fc.assert(
      fc.property(starts, rules, (start, rule) => {
        const stage = new Stage(start);
        const first = plan(stage, rule);
        const again = decide(stage.table, policy(rule, { period: 1 }), 299, first.memory);
        expect(again.commands).toEqual([]);
      }),
    );
  });

  test('R21: nor when some of it was reported and the rest not yet', () => {
    fc.assert(
      fc.property(starts, rules, fc.infiniteStream(fc.boolean()), (start, rule, coin) => {
        const stage = new Stage(start);
        const first = plan(stage, rule);
        const heard = (peer: StockHolderId) => coin.next().value && stage.table.applyDelta(stage.at(peer), 1);
        for (const command of first.commands) if (coin.next().value) stage.execute(command);
        for (const command of first.commands) heard(command.source);
        const again = decide(stage.table, policy(rule, { period: 1 }), 299, first.memory);
        expect(legs(again.commands)).toEqual([]);
      }),
    );
  });

  test('R15, R16: carried out, the plans end, nothing is lost, and the rule is satisfied within its band', () => {
    fc.assert(
      fc.property(starts, rules, (start, rule) => {
        const stage = new Stage(start);
        const total = stage.total();
        settle(stage, rule);
        expect(stage.total()).toBe(total);
        const promised = stage.stocks().map((_, i) => start.pinned[i] ?? 0);
        const free = stage.stocks().map((units, i) => Math.max(0, units - (promised[i] ?? 0)));
        const standings = free.map((stock, i) => ({ shard: shardId(i), stock, capacity: 1, sold: 0, missed: 0 }));
        const { aims } = rule.aims(standings, 0, rule.start);
        aims.forEach(({ target, tolerance }, i) => {
          expect(Math.abs((free[i] ?? 0) - target)).toBeLessThanOrEqual(tolerance + 1);
        });
      }),
    );
  });

  test('R29: carried out, no shard lacks promised units while another has some to spare', () => {
    fc.assert(
      fc.property(starts, rules, (start, rule) => {
        const stage = new Stage(start);
        settle(stage, rule);
        const spare = stage.stocks().map((units, i) => units - (start.pinned[i] ?? 0));
        if (spare.some((units) => units < 0)) expect(Math.max(...spare)).toBeLessThanOrEqual(0);
      }),
    );
  });
});
