// "Sale": one sale at a glance, for the person on call. From top to bottom: is it all right, is it selling, where is the
// stock, what becomes of tokens, how long do buyers wait, who is refused and why, what is near its limit, and is every
// unit accounted for.

import {
  areas,
  type Dashboard,
  DISPERSION,
  lines,
  number,
  OF_PODS,
  OF_SALE,
  occurring,
  percentiles,
  rate,
  series,
} from './description.ts';

const sum = (metric: string, more = '') => `sum(${metric}{${OF_PODS}${more && `, ${more}`}})`;
const sumBy = (label: string, metric: string, more = '') =>
  `sum by (${label}) (${metric}{${OF_PODS}${more && `, ${more}`}})`;
const sumRate = (metric: string, more = '') => `sum(${rate(metric, `${OF_PODS}${more && `, ${more}`}`)})`;
const rateBy = (label: string, metric: string, more = '') =>
  `sum by (${label}) (${rate(metric, `${OF_PODS}${more && `, ${more}`}`)})`;

const PURCHASES = 'flashsale_storefront_purchases_total';
const CHECKOUTS = 'flashsale_storefront_checkouts_total';
const SOLD = `${sum('flashsale_shard_sold_units')} - ${sum('flashsale_shard_cancelled_units')}`;
const SUPPLIED = `max(flashsale_sale_supplied_units{${OF_PODS}})`;
/** Said only while every shard, and the pool, can be read: what one of them holds is not missing because its agent restarts. */
const PEERS = `count(flashsale_shard_available_units{${OF_PODS}})`;
const UNACCOUNTED = `(${SUPPLIED} - sum(flashsale_shard_available_units{${OF_PODS}} + flashsale_shard_in_flight_units{${OF_PODS}} + flashsale_shard_sold_units{${OF_PODS}} - flashsale_shard_cancelled_units{${OF_PODS}})) and ${PEERS} >= max_over_time(${PEERS}[10m:])`;
const UNAVAILABLE = `(${sumRate(PURCHASES, 'outcome="unavailable"')} + ${sumRate(CHECKOUTS, 'outcome="unavailable"')}) / (${sumRate(PURCHASES)} + ${sumRate(CHECKOUTS)} > 0 or vector(1))`;
const p99 = (metric: string) =>
  `histogram_quantile(0.99, sum by (le) (${rate(`${metric}_bucket`, OF_PODS)})) >= 0 or vector(0)`;

export const sale: Dashboard = {
  uid: 'flashsale-sale',
  name: 'sale',
  title: 'Flash sale: Sale',
  about: 'One sale at a glance: is it selling, where is the stock, and is every unit accounted for.',
  ofOneSale: true,
  rows: [
    {
      title: 'At a glance',
      panels: [
        number(
          'Ready',
          'Whether buyers are served, as the resource says.',
          'count',
          `max(flashsale_sale_ready{${OF_SALE}})`,
          {
            words: { 0: 'no', 1: 'yes' },
            limits: [
              { from: 0, is: 'bad' },
              { from: 1, is: 'good' },
            ],
          },
        ),
        number('Sold', 'Units of live orders, less what was cancelled.', 'units', SOLD),
        number('Sold, of what was supplied', '100 % is sold out.', 'share', `(${SOLD}) / ${SUPPLIED}`),
        number(
          'Left to buy',
          'Virtual stock: units on the cache nodes that no token holds. 0 while tokens are live means that more may come back.',
          'units',
          sum('flashsale_cache_virtual_units'),
        ),
        number(
          'Selling now',
          'Checkouts a second that became orders.',
          'per second',
          sumRate(CHECKOUTS, 'outcome="sold"'),
        ),
        number(
          'Live tokens',
          'Units reserved by tokens that were not checked out yet. They are sold, or come back when they expire.',
          'units',
          sum('flashsale_cache_live_units'),
        ),
        number(
          'Purchases: p99',
          'One in a hundred purchases takes longer than this. 0 while nobody comes.',
          'seconds',
          p99('flashsale_storefront_purchase_seconds'),
          {
            limits: [
              { from: 0.25, is: 'warn' },
              { from: 0.5, is: 'bad' },
            ],
          },
        ),
        number(
          'Checkouts: p99',
          'One in a hundred checkouts takes longer than this. 0 while nobody comes.',
          'seconds',
          p99('flashsale_storefront_checkout_seconds'),
          {
            limits: [
              { from: 0.5, is: 'warn' },
              { from: 1, is: 'bad' },
            ],
          },
        ),
        number(
          'Unavailable',
          'Share of answers that asked a buyer to try again because something did not answer.',
          'share',
          UNAVAILABLE,
          {
            limits: [
              { from: 0.001, is: 'warn' },
              { from: 0.02, is: 'bad' },
            ],
          },
        ),
        number(
          'Storefronts',
          'Storefront pods whose metrics can be read.',
          'count',
          `count(up{${OF_PODS}, component="storefront"} == 1) or vector(0)`,
          {
            limits: [
              { from: 0, is: 'bad' },
              { from: 1, is: 'good' },
            ],
          },
        ),
        number(
          'Cache nodes off',
          'Nodes that admit nobody: their buyers cannot purchase.',
          'count',
          `count(max by (id) (flashsale_cache_enabled{${OF_PODS}}) == 0 or sum by (id) (${rate('flashsale_cache_loop_failures_total', `${OF_PODS}, loop="attend"`)}) > 0) or vector(0)`,
          {
            limits: [{ from: 1, is: 'bad' }],
          },
        ),
        number(
          'Unaccounted for',
          'Supplied, less what shards, pool, transfers and orders hold. Other than 0 for a moment while stock moves; for longer: run an audit.',
          'units',
          UNACCOUNTED,
        ),
      ],
    },
    {
      title: 'Selling',
      panels: [
        lines(
          'Sold and supplied',
          'The line of what is sold climbs to that of what was supplied. Supplied follows the target after a restock or a withdrawal.',
          'units',
          [
            series('sold', SOLD),
            series('supplied', SUPPLIED),
            series('should be supplied', `max(flashsale_sale_target_units{${OF_PODS}})`),
          ],
          { width: 12 },
        ),
        lines(
          'Purchases and checkouts',
          'Tokens handed out and orders made. Checkouts that stay behind purchases: buyers hesitate, or something is slow.',
          'per second',
          [
            series('purchases: new token', sumRate(PURCHASES, 'outcome="fresh"')),
            series('purchases: same token again', sumRate(PURCHASES, 'outcome="again"')),
            series('checkouts: sold', sumRate(CHECKOUTS, 'outcome="sold"')),
            series('checkouts: known order', sumRate(CHECKOUTS, 'outcome="known"')),
          ],
          { width: 12 },
        ),
      ],
    },
    {
      title: 'Stock',
      panels: [
        areas(
          'Virtual stock by cache node',
          'What the buyers of each node can still take. One that is empty is refilled from the others when asked.',
          'units',
          [series('{{id}}', sumBy('id', 'flashsale_cache_virtual_units'))],
        ),
        areas(
          'Real stock by shard',
          'What each shard, and the pool, could still sell. The balancer keeps the shards even; the pool holds what is on its way.',
          'units',
          [series('{{id}}', sumBy('id', 'flashsale_shard_available_units'))],
        ),
        lines('Live tokens by cache node', 'Units reserved on each node.', 'units', [
          series('{{id}}', sumBy('id', 'flashsale_cache_live_units')),
        ]),
        lines(
          'In flight, by sender',
          'Units that left and that the next has not reported. Spikes are transfers; a line that stays is stock out of reach.',
          'units',
          [series('{{id}}', sumBy('id', 'flashsale_shard_in_flight_units'))],
        ),
        lines(
          'Dispersion of the shards',
          'Standard deviation by mean: 0 is even. Not shown when fewer than ten units are left in a shard on average: they cannot lie evenly.',
          'share',
          [series('coefficient of variation', DISPERSION)],
        ),
      ],
    },
    {
      title: 'Tokens',
      panels: [
        lines(
          'What becomes of tokens',
          'Issued tokens are sold at checkout, or end by themselves and give their units back.',
          'per second',
          [
            series('issued', sumRate(PURCHASES, 'outcome="fresh"')),
            series('sold', sumRate(CHECKOUTS, 'outcome="sold"')),
            series('expired, units returned', sumRate('flashsale_cache_expired_tokens_total', 'as="returned"')),
            series('expired, but had been sold', sumRate('flashsale_cache_expired_tokens_total', 'as="settled"')),
          ],
        ),
        lines('Tokens that wait for their end', 'Due, and not confirmed by the shard that they name.', 'count', [
          series('{{id}}', sumBy('id', 'flashsale_cache_expiry_waiting_tokens')),
        ]),
        lines('How long the oldest has been due', 'More than seconds: a shard does not answer.', 'seconds', [
          series('{{id}}', `max by (id) (flashsale_cache_expiry_lag_seconds{${OF_PODS}})`),
        ]),
        lines(
          'From an order to its node',
          'How long until the cache node knows that a token was sold.',
          'seconds',
          percentiles('flashsale_storefront_settle_lag_seconds', OF_PODS, [0.5, 0.99]),
        ),
        lines('Refills', 'Storefronts whose node ran empty asked the pool for stock of other nodes.', 'per second', [
          series('{{outcome}}', rateBy('outcome', 'flashsale_storefront_refills_total')),
        ]),
        lines(
          'Virtual stock moved',
          'Units that went from one node to another, were withdrawn, or came back from cancelled orders.',
          'per second',
          [
            series('moved', sumRate('flashsale_pool_moved_units_total')),
            series('withdrawn', sumRate('flashsale_pool_withdrawn_units_total')),
            series('cancelled, on sale again', sumRate('flashsale_pool_credited_units_total')),
          ],
        ),
      ],
    },
    {
      title: 'Waiting',
      panels: [
        lines(
          'Purchases take',
          'From a purchase’s body to its answer. p99: one in a hundred takes longer.',
          'seconds',
          percentiles('flashsale_storefront_purchase_seconds', OF_PODS),
          { width: 12 },
        ),
        lines(
          'Checkouts take',
          'From a checkout’s body to its answer; a checkout waits for its batch.',
          'seconds',
          percentiles('flashsale_storefront_checkout_seconds', OF_PODS),
          { width: 12 },
        ),
        lines(
          'How long a batch holds a shard',
          'One connection of each storefront to each shard is all that checkouts use. Long: PostgreSQL waits for its disk.',
          'seconds',
          percentiles('flashsale_storefront_connection_held_seconds', OF_PODS, [0.5, 0.99]),
        ),
        lines('Checkouts in a batch', 'Large batches are how a shard keeps up with a crowd.', 'count', [
          series(
            'mean',
            `${sumRate('flashsale_storefront_batch_rows_sum')} / ${sumRate('flashsale_storefront_batch_rows_count')}`,
          ),
          ...percentiles('flashsale_storefront_batch_rows', OF_PODS, [0.99]),
        ]),
        lines('Checkouts that queue for a shard', 'Grows when a shard is slower than its buyers.', 'count', [
          series('{{shard}}', sumBy('shard', 'flashsale_storefront_queued_checkouts')),
        ]),
      ],
    },
    {
      title: 'Refusals',
      panels: [
        areas(
          'Told sold out',
          'Buyers who came too late, and those who ask again while tokens are live. High and normal once everything is sold.',
          'per second',
          [series('sold out', sumRate(PURCHASES, 'outcome="sold-out"'))],
          { width: 8 },
        ),
        areas(
          'Purchases, refused for other reasons',
          'By reason; docs/errors.md has a section for each.',
          'per second',
          [series('{{outcome}}', occurring('outcome', PURCHASES, `${OF_PODS}, outcome!~"fresh|again|sold-out"`))],
          { width: 8 },
        ),
        areas(
          'Checkouts, refused',
          'By reason; docs/errors.md has a section for each.',
          'per second',
          [series('{{outcome}}', occurring('outcome', CHECKOUTS, `${OF_PODS}, outcome!~"sold|known"`))],
          { width: 8 },
        ),
        lines('Orders', 'Payments, cancellations and looks at orders, by outcome.', 'per second', [
          series('{{outcome}}', occurring('outcome', 'flashsale_storefront_orders_total', OF_PODS)),
          series('overdue, cancelled', sumRate('flashsale_shard_overdue_orders_total')),
        ]),
        lines(
          'Stores that did not answer',
          'Calls of storefronts without an answer. Nothing was lost by it; somebody was told to try again.',
          'per second',
          [series('{{store}}', rateBy('store', 'flashsale_storefront_store_errors_total'))],
        ),
        lines(
          'Said again',
          'Risk checks without an answer, and batches sent again because a shard did not answer.',
          'per second',
          [
            series('risk checks', sumRate('flashsale_storefront_webhook_failures_total')),
            series('checkouts sent again', sumRate('flashsale_storefront_resent_checkouts_total')),
            series('sold tokens left to expiry', sumRate('flashsale_storefront_settles_dropped_total')),
          ],
        ),
      ],
    },
    {
      title: 'Saturation',
      panels: [
        lines(
          'Event-loop lag (p99)',
          'How late a pod’s one thread is. Storefronts above 0.1 s need company.',
          'seconds',
          [series('{{pod}}', `max by (pod) (nodejs_eventloop_lag_p99_seconds{${OF_PODS}})`)],
        ),
        lines('CPU', 'Of storefronts and agents. A storefront can use one core.', 'cores', [
          series('{{pod}}', `sum by (pod) (${rate('process_cpu_seconds_total', OF_PODS)})`),
        ]),
        lines('Memory', 'Of storefronts and agents.', 'bytes', [
          series('{{pod}}', `sum by (pod) (process_resident_memory_bytes{${OF_PODS}})`),
        ]),
        lines(
          'CPU of Redis and PostgreSQL',
          'As the kubelet measures it.',
          'cores',
          [
            series(
              '{{pod}}',
              `sum by (pod) (${rate('container_cpu_usage_seconds_total', 'namespace="$namespace", pod=~"$sale-(cache|shard|pool)-[0-9]+", container=~"redis|postgres"')})`,
            ),
          ],
          { width: 12 },
        ),
        lines(
          'Room on volumes',
          'Share that is free, as the kubelet measures it. A full volume stops its shard or node.',
          'share',
          [
            series(
              '{{persistentvolumeclaim}}',
              'min by (persistentvolumeclaim) (kubelet_volume_stats_available_bytes{namespace="$namespace", persistentvolumeclaim=~"data-$sale-(cache|shard|pool)-[0-9]+"} / kubelet_volume_stats_capacity_bytes{namespace="$namespace", persistentvolumeclaim=~"data-$sale-(cache|shard|pool)-[0-9]+"})',
            ),
          ],
          { width: 12 },
        ),
      ],
    },
    {
      title: 'Every unit',
      panels: [
        areas('Where every unit is', 'The areas together are what was supplied.', 'units', [
          series('sold', SOLD),
          series('in shards', sum('flashsale_shard_available_units', 'id!="pool"')),
          series('in the pool', sum('flashsale_shard_available_units', 'id="pool"')),
          series('in flight', sum('flashsale_shard_in_flight_units')),
        ]),
        lines(
          'The two ledgers',
          'What the cache nodes think can still be sold (virtual stock and live tokens), and what shards, pool and transfers hold. The same, but for orders that a node has not heard of yet.',
          'units',
          [
            series(
              'by the cache nodes',
              `${sum('flashsale_cache_virtual_units')} + ${sum('flashsale_cache_live_units')}`,
            ),
            series(
              'by the shards',
              `${sum('flashsale_shard_available_units')} + ${sum('flashsale_shard_in_flight_units')} - max(flashsale_sale_owed_units{${OF_PODS}})`,
            ),
          ],
          { width: 12 },
        ),
        lines(
          'Units unaccounted for',
          'Back to 0 between transfers. If it stays: run an audit. A gap: not every shard could be read.',
          'units',
          [series('unaccounted for', UNACCOUNTED)],
          { signed: true },
        ),
        lines(
          'Ledger versions not reported yet',
          'Changes of each shard that neither storefronts nor balancer know of.',
          'count',
          [series('{{id}}', `max by (id) (flashsale_shard_report_lag_versions{${OF_PODS}})`)],
        ),
        lines('Messages to Kafka', 'By whether Kafka has them. What failed is said again.', 'per second', [
          series('{{outcome}}', rateBy('outcome', 'flashsale_bus_published_total')),
        ]),
      ],
    },
  ],
};
