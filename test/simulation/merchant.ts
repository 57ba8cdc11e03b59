// The merchant, who reads the topic of order events. Whatever happens to agents and to Kafka's answers, each shard's
// history of orders is to reach the topic whole and in the order of its versions (R10, R11). Events may come again.

import { isDeepStrictEqual } from 'node:util';
import { type OrderCloudEvent, orderCloudEvent } from '../../dataplane/protocol/order-event.ts';
import type { ShardId, Version } from '../../dataplane/protocol/units.ts';
import { Violation } from './engine/violation.ts';
import { SALE } from './scenario.ts';
import type { World } from './world.ts';

export class Merchant {
  /** The newest event that was told of each shard. */
  readonly #heard = new Map<ShardId, Version>();

  /** Throws when the event is not what the shard wrote, or comes before one that was not told yet. */
  hear(world: World, message: OrderCloudEvent): void {
    const event = message.data;
    const shard = world.stores.shards.get(event.shard)?.model;
    // Of a sale that is no more.
    if (event.incarnation !== world.incarnation || shard === undefined) return;
    const heard = this.#heard.get(event.shard) ?? 0;
    const { value: written } = shard.eventsAbove(Math.min(heard, event.version - 1)).next();
    if (event.version > heard && written && written.version < event.version)
      throw new Violation(`R11: ${event.shard} told of version ${event.version} before version ${written.version}`);
    if (written === undefined || !isDeepStrictEqual(orderCloudEvent(written, SALE), message))
      throw new Violation(`R11: ${event.shard} never wrote ${event.kind}`);
    this.#heard.set(event.shard, Math.max(heard, event.version));
  }

  /** Throws when a shard changed an order and Kafka never had the event. */
  heardEverything({ stores }: World): void {
    for (const { id, model } of stores.shards.values())
      for (const { version, kind } of model.eventsAbove(this.#heard.get(id) ?? 0))
        throw new Violation(`R10: ${id} never told that version ${version} is ${kind}`);
  }
}
