// From the sale's configuration to what `decide` needs. Pure.

import type { SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Policy } from './decide.ts';
import { average } from './rules/average.ts';
import { none } from './rules/none.ts';
import type { Rule } from './rules/rule.ts';
import { threshold } from './rules/threshold.ts';

type RuleName = SaleConfig['balancer']['rule'];

/** Every rule, by its name in the resource. */
const rules: Record<RuleName, (config: SaleConfig['balancer']) => Rule> = {
  Average: () => average,
  Threshold: ({ deadBand }) => threshold(deadBand),
  None: () => none,
};

export function policyOf({ balancer, shards }: Pick<SaleConfig, 'balancer' | 'shards'>): Policy {
  const { rule, shardTime, delay, period } = balancer;
  return {
    rule: rules[rule](balancer),
    shardTime,
    delay,
    ...(period === undefined ? {} : { period }),
    expected: ['pool', ...shards.map((shard) => shard.id)],
  };
}
