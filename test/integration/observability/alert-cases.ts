// What fires each alert, and what looks like it and must not. One entry an alert; the test beside this holds that every
// alert has one.

import type { Firing, Series } from './promtool.ts';

interface Case {
  /** A sentence's end: "fires when …", "is silent when …". */
  when: string;
  series: Series;
  /** Minutes after the start. */
  at: number;
}

export interface AlertCases {
  fires: (Case & { firing: Firing[] })[];
  silent: Case[];
}

const SALE = { namespace: 'shop', sale: 'phone' };
const labelled = (name: string, labels: Record<string, string>) =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(', ')}}`;

/** A series of a pod of the sale. */
const pod = (name: string, labels: Record<string, string> = {}) =>
  labelled(name, { job: 'flashsale', ...SALE, ...labels });
/** A series that the operator tells of the sale. */
const told = (name: string, labels: Record<string, string> = {}) =>
  labelled(name, {
    job: 'flashsale-operator',
    namespace: 'flashsale-system',
    sale_namespace: SALE.namespace,
    sale: SALE.sale,
    ...labels,
  });
const operator = (name: string, labels: Record<string, string> = {}) =>
  labelled(name, { job: 'flashsale-operator', namespace: 'flashsale-system', ...labels });

const always = (value: number) => `${value}x60`;
/** A counter that grows by so much every ten seconds. */
const growing = (by: number) => `0+${by}x60`;

const firing = (labels: Record<string, string>, summary: string): Firing => ({
  labels: { ...SALE, ...labels },
  summary,
});
const EXPECTED = { sale_namespace: SALE.namespace };

const storefrontUp = (name: string, up: string) => ({ [pod('up', { component: 'storefront', pod: name })]: up });
const sold = (id: string, values: Record<'available' | 'in_flight' | 'sold' | 'cancelled', string>) =>
  Object.fromEntries(
    Object.entries(values).map(([what, value]) => [pod(`flashsale_shard_${what}_units`, { id, pod: id }), value]),
  );
const supplied = (units: number) => ({ [pod('flashsale_sale_supplied_units', { id: 'pool' })]: always(units) });
const publishing = (outcome: 'sent' | 'failed', values: string) => ({
  [pod('flashsale_bus_published_total', { id: 's0', topic: 'deltas', outcome })]: values,
});

export const ALERTS: Record<string, AlertCases> = {
  FlashSaleNotReady: {
    fires: [
      {
        when: 'an open sale is not ready for a minute',
        series: { [told('flashsale_sale_stock')]: always(100), [told('flashsale_sale_ready')]: '1x5 0x60' },
        at: 3,
        firing: [firing({ ...EXPECTED, severity: 'critical' }, 'Sale shop/phone is not ready and should be.')],
      },
      {
        when: 'the sale opens in five minutes and is not ready',
        series: {
          [told('flashsale_sale_stock')]: always(100),
          [told('flashsale_sale_ready')]: always(0),
          [told('flashsale_sale_opens_timestamp_seconds')]: always(420),
        },
        at: 2,
        firing: [firing({ ...EXPECTED, severity: 'critical' }, 'Sale shop/phone is not ready and should be.')],
      },
    ],
    silent: [
      {
        when: 'the sale opens in an hour',
        series: {
          [told('flashsale_sale_stock')]: always(100),
          [told('flashsale_sale_ready')]: always(0),
          [told('flashsale_sale_opens_timestamp_seconds')]: always(3600),
        },
        at: 5,
      },
      {
        when: 'the sale is over',
        series: {
          [told('flashsale_sale_stock')]: always(100),
          [told('flashsale_sale_ready')]: always(0),
          [told('flashsale_sale_closes_timestamp_seconds')]: always(30),
        },
        at: 5,
      },
      {
        when: 'it is ready again at once',
        series: { [told('flashsale_sale_stock')]: always(100), [told('flashsale_sale_ready')]: '1x5 0x2 1x60' },
        at: 2,
      },
    ],
  },

  FlashSaleNoStorefront: {
    fires: [
      {
        when: 'no storefront answers',
        series: {
          [told('flashsale_sale_stock')]: always(100),
          ...storefrontUp('a', '1x6 0x60'),
          ...storefrontUp('b', '1x6 0x60'),
        },
        at: 3,
        firing: [firing({ ...EXPECTED, severity: 'critical' }, 'Sale shop/phone has no storefront that answers.')],
      },
      {
        when: 'there is no storefront, but other parts are',
        series: {
          [told('flashsale_sale_stock')]: always(100),
          [pod('up', { component: 'cache', pod: 'phone-cache-0' })]: always(1),
        },
        at: 3,
        firing: [firing({ ...EXPECTED, severity: 'critical' }, 'Sale shop/phone has no storefront that answers.')],
      },
    ],
    silent: [
      {
        when: 'one of two answers',
        series: {
          [told('flashsale_sale_stock')]: always(100),
          ...storefrontUp('a', always(0)),
          ...storefrontUp('b', always(1)),
        },
        at: 5,
      },
      {
        when: 'nobody reads the metrics of pods at all',
        series: { [told('flashsale_sale_stock')]: always(100) },
        at: 5,
      },
    ],
  },

  FlashSaleUnavailable: {
    fires: [
      {
        when: 'every tenth purchase is answered unavailable',
        series: {
          [pod('flashsale_storefront_purchases_total', { outcome: 'fresh' })]: growing(900),
          [pod('flashsale_storefront_purchases_total', { outcome: 'unavailable' })]: growing(100),
          [pod('flashsale_storefront_checkouts_total', { outcome: 'unavailable' })]: growing(0),
        },
        at: 4,
        firing: [
          firing({ severity: 'critical' }, 'Sale shop/phone answers 10% of its buyers that it is not available.'),
        ],
      },
    ],
    silent: [
      {
        when: 'one in a hundred is',
        series: {
          [pod('flashsale_storefront_purchases_total', { outcome: 'fresh' })]: growing(990),
          [pod('flashsale_storefront_purchases_total', { outcome: 'unavailable' })]: growing(10),
          [pod('flashsale_storefront_checkouts_total', { outcome: 'unavailable' })]: growing(0),
        },
        at: 4,
      },
      {
        when: 'nobody comes',
        series: {
          [pod('flashsale_storefront_purchases_total', { outcome: 'unavailable' })]: always(3),
          [pod('flashsale_storefront_checkouts_total', { outcome: 'unavailable' })]: always(0),
        },
        at: 4,
      },
    ],
  },

  FlashSaleFalseSoldOut: {
    fires: [
      {
        when: 'buyers are told sold out while a node holds 500 units',
        series: {
          [pod('flashsale_storefront_purchases_total', { outcome: 'sold-out' })]: growing(5),
          [pod('flashsale_cache_virtual_units', { id: 'c0' })]: always(500),
        },
        at: 5,
        firing: [firing({ severity: 'critical' }, 'Sale shop/phone tells buyers that it is sold out while it is not.')],
      },
    ],
    silent: [
      {
        when: 'it is sold out but for a few units, fewer than some ask for',
        series: {
          [pod('flashsale_storefront_purchases_total', { outcome: 'sold-out' })]: growing(5),
          [pod('flashsale_cache_virtual_units', { id: 'c0' })]: always(3),
        },
        at: 5,
      },
      {
        when: 'it was restocked after it had been sold out',
        series: {
          [pod('flashsale_storefront_purchases_total', { outcome: 'sold-out' })]: '0+5x12 60x60',
          [pod('flashsale_cache_virtual_units', { id: 'c0' })]: '0x12 500x60',
        },
        at: 5,
      },
    ],
  },

  FlashSaleShortage: {
    fires: [
      {
        when: 'checkouts are answered shortage for minutes',
        series: { [pod('flashsale_storefront_checkouts_total', { outcome: 'shortage' })]: growing(3) },
        at: 4,
        firing: [firing({ severity: 'warning' }, 'Checkouts of sale shop/phone wait for stock that is elsewhere.')],
      },
    ],
    silent: [
      {
        when: 'a few were, once',
        series: { [pod('flashsale_storefront_checkouts_total', { outcome: 'shortage' })]: '0x6 4x60' },
        at: 4,
      },
    ],
  },

  FlashSaleBuyersWait: {
    fires: [
      {
        when: 'purchases take up to two seconds',
        series: {
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '1' })]: growing(50),
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '2' })]: growing(100),
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '+Inf' })]: growing(100),
        },
        at: 4,
        firing: [
          firing(
            { severity: 'warning', operation: 'purchase' },
            'One in a hundred purchases of sale shop/phone takes longer than 1.98s.',
          ),
        ],
      },
      {
        when: 'checkouts take up to two seconds',
        series: {
          [pod('flashsale_storefront_checkout_seconds_bucket', { le: '1' })]: growing(50),
          [pod('flashsale_storefront_checkout_seconds_bucket', { le: '2' })]: growing(100),
          [pod('flashsale_storefront_checkout_seconds_bucket', { le: '+Inf' })]: growing(100),
        },
        at: 4,
        firing: [
          firing(
            { severity: 'warning', operation: 'checkout' },
            'One in a hundred checkouts of sale shop/phone takes longer than 1.98s.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'only one in a thousand purchases is slow',
        series: {
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '0.1' })]: growing(999),
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '2' })]: growing(1000),
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '+Inf' })]: growing(1000),
        },
        at: 4,
      },
      {
        when: 'nobody comes any more',
        series: {
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '0.1' })]: always(0),
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '2' })]: always(1000),
          [pod('flashsale_storefront_purchase_seconds_bucket', { le: '+Inf' })]: always(1000),
        },
        at: 4,
      },
    ],
  },

  FlashSaleStorefrontSaturated: {
    fires: [
      {
        when: 'the event loop of one storefront is late',
        series: {
          [pod('nodejs_eventloop_lag_p99_seconds', { component: 'storefront', pod: 'a' })]: always(0.4),
          [pod('nodejs_eventloop_lag_p99_seconds', { component: 'storefront', pod: 'b' })]: always(0.02),
        },
        at: 3,
        firing: [firing({ severity: 'warning', pod: 'a' }, 'Storefront a of sale shop/phone cannot keep up.')],
      },
    ],
    silent: [
      {
        when: 'an agent’s is',
        series: { [pod('nodejs_eventloop_lag_p99_seconds', { component: 'shard', pod: 's' })]: always(0.4) },
        at: 3,
      },
    ],
  },

  FlashSaleWebhookFailing: {
    fires: [
      {
        when: 'risk checks fail for minutes',
        series: { [pod('flashsale_storefront_webhook_failures_total')]: growing(2) },
        at: 4,
        firing: [firing({ severity: 'critical' }, 'The risk check of sale shop/phone does not answer.')],
      },
    ],
    silent: [
      {
        when: 'one failed',
        series: { [pod('flashsale_storefront_webhook_failures_total')]: '0x6 1x60' },
        at: 3,
      },
    ],
  },

  FlashSaleRefundDue: {
    fires: [
      {
        when: 'a payment came too late',
        series: { [pod('flashsale_storefront_orders_total', { outcome: 'refund-due' })]: '0x6 1x60' },
        at: 5,
        firing: [firing({ severity: 'warning' }, 'Sale shop/phone took payments that are due back.')],
      },
    ],
    silent: [
      {
        when: 'payments are in time',
        series: {
          [pod('flashsale_storefront_orders_total', { outcome: 'refund-due' })]: always(0),
          [pod('flashsale_storefront_orders_total', { outcome: 'paid' })]: growing(9),
        },
        at: 5,
      },
    ],
  },

  FlashSaleCacheNodeOff: {
    fires: [
      {
        when: 'one of two nodes is off for more than half a minute',
        series: {
          [pod('flashsale_cache_enabled', { id: 'c0' })]: '1x6 0x60',
          [pod('flashsale_cache_enabled', { id: 'c1' })]: always(1),
        },
        at: 3,
        firing: [firing({ severity: 'critical', id: 'c0' }, 'Cache node c0 of sale shop/phone admits nobody.')],
      },
      {
        when: 'its Redis does not answer its agent',
        series: {
          [pod('flashsale_cache_enabled', { id: 'c0' })]: '1x60',
          [pod('flashsale_cache_loop_failures_total', { id: 'c0', loop: 'attend' })]: '0x6 0+10x60',
        },
        at: 3,
        firing: [firing({ severity: 'critical', id: 'c0' }, 'Cache node c0 of sale shop/phone admits nobody.')],
      },
    ],
    silent: [
      {
        when: 'its Redis was restarted',
        series: {
          [pod('flashsale_cache_enabled', { id: 'c0' })]: '1x60',
          [pod('flashsale_cache_loop_failures_total', { id: 'c0', loop: 'attend' })]: '0x6 3x60',
        },
        at: 1.5,
      },
      {
        when: 'it recovers within seconds',
        series: { [pod('flashsale_cache_enabled', { id: 'c0' })]: '1x6 0x1 1x60' },
        at: 1.5,
      },
    ],
  },

  FlashSaleCacheNodeFlapping: {
    fires: [
      {
        when: 'a node is rebuilt every minute',
        series: { [pod('flashsale_cache_recoveries_total', { id: 'c0', reason: 'empty' })]: '1x6 2x6 3x6 4x6 5x60' },
        at: 8,
        firing: [
          firing({ severity: 'warning', id: 'c0' }, 'Cache node c0 of sale shop/phone is rebuilt again and again.'),
        ],
      },
    ],
    silent: [
      {
        when: 'it was rebuilt once',
        series: { [pod('flashsale_cache_recoveries_total', { id: 'c0', reason: 'empty' })]: '0x6 1x60' },
        at: 8,
      },
    ],
  },

  FlashSaleTokenExpiryStuck: {
    fires: [
      {
        when: 'the oldest due token waits longer and longer',
        series: { [pod('flashsale_cache_expiry_lag_seconds', { id: 'c0' })]: growing(10) },
        at: 6,
        firing: [
          firing(
            { severity: 'warning', id: 'c0' },
            'Tokens of cache node c0 of sale shop/phone do not end when they are due.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'thousands of tokens take some seconds',
        series: { [pod('flashsale_cache_expiry_lag_seconds', { id: 'c0' })]: always(4) },
        at: 6,
      },
    ],
  },

  FlashSaleShardUnreachable: {
    fires: [
      {
        when: 'calls of a shard fail for minutes',
        series: { [pod('flashsale_storefront_store_errors_total', { store: 'shard' })]: growing(2) },
        at: 4,
        firing: [firing({ severity: 'critical' }, 'Storefronts of sale shop/phone get no answer from a shard.')],
      },
    ],
    silent: [
      {
        when: 'a shard was restarted',
        series: { [pod('flashsale_storefront_store_errors_total', { store: 'shard' })]: '0x3 5 10 15x60' },
        at: 2.5,
      },
      {
        when: 'another store fails',
        series: { [pod('flashsale_storefront_store_errors_total', { store: 'cache' })]: growing(2) },
        at: 4,
      },
    ],
  },

  FlashSalePoolUnreachable: {
    fires: [
      {
        when: 'refills cannot be asked for, for minutes',
        series: { [pod('flashsale_storefront_store_errors_total', { store: 'pool' })]: growing(2) },
        at: 4,
        firing: [
          firing(
            { severity: 'critical' },
            'Storefronts of sale shop/phone get no answer from the transfer pool’s agent.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'the pool’s agent was restarted',
        series: { [pod('flashsale_storefront_store_errors_total', { store: 'pool' })]: '0x3 5 10 15x60' },
        at: 2.5,
      },
    ],
  },

  FlashSaleAgentDown: {
    fires: [
      {
        when: 'a shard’s agent does not answer for minutes',
        series: { [pod('up', { component: 'shard', pod: 'phone-shard-0' })]: '1x6 0x60' },
        at: 4,
        firing: [
          firing(
            { severity: 'warning', component: 'shard', pod: 'phone-shard-0' },
            'The agent in phone-shard-0 of sale shop/phone does not answer.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'it is restarted',
        series: { [pod('up', { component: 'shard', pod: 'phone-shard-0' })]: '1x6 0x6 1x60' },
        at: 2.5,
      },
      { when: 'a storefront is away', series: storefrontUp('a', always(0)), at: 5 },
    ],
  },

  FlashSaleResizing: {
    fires: [
      {
        when: 'the number of nodes has been changing for a quarter of an hour',
        series: { [pod('flashsale_sale_resizing', { id: 'pool' })]: '1x100' },
        at: 15,
        firing: [
          firing(
            { severity: 'warning' },
            'Sale shop/phone has been changing the number of its cache nodes for ten minutes.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'it took a token’s life',
        series: { [pod('flashsale_sale_resizing', { id: 'pool' })]: '1x12 0x90' },
        at: 11,
      },
    ],
  },

  FlashSaleVolumeNearlyFull: {
    fires: [
      {
        when: 'a shard’s volume has a tenth left',
        series: {
          'kubelet_volume_stats_available_bytes{namespace="shop", persistentvolumeclaim="data-phone-shard-0"}':
            always(1e9),
          'kubelet_volume_stats_capacity_bytes{namespace="shop", persistentvolumeclaim="data-phone-shard-0"}':
            always(1e10),
        },
        at: 3,
        firing: [
          {
            labels: { namespace: 'shop', persistentvolumeclaim: 'data-phone-shard-0', severity: 'warning' },
            summary: 'Volume data-phone-shard-0 in shop has 10% left.',
          },
        ],
      },
      {
        when: 'next to nothing is left',
        series: {
          'kubelet_volume_stats_available_bytes{namespace="shop", persistentvolumeclaim="data-phone-shard-0"}':
            always(1e8),
          'kubelet_volume_stats_capacity_bytes{namespace="shop", persistentvolumeclaim="data-phone-shard-0"}':
            always(1e10),
        },
        at: 3,
        firing: ['warning', 'critical'].map((severity) => ({
          labels: { namespace: 'shop', persistentvolumeclaim: 'data-phone-shard-0', severity },
          summary: 'Volume data-phone-shard-0 in shop has 1% left.',
        })),
      },
    ],
    silent: [
      {
        when: 'somebody else’s volume is full',
        series: {
          'kubelet_volume_stats_available_bytes{namespace="shop", persistentvolumeclaim="blog"}': always(0),
          'kubelet_volume_stats_capacity_bytes{namespace="shop", persistentvolumeclaim="blog"}': always(1e10),
        },
        at: 3,
      },
    ],
  },

  FlashSaleKafkaUnreachable: {
    fires: [
      {
        when: 'nothing is sent any more and everything fails',
        series: { ...publishing('sent', '0+9x6 54x60'), ...publishing('failed', '0x6 0+9x60') },
        at: 5,
        firing: [firing({ severity: 'critical' }, 'No part of sale shop/phone reaches Kafka.')],
      },
    ],
    silent: [
      {
        when: 'one message of many failed',
        series: { ...publishing('sent', growing(9)), ...publishing('failed', growing(1)) },
        at: 5,
      },
      {
        when: 'a broker was restarted',
        series: { ...publishing('sent', '0+9x6 54x2 54+9x60'), ...publishing('failed', '0x6 9 18x60') },
        at: 2,
      },
    ],
  },

  FlashSaleReportsLag: {
    fires: [
      {
        when: 'an agent hangs with versions it has not reported',
        series: {
          [pod('flashsale_shard_report_lag_versions', { id: 's0' })]: always(70),
          [pod('flashsale_shard_reports_total', { id: 's0' })]: always(900),
          ...publishing('sent', growing(9)),
        },
        at: 4,
        firing: [
          firing(
            { severity: 'warning', id: 's0' },
            'The agent of s0 of sale shop/phone does not report what its shard sold.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'it sells so fast that something is always unreported',
        series: {
          [pod('flashsale_shard_report_lag_versions', { id: 's0' })]: always(70),
          [pod('flashsale_shard_reports_total', { id: 's0' })]: growing(90),
        },
        at: 4,
      },
      {
        when: 'Kafka is away, of which another alert tells',
        series: {
          [pod('flashsale_shard_report_lag_versions', { id: 's0' })]: always(70),
          [pod('flashsale_shard_reports_total', { id: 's0' })]: always(900),
          ...publishing('failed', growing(9)),
        },
        at: 4,
      },
    ],
  },

  FlashSaleShardSilent: {
    fires: [
      {
        when: 'one shard has not been heard of for longer and longer',
        series: {
          [told('flashsale_balancer_report_age_seconds', { peer: 's0' })]: growing(10),
          [told('flashsale_balancer_report_age_seconds', { peer: 's1' })]: always(1),
        },
        at: 3,
        firing: [
          firing(
            { ...EXPECTED, severity: 'warning', peer: 's0' },
            'The balancer has not heard of s0 of sale shop/phone for 3m 0s.',
          ),
        ],
      },
    ],
    silent: [
      {
        when: 'reports come every second',
        series: { [told('flashsale_balancer_report_age_seconds', { peer: 's0' })]: always(1) },
        at: 3,
      },
    ],
  },

  FlashSaleUnitsInFlight: {
    fires: [
      {
        when: 'the same transfers are sent again and again',
        series: {
          [pod('flashsale_shard_in_flight_units', { id: 's0' })]: always(40),
          [pod('flashsale_shard_transfers_resent_total', { id: 's0' })]: growing(10),
        },
        at: 4,
        firing: [firing({ severity: 'warning' }, '40 units of sale shop/phone are on their way and do not arrive.')],
      },
    ],
    silent: [
      {
        when: 'a busy balancer always has something on its way',
        series: {
          [pod('flashsale_shard_in_flight_units', { id: 's0' })]: always(40),
          [pod('flashsale_shard_transfers_resent_total', { id: 's0' })]: always(2),
        },
        at: 4,
      },
    ],
  },

  FlashSaleConservationBroken: {
    fires: [
      {
        when: 'five units are nowhere',
        series: {
          ...supplied(100),
          ...sold('s0', { available: always(50), in_flight: always(0), sold: always(30), cancelled: always(0) }),
          ...sold('pool', { available: always(15), in_flight: always(0), sold: always(0), cancelled: always(0) }),
        },
        at: 8,
        firing: [
          firing({ severity: 'critical' }, '5 units of sale shop/phone are missing (more than 0) or too many (less).'),
        ],
      },
    ],
    silent: [
      {
        when: 'everything is sold, cancelled, on its way or there',
        series: {
          ...supplied(100),
          ...sold('s0', { available: always(50), in_flight: always(5), sold: always(40), cancelled: always(10) }),
          ...sold('pool', { available: always(15), in_flight: always(0), sold: always(0), cancelled: always(0) }),
        },
        at: 8,
      },
      {
        when: 'stock on its way is counted twice for a moment now and then',
        series: {
          ...supplied(100),
          ...sold('s0', {
            available: always(50),
            in_flight: '5 0 5 0 0x5 5 5 0x5 5 0x60',
            sold: always(50),
            cancelled: always(0),
          }),
        },
        at: 8,
      },
      {
        when: 'a shard’s agent is away, so that its stock cannot be read',
        series: {
          ...supplied(100),
          ...sold('s0', { available: always(60), in_flight: always(0), sold: always(0), cancelled: always(0) }),
          ...sold('s1', {
            available: '40x12 stale',
            in_flight: '0x12 stale',
            sold: '0x12 stale',
            cancelled: '0x12 stale',
          }),
        },
        at: 9,
      },
    ],
  },

  FlashSaleOversold: {
    fires: [
      {
        when: 'more is ordered than was supplied',
        series: {
          ...supplied(100),
          ...sold('s0', { available: always(0), in_flight: always(0), sold: always(103), cancelled: always(1) }),
        },
        at: 3,
        firing: [
          firing({ severity: 'critical' }, 'Sale shop/phone has 102 units in live orders, more than were supplied.'),
        ],
      },
    ],
    silent: [
      {
        when: 'cancelled units were sold again',
        series: {
          ...supplied(100),
          ...sold('s0', { available: always(0), in_flight: always(0), sold: always(103), cancelled: always(3) }),
        },
        at: 3,
      },
    ],
  },

  FlashSaleReportsDisagree: {
    fires: [
      {
        when: 'a report’s change and result do not fit together',
        series: { [told('flashsale_balancer_reports_disagreeing')]: '0x6 1x60' },
        at: 3,
        firing: [firing({ ...EXPECTED, severity: 'critical' }, 'Reports of shards of sale shop/phone do not add up.')],
      },
    ],
    silent: [{ when: 'they all do', series: { [told('flashsale_balancer_reports_disagreeing')]: always(0) }, at: 3 }],
  },

  FlashSaleOperatorNoLeader: {
    fires: [
      {
        when: 'two operators run and neither leads',
        series: {
          [operator('flashsale_operator_leader', { pod: 'a' })]: '1x6 0x60',
          [operator('flashsale_operator_leader', { pod: 'b' })]: always(0),
        },
        at: 3,
        firing: [{ labels: { namespace: 'flashsale-system', severity: 'critical' }, summary: 'No operator leads.' }],
      },
      {
        when: 'there is no operator',
        series: { 'some_other_series{}': always(1) },
        at: 3,
        firing: [{ labels: { severity: 'critical' }, summary: 'No operator leads.' }],
      },
    ],
    silent: [
      {
        when: 'another one took over',
        series: {
          [operator('flashsale_operator_leader', { pod: 'a' })]: '1x6 0x60',
          [operator('flashsale_operator_leader', { pod: 'b' })]: '0x7 1x60',
        },
        at: 3,
      },
    ],
  },

  FlashSaleOperatorReconcileFailing: {
    fires: [
      {
        when: 'some sale fails each time',
        series: { [operator('flashsale_operator_reconcile_total', { outcome: 'failed' })]: '0+1x120' },
        at: 15,
        firing: [
          {
            labels: { namespace: 'flashsale-system', severity: 'warning' },
            summary: 'The operator has been failing to bring sales to what they should be for ten minutes.',
          },
        ],
      },
    ],
    silent: [
      {
        when: 'the API server was away for a minute',
        series: { [operator('flashsale_operator_reconcile_total', { outcome: 'failed' })]: '0+1x6 6x120' },
        at: 12,
      },
    ],
  },

  FlashSaleOperatorBehind: {
    fires: [
      {
        when: 'a hundred sales wait for minutes',
        series: { [operator('flashsale_operator_queue_length', { pod: 'a' })]: '100x120' },
        at: 12,
        firing: [
          {
            labels: { namespace: 'flashsale-system', severity: 'warning' },
            summary: '100 sales wait for the operator.',
          },
        ],
      },
    ],
    silent: [
      {
        when: 'a hundred came at once and were done',
        series: { [operator('flashsale_operator_queue_length', { pod: 'a' })]: '100x6 0x120' },
        at: 12,
      },
    ],
  },

  FlashSaleDegraded: {
    fires: [
      {
        when: 'the condition has been true for a while',
        series: { [told('flashsale_sale_condition', { type: 'Degraded', status: 'True' })]: '0x6 1x60' },
        at: 8,
        firing: [
          firing({ ...EXPECTED, severity: 'warning' }, 'A part of sale shop/phone has been down for five minutes.'),
        ],
      },
    ],
    silent: [
      {
        when: 'the sale is progressing, and nothing is down',
        series: {
          [told('flashsale_sale_condition', { type: 'Degraded', status: 'True' })]: always(0),
          [told('flashsale_sale_condition', { type: 'Degraded', status: 'False' })]: always(1),
          [told('flashsale_sale_condition', { type: 'Progressing', status: 'True' })]: always(1),
        },
        at: 8,
      },
    ],
  },
};
