// Relays the outbox of a shard that serves orders: the events of orders, which the shard wrote in the transactions that
// changed the orders, go to the topic `orders` for the merchant. Also cancels orders that were not paid in time.

import { orderCloudEvent, type SaleNames } from '../protocol/order-event.ts';
import type { Millis, Version } from '../protocol/units.ts';
import type { Bus } from '../runtime/bus.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/log.ts';
import { type Loop, startLoop } from '../runtime/loop.ts';
import type { AgentShard, ShardState } from '../stores/shard/shard.ts';
import type { StockHolderMetrics } from './metrics.ts';

const RELAY: Millis = 50;
const EVENTS_AT_ONCE = 500;
const OVERDUE: Millis = 200;
const ORDERS_AT_ONCE = 200;

/**
 * Relays events at least once, in the order of versions (R10, R11): the durable cursor moves only after the queue has
 * them.
 */
export function relayOutbox(
  shard: AgentShard,
  sale: SaleNames,
  bus: Bus,
  state: () => ShardState | undefined,
  metrics: StockHolderMetrics,
  clock: Clock,
  log: Logger,
): Loop {
  /** The shard's version at which nothing was left to relay. */
  let done: Version | undefined;
  const relay = async () => {
    const version = state()?.version;
    if (version === undefined || version === done || state()?.incarnation === undefined) return false;
    const events = await shard.orderEvents(EVENTS_AT_ONCE);
    const last = events.at(-1);
    if (!last) {
      done = version;
      return false;
    }
    const sent = await bus.publish(
      'orders',
      events.map((event) => ({ key: event.order, value: orderCloudEvent(event, sale) })),
    );
    if (!sent) throw new Error('Kafka did not take the order events');
    await shard.relayed(last.version);
    metrics.events(events.length);
    // A batch that is not full may fill meanwhile: a request to the queue costs as much as dozens of events.
    return events.length === EVENTS_AT_ONCE;
  };
  return startLoop(clock, 'order events', RELAY, log, relay, metrics.loopFailed);
}

/** Cancels placed orders whose payment deadline has passed, by the shard's own clock. */
export function cancelOverdue(shard: AgentShard, metrics: StockHolderMetrics, clock: Clock, log: Logger): Loop {
  const cancel = async () => {
    const cancelled = await shard.cancelOverdue(ORDERS_AT_ONCE);
    metrics.overdue(cancelled);
    return cancelled === ORDERS_AT_ONCE;
  };
  return startLoop(clock, 'overdue orders', OVERDUE, log, cancel, metrics.loopFailed);
}
