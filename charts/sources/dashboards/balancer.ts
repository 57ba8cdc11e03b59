// "Balancer": how stock is moved between the shards of one sale. For whoever asks why checkouts meet an empty shard.

import {
  areas,
  type Dashboard,
  DISPERSION,
  lines,
  number,
  OF_PODS,
  OF_SALE,
  percentiles,
  rate,
  series,
} from './description.ts';

const told = (metric: string, more = '') => `${metric}{${OF_SALE}${more && `, ${more}`}}`;
const dispersion = (measure: string) => `max(${told('flashsale_balancer_dispersion', `measure="${measure}"`)})`;
const cycle = (part: string) => `max(${told('flashsale_balancer_cycle_seconds', `part="${part}"`)})`;
const toldRate = (label: string, metric: string) => `sum by (${label}) (${rate(metric, OF_SALE)})`;
const podRate = (metric: string) => `sum by (id) (${rate(metric, OF_PODS)})`;

export const balancer: Dashboard = {
  uid: 'flashsale-balancer',
  name: 'balancer',
  title: 'Flash sale: Balancer',
  about: 'How the stock of one sale is moved between its shards.',
  ofOneSale: true,
  rows: [
    {
      title: 'At a glance',
      panels: [
        number(
          'Dispersion',
          'Standard deviation of the shards’ stock by their mean; 0 is even.',
          'share',
          `${DISPERSION} or vector(0)`,
        ),
        number('Poorest shard', 'Its stock, as last reported.', 'units', dispersion('min')),
        number('Richest shard', 'Its stock, as last reported.', 'units', dispersion('max')),
        number(
          'In flight',
          'Units on their way, by the reports of all shards.',
          'units',
          `sum(${told('flashsale_balancer_in_flight_units')})`,
        ),
        number(
          'Balance cycle',
          'n·k + m: how long both legs of a round of transfers take (R21).',
          'seconds',
          cycle('length'),
        ),
        number(
          'Longest silence',
          'Of a shard or the pool. Reports come at least every second.',
          'seconds',
          `max(${told('flashsale_balancer_report_age_seconds')})`,
          {
            limits: [
              { from: 5, is: 'warn' },
              { from: 15, is: 'bad' },
            ],
          },
        ),
      ],
    },
    {
      title: 'Spread',
      panels: [
        lines(
          'Stock by shard, as reported',
          'What the balancer decides by.',
          'units',
          [series('{{peer}}', `sum by (peer) (${told('flashsale_balancer_available_units')})`)],
          { width: 12 },
        ),
        lines(
          'Richest, mean and poorest shard',
          'The lines run together when the balancer does its work.',
          'units',
          [
            series('richest', dispersion('max')),
            series('mean', dispersion('mean')),
            series('poorest', dispersion('min')),
          ],
          { width: 12 },
        ),
        lines(
          'Dispersion',
          'Standard deviation by mean; not shown when fewer than ten units are left in a shard on average.',
          'share',
          [series('coefficient of variation', DISPERSION)],
        ),
        lines(
          'Sold by shard',
          'Storefronts choose shards by their free stock, so even shards sell alike.',
          'per second',
          [series('{{id}}', podRate('flashsale_shard_sold_units'))],
        ),
        lines(
          'Missed by shard',
          'Units that good tokens asked for and that were not there at that moment; the balancer brings them.',
          'per second',
          [series('{{id}}', podRate('flashsale_shard_missed_units'))],
        ),
      ],
    },
    {
      title: 'Commands',
      panels: [
        areas(
          'Units asked to move, by reason',
          'shortage: missed by a checkout; cover: promised to tokens; owed: to be withdrawn; allocate: new stock; spread: by the rule.',
          'per second',
          [series('{{reason}}', toldRate('reason', 'flashsale_balancer_planned_units_total'))],
        ),
        lines(
          'Commands',
          'Repeated ones were not answered in time: Kafka or an agent is slow.',
          'per second',
          [series('{{kind}}', toldRate('kind', 'flashsale_balancer_commands_total'))],
          { width: 12 },
        ),
        lines(
          'The balance cycle and its parts',
          'Length n·k + m, with the measured time k of one shard and delay m.',
          'seconds',
          [series('{{part}}', `max by (part) (${told('flashsale_balancer_cycle_seconds')})`)],
          { width: 12 },
        ),
        lines(
          'Not taken by Kafka, or by another balancer’s term',
          'Commands Kafka did not take are repeated. Superseded: another operator had taken over.',
          'per second',
          [
            series('not taken', `sum(${rate('flashsale_balancer_publish_failures_total', OF_SALE)})`),
            series('superseded', `sum(${rate('flashsale_balancer_superseded_total', OF_SALE)})`),
          ],
          { width: 12 },
        ),
      ],
    },
    {
      title: 'Transfers',
      panels: [
        lines(
          'In flight, by destination',
          'Stock on its way counts as its destination’s, so that nothing is asked for twice.',
          'units',
          [series('{{peer}}', `sum by (peer) (${told('flashsale_balancer_in_flight_units')})`)],
        ),
        lines('Transfers sent', 'By sender. The pool passes on all of them.', 'per second', [
          series('{{id}}', podRate('flashsale_shard_transfers_sent_total')),
        ]),
        lines(
          'Transfers sent again',
          'Nobody reported them for a second. A few after a restart are nothing unusual.',
          'per second',
          [series('{{id}}', podRate('flashsale_shard_transfers_resent_total'))],
        ),
        lines(
          'A command takes a shard',
          'From reading it to its transfers being handed to Kafka.',
          'seconds',
          percentiles('flashsale_shard_command_seconds', OF_PODS, [0.5, 0.99]),
          { width: 12 },
        ),
        lines(
          'A transfer takes its receiver',
          'From reading it to its being applied.',
          'seconds',
          percentiles('flashsale_shard_transfer_seconds', OF_PODS, [0.5, 0.99]),
          { width: 12 },
        ),
      ],
    },
    {
      title: 'Reports',
      panels: [
        lines(
          'Silence of shards',
          'Time since each was last heard of. Left out of balancing after five seconds.',
          'seconds',
          [series('{{peer}}', `max by (peer) (${told('flashsale_balancer_report_age_seconds')})`)],
        ),
        lines('Reports', 'Deltas that Kafka has, by shard.', 'per second', [
          series('{{id}}', podRate('flashsale_shard_reports_total')),
        ]),
        lines(
          'Reports dropped, or not adding up',
          'Dropped: old, or of another life of the sale. Not adding up: a fault; run an audit.',
          'count',
          [
            series('dropped', `max(${told('flashsale_balancer_reports_dropped')})`),
            series('not adding up', `max(${told('flashsale_balancer_reports_disagreeing')})`),
          ],
        ),
      ],
    },
  ],
};
