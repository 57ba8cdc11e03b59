// From the sale's configuration to what `decide` needs. Pure.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Policy } from './decide.ts';
import { average } from './rules/average.ts';
import { none } from './rules/none.ts';
import type { Rule } from './rules/rule.ts';
import { threshold } from './rules/threshold.ts';

type RuleName = SaleConfig['balancer']['rule'];

/** Every rule, by its name in the resource. */
const rules: Record<RuleName, (config: Pick<SaleConfig['balancer'], 'deadBand'>) => Rule> = {
  Average: () => average,
  Threshold: ({ deadBand }) => threshold(deadBand),
  None: () => none,
};

/** The rule that the sale's configuration names, with its settings. */
export const ruleOf = (balancer: Pick<SaleConfig['balancer'], 'rule' | 'deadBand'>): Rule =>
  rules[balancer.rule](balancer);

/** What the planner needs of the sale's configuration. */
export function policyOf({ balancer, shards }: Pick<SaleConfig, 'balancer' | 'shards'>): Policy {
  const { shardTime, delay, period } = balancer;
  return {
    rule: ruleOf(balancer),
    shardTime,
    delay,
    ...(period === undefined ? {} : { period }),
    expected: ['pool', ...shards.map((shard) => shard.id)],
  };
}
