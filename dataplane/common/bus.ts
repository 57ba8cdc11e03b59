// The one way to Kafka. Transport only: publishing may fail and is then forgotten here (senders repeat themselves),
// reading may repeat and reorder. Never throws into its callers because a broker is away: it reconnects for ever.

import type { Command, Delta, Level, OrderEvent, Transfer } from '../protocol/messages.ts';

export interface Messages {
  deltas: Delta;
  levels: Level;
  transfers: Transfer;
  commands: Command;
  orders: OrderEvent;
}

export interface Bus {
  /** Resolves true when the broker has them, false when not (nobody waits longer than the timeout). */
  publish<T extends keyof Messages>(topic: T, messages: { key: string; value: Messages[T] }[]): Promise<boolean>;
  /**
   * Reads topics until closed. `beginning`: compacted state from the start, by a group of its own, no offsets kept.
   * `group`: goes on where the group stopped; offsets are committed after the handler resolved (a handler that
   * rejects gets the message again). Messages that are not valid JSON are counted and skipped.
   */
  subscribe<T extends keyof Messages>(
    topics: T[],
    from: { beginning: true } | { group: string },
    handler: (topic: T, value: Messages[T]) => Promise<void> | void,
  ): Promise<void>;
  close(): Promise<void>;
}
