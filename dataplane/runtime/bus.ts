// The one way to Kafka. It is transport only: publishing may fail and is then forgotten here (senders repeat
// themselves), and reading may lose, repeat and reorder. It never throws into its callers because a broker is away: it
// reconnects for ever. Readers keep no offsets and share no group, because what was missed is sent again
// (docs/decisions/0008).

import type { Command, Delta, Level, Transfer } from '../protocol/messages.ts';
import type { OrderCloudEvent } from '../protocol/order-event.ts';

export interface Messages {
  deltas: Delta;
  levels: Level;
  transfers: Transfer;
  commands: Command;
  orders: OrderCloudEvent;
}

export interface Bus {
  /**
   * Resolves to true when the broker has the messages, and to false when it has not, or not in time. It never rejects.
   */
  publish<T extends keyof Messages>(topic: T, messages: { key: string; value: Messages[T] }[]): Promise<boolean>;
  /**
   * Reads whole topics until closed. It resolves at once; messages come when Kafka is there. With `beginning`, reading
   * starts at what the topics keep, again after each reconnect; otherwise only new messages are read. Handlers of one
   * topic run one after another. What this sale did not sign, or is no message of
   * the topic, is counted and dropped, and so is a message
   * whose handler rejects.
   */
  subscribe<T extends keyof Messages>(
    topics: T[],
    from: { beginning: boolean },
    handler: (topic: T, value: Messages[T]) => Promise<void> | void,
  ): Promise<void>;
  close(): Promise<void>;
}
