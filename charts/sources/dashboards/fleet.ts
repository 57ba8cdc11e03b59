// "Fleet": all sales of a cluster, and the operator that looks after them. For whoever comes to work and asks how things
// stand.

import { type Dashboard, lines, number, rate, series, table } from './description.ts';

const figure = (name: string) => `max by (sale_namespace, sale) (flashsale_sale_${name})`;
const OPERATOR = 'job="flashsale-operator"';
const operatorRate = (label: string, metric: string) => `sum by (${label}) (${rate(metric, OPERATOR)})`;
const quantile = (share: number, metric: string) =>
  `histogram_quantile(${share}, sum by (le) (${rate(`${metric}_bucket`, OPERATOR)})) >= 0 or vector(0)`;

export const fleet: Dashboard = {
  uid: 'flashsale-fleet',
  name: 'fleet',
  title: 'Flash sale: Fleet',
  about: 'All sales, and the operator that looks after them.',
  ofOneSale: false,
  rows: [
    {
      title: 'At a glance',
      panels: [
        number(
          'Operators that lead',
          'Exactly one should.',
          'count',
          `sum(flashsale_operator_leader{${OPERATOR}}) or vector(0)`,
          {
            limits: [
              { from: 0, is: 'bad' },
              { from: 1, is: 'good' },
              { from: 2, is: 'bad' },
            ],
          },
        ),
        number('Sales', 'FlashSale resources.', 'count', `count(${figure('stock')})`),
        number(
          'Not ready',
          'Sales that do not serve buyers; some of them may not be meant to yet.',
          'count',
          `count(${figure('ready')} == 0) or vector(0)`,
          {
            limits: [{ from: 1, is: 'warn' }],
          },
        ),
        number(
          'Degraded',
          'Sales of which a part is down.',
          'count',
          'count(max by (sale_namespace, sale) (flashsale_sale_condition{type="Degraded", status="True"}) == 1) or vector(0)',
          {
            limits: [{ from: 1, is: 'warn' }],
          },
        ),
        number(
          'Selling now',
          'Orders a second, of all sales.',
          'per second',
          `sum(${rate('flashsale_storefront_checkouts_total', 'outcome="sold"')})`,
        ),
        number(
          'Sales that wait',
          'For the operator to look at them.',
          'count',
          `sum(flashsale_operator_queue_length{${OPERATOR}})`,
          {
            limits: [{ from: 20, is: 'warn' }],
          },
        ),
      ],
    },
    {
      title: 'Sales',
      panels: [
        table('All sales', 'As their resources say. A click on a sale opens its own dashboard.', 'units', [
          series('Ready', figure('ready')),
          series('Stock', figure('stock')),
          series('Supplied', figure('supplied')),
          series('Sold', figure('sold')),
          series('Available', figure('available')),
          series('Left to buy', figure('virtual')),
          series('Live tokens', figure('tokens_live')),
          series('In transfer', figure('in_transfer')),
        ]),
        lines(
          'Orders by sale',
          'The ten that sell most.',
          'per second',
          [
            series(
              '{{namespace}}/{{sale}}',
              `topk(10, sum by (namespace, sale) (${rate('flashsale_storefront_checkouts_total', 'outcome="sold"')}))`,
            ),
          ],
          { width: 12 },
        ),
        lines(
          'Sold, of the stock',
          'Each sale climbs to 100 %.',
          'share',
          [series('{{sale_namespace}}/{{sale}}', `${figure('sold')} / ${figure('stock')}`)],
          { width: 12 },
        ),
        lines(
          'Refused as unavailable, by sale',
          'The ten worst.',
          'per second',
          [
            series(
              '{{namespace}}/{{sale}}',
              `topk(10, sum by (namespace, sale) (${rate('flashsale_storefront_purchases_total', 'outcome="unavailable"')}))`,
            ),
          ],
          { width: 12 },
        ),
        lines(
          'Purchases: p99 by sale',
          'The ten slowest.',
          'seconds',
          [
            series(
              '{{namespace}}/{{sale}}',
              `topk(10, histogram_quantile(0.99, sum by (namespace, sale, le) (${rate('flashsale_storefront_purchase_seconds_bucket', 'role="storefront"')})))`,
            ),
          ],
          { width: 12 },
        ),
      ],
    },
    {
      title: 'Operator',
      panels: [
        lines(
          'Reconciliations',
          'Looks at a sale, by outcome. What failed is tried again, slower each time.',
          'per second',
          [series('{{outcome}}', operatorRate('outcome', 'flashsale_operator_reconcile_total'))],
        ),
        lines('How long a look takes', 'p99 should stay below a second. 0 while there is nothing to do.', 'seconds', [
          series('p50', quantile(0.5, 'flashsale_operator_reconcile_seconds')),
          series('p99', quantile(0.99, 'flashsale_operator_reconcile_seconds')),
        ]),
        lines('Sales that wait', 'Back to 0 soon after a change.', 'count', [
          series('{{pod}}', `sum by (pod) (flashsale_operator_queue_length{${OPERATOR}})`),
        ]),
        lines(
          'Requests to the API server',
          'By answer; 0: none came. Next to none while nothing changes.',
          'per second',
          [series('{{code}}', operatorRate('code', 'flashsale_kube_requests_total'))],
        ),
        lines(
          'Silence of watches',
          'Time since the API server was last heard of, by kind. Bookmarks come every minute.',
          'seconds',
          [series('{{kind}}', `max by (kind) (flashsale_kube_last_event_age_seconds{${OPERATOR}})`)],
        ),
        lines('Who leads', '1: this pod.', 'count', [
          series('{{pod}}', `max by (pod) (flashsale_operator_leader{${OPERATOR}})`),
        ]),
        lines('CPU', 'Of the operator’s pods.', 'cores', [
          series('{{pod}}', operatorRate('pod', 'process_cpu_seconds_total')),
        ]),
        lines('Memory', 'Of the operator’s pods.', 'bytes', [
          series('{{pod}}', `max by (pod) (process_resident_memory_bytes{${OPERATOR}})`),
        ]),
        lines(
          'Event-loop lag (p99)',
          'Of the operator’s pods. Above 0.1 s the balancers of all sales are late.',
          'seconds',
          [series('{{pod}}', `max by (pod) (nodejs_eventloop_lag_p99_seconds{${OPERATOR}})`)],
        ),
      ],
    },
  ],
};
