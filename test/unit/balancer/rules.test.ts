// Each rule by tables of documented examples: where it wants the shards to be, and who then gives what to whom.

import { describe, expect, test } from 'vitest';
import type { SaleConfig } from '../../../dataplane/protocol/config.ts';
import { shardId } from '../../../dataplane/protocol/units.ts';
import { Draft } from '../../../operator/balancer/draft.ts';
import { policyOf } from '../../../operator/balancer/policy.ts';
import { average } from '../../../operator/balancer/rules/average.ts';
import { none } from '../../../operator/balancer/rules/none.ts';
import type { Rule, Standing } from '../../../operator/balancer/rules/rule.ts';
import { threshold } from '../../../operator/balancer/rules/threshold.ts';
import { spread } from '../../../operator/balancer/spread.ts';
import { Stage } from './stage.ts';

const standings = (stocks: number[], capacities: number[] = stocks.map(() => 100)): Standing[] =>
  stocks.map((stock, i) => ({ shard: shardId(i), stock, capacity: capacities[i] ?? 0, sold: 0, missed: 0 }));

/** `s0>s1:5` for each leg, given these stocks and nothing promised. */
function moves(rule: Rule, stocks: number[], capacities?: number[]): string[] {
  const stage = new Stage({ shards: stocks });
  const draft = new Draft(stage.table, new Set(stage.ids), [], () => 0);
  spread(draft, rule.aims(standings(stocks, capacities), 0, rule.start).aims);
  return [...draft.legs()].flatMap(([source, legs]) =>
    legs.map(({ destination, units }) => `${source}>${destination}:${units}`),
  );
}

const targets = (rule: Rule, stocks: number[], capacities?: number[]) =>
  rule.aims(standings(stocks, capacities), 0, rule.start).aims.map(({ target }) => target);

describe('R15: the Average rule', () => {
  test.each([
    ['one above, one below', [30, 10], [20, 20], ['s0>s1:10']],
    ['one above, many below', [90, 20, 10], [40, 40, 40], ['s0>s1:20', 's0>s2:30']],
    ['many above, one below', [60, 50, 10], [40, 40, 40], ['s0>s2:20', 's1>s2:10']],
    ['many above, many below', [70, 50, 30, 10], [40, 40, 40, 40], ['s0>s2:10', 's0>s3:20', 's1>s3:10']],
    ['all at the mean', [7, 7, 7], [7, 7, 7], []],
    ['a mean that is not whole: as even as can be', [4, 3, 3], [4, 3, 3], []],
    ['the odd unit stays where there is most', [0, 0, 5, 0], [1, 1, 2, 1], ['s2>s0:1', 's2>s1:1', 's2>s3:1']],
    ['fewer units than shards', [0, 2, 0], [1, 1, 0], ['s1>s0:1']],
    ['nothing at all', [0, 0], [0, 0], []],
    ['one shard', [9], [9], []],
  ])('%s', (_, stocks, expected, commands) => {
    expect(targets(average, stocks)).toEqual(expected);
    expect(moves(average, stocks)).toEqual(commands);
  });
});

describe('R16: the Threshold rule', () => {
  test.each([
    ['equal capacities, no band: like the mean', 0, [30, 10], [50, 50], [20, 20], ['s0>s1:10']],
    ['shares follow capacities', 0, [40, 40], [30, 10], [60, 20], ['s1>s0:20']],
    ['everyone within the band: left alone', 0.2, [110, 90], [200, 200], [100, 100], []],
    ['at the edge of the band: left alone', 0.2, [120, 80], [200, 200], [100, 100], []],
    ['beyond the band: to the threshold itself', 0.2, [121, 79], [200, 200], [100, 100], ['s0>s1:21']],
    [
      'one too rich, the others within the band take it',
      0.1,
      [40, 19, 19, 22],
      [9, 9, 9, 9],
      [25, 25, 25, 25],
      ['s0>s1:6', 's0>s2:6', 's0>s3:3'],
    ],
    [
      'one too rich among many',
      0.1,
      [130, 95, 95, 95, 85],
      [1, 1, 1, 1, 1],
      [100, 100, 100, 100, 100],
      ['s0>s4:15', 's0>s1:5', 's0>s2:5', 's0>s3:5'],
    ],
    [
      'one too poor, the others within the band give to it',
      0.1,
      [105, 105, 105, 105, 80],
      [1, 1, 1, 1, 1],
      [100, 100, 100, 100, 100],
      ['s0>s4:5', 's1>s4:5', 's2>s4:5', 's3>s4:5'],
    ],
    ['a shard without capacity gives everything', 0.5, [5, 5], [10, 0], [10, 0], ['s1>s0:5']],
    ['no capacities known: evenly', 0, [6, 2], [0, 0], [4, 4], ['s0>s1:2']],
    ['nothing at all', 0.1, [0, 0], [5, 5], [0, 0], []],
  ])('%s', (_, deadBand, stocks, capacities, expected, commands) => {
    expect(targets(threshold(deadBand), stocks, capacities)).toEqual(expected);
    expect(moves(threshold(deadBand), stocks, capacities)).toEqual(commands);
  });
});

describe('the rule None', () => {
  test('moves nothing, however uneven the shards are', () => expect(moves(none, [100, 0, 3])).toEqual([]));
});

describe('policy', () => {
  const config: Pick<SaleConfig, 'balancer' | 'shards'> = {
    balancer: { rule: 'Threshold', deadBand: 0.5, summaryPeriod: 100, shardTime: 30, delay: 20 },
    shards: [
      { id: 's0', host: '127.0.0.1', port: 1, database: 's0' },
      { id: 's1', host: '127.0.0.1', port: 1, database: 's1' },
    ],
  };

  test.each(['Average', 'Threshold', 'None'] as const)('%s is chosen by its name', (rule) => {
    expect(policyOf({ ...config, balancer: { ...config.balancer, rule } }).rule.name).toBe(rule);
  });

  test('expects the pool and every configured shard, and hands times and dead band on', () => {
    const policy = policyOf(config);
    expect(policy).toMatchObject({ shardTime: 30, delay: 20, expected: ['pool', 's0', 's1'] });
    expect(policy.period).toBeUndefined();
    expect(policyOf({ ...config, balancer: { ...config.balancer, period: 70 } }).period).toBe(70);
    expect(policy.rule.aims(standings([149, 51]), 0, undefined).aims[0]?.tolerance).toBe(50);
  });
});
