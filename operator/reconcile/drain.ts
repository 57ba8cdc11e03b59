// Drains the outbox of a sale that is being deleted: what the merchant was not told yet must reach Kafka before the
// agents that tell it, the databases and the topics go. A sale that cannot drain says so in its conditions, and is kept
// for a bounded time only. The decision is pure.

import { databaseSecret, type SaleConfig } from '../../dataplane/protocol/config.ts';
import type { Millis, ShardId } from '../../dataplane/protocol/units.ts';
import type { Secret } from '../../dataplane/runtime/config.ts';
import type { FlashSaleStatus } from '../api/flashsale.gen.ts';
import type { ReconcileContext, SaleState } from './context.ts';

/** With this value of this annotation a sale is deleted without draining. */
export const DRAIN_ANNOTATION = 'flashsale.dev/drain';
export const SKIP_DRAIN = 'skip';

/** For so long after its deletion a sale is kept for the sake of events that cannot be relayed. */
export const DRAIN_WITHIN: Millis = 600_000;
/** Draining takes a second or two. One that takes longer has something in its way. */
const DRAINS_IN: Millis = 15_000;

/** What is known of one shard's outbox: how many events are left in it, or why that cannot be read. */
export type Outbox = { shard: ShardId; left: number } | { shard: ShardId; error: string };

export interface Draining {
  outboxes: readonly Outbox[];
  /** The time since the deletion. */
  waited: Millis;
  /** The sale's annotation says that nobody wants the events. */
  skip: boolean;
}

export type DrainDecision =
  /** Everything is relayed. */
  | { kind: 'drained' }
  /** `blocked`: something is in the way that does not go by itself. */
  | { kind: 'waiting'; blocked: boolean; message: string }
  /** The sale goes, and what is named in the message was not relayed. */
  | { kind: 'given-up'; message: string };

export function decideDrain({ outboxes, waited, skip }: Draining): DrainDecision {
  const open = outboxes.filter((outbox) => 'error' in outbox || outbox.left > 0);
  if (open.length === 0) return { kind: 'drained' };
  const message = open.map(sentenceOf).join('; ');
  if (skip || waited >= DRAIN_WITHIN) return { kind: 'given-up', message };
  const blocked = waited >= DRAINS_IN;
  const wayOut = `; with the annotation ${DRAIN_ANNOTATION}=${SKIP_DRAIN} the sale goes without it`;
  return { kind: 'waiting', blocked, message: blocked ? message + wayOut : message };
}

const sentenceOf = (outbox: Outbox): string =>
  'error' in outbox
    ? `the database of ${outbox.shard} cannot be asked for its order events: ${outbox.error}`
    : `${outbox.left} order event${outbox.left === 1 ? '' : 's'} of ${outbox.shard} did not reach Kafka yet`;

/**
 * Reads how many events each shard has left. A shard that never reported had no stock, so it has no orders. An answer
 * that comes late is kept for the next reconcile: once nothing sells, what is left only shrinks.
 */
export async function readOutboxes(
  shards: SaleConfig['shards'],
  status: FlashSaleStatus | undefined,
  secret: Secret,
  { attempts, outboxes }: Pick<SaleState, 'attempts' | 'outboxes'>,
  { connectShard }: Pick<ReconcileContext, 'connectShard'>,
): Promise<Outbox[]> {
  const found = await Promise.all(
    shards.map(async (shard): Promise<Outbox[]> => {
      const attempt = await attempts.try(`outbox of ${shard.id}`, async () => {
        const client = connectShard(shard, secret(databaseSecret('operator')));
        try {
          outboxes.set(shard.id, await client.outboxBacklog());
        } finally {
          await client.close();
        }
      });
      const left = outboxes.get(shard.id);
      if (attempt.done && left !== undefined) return [{ shard: shard.id, left }];
      const hasReported = status?.shards?.some(({ id }) => id === shard.id) ?? false;
      const error = (!attempt.done && attempt.error?.message) || 'it has not answered yet';
      return hasReported ? [{ shard: shard.id, error }] : [];
    }),
  );
  return found.flat();
}
