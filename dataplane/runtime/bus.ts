// The one way to Kafka. Transport only: publishing may fail and is then forgotten here (senders repeat themselves),
// reading may lose, repeat and reorder. Never throws into its callers because a broker is away: it reconnects for
// ever. Readers keep no offsets and share no group: what was missed is said again (docs/decisions/0008).

import type { Command, Delta, Level, OrderEvent, Transfer } from '../protocol/messages.ts';

export interface Messages {
  deltas: Delta;
  levels: Level;
  transfers: Transfer;
  commands: Command;
  orders: OrderEvent;
}

export interface Bus {
  /** Resolves true when the broker has them, false when not (nobody waits longer than the timeout). Never rejects. */
  publish<T extends keyof Messages>(topic: T, messages: { key: string; value: Messages[T] }[]): Promise<boolean>;
  /**
   * Reads whole topics until closed. Resolves at once: what comes, comes when Kafka is there. `beginning`: from the
   * start of what the topics keep, again after each reconnect; otherwise only what is said from now on.
   * Handlers of one topic run one after another. Messages that are not JSON objects are counted and skipped, and so
   * are those whose handler rejects.
   */
  subscribe<T extends keyof Messages>(
    topics: T[],
    from: { beginning: boolean },
    handler: (topic: T, value: Messages[T]) => Promise<void> | void,
  ): Promise<void>;
  close(): Promise<void>;
}
