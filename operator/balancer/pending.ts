// Commands on their way. A source has at most one at a time, and it is published again, with the same number, until
// the source says that it carried out that number or a later one: an executor refuses a number it has had, so however
// often and in whatever order it arrives, it is carried out once (R21). One that stays unanswered stops counting as
// stock on its way; if the next plan wants something else of that source, it says so under the same number, and again
// only one of the two can be carried out.

import { type Command, newer } from '../../dataplane/protocol/messages.ts';
import type { ResourceTable } from '../../dataplane/protocol/table.ts';
import type { Millis, StockHolderId } from '../../dataplane/protocol/units.ts';
import { backoff } from '../../dataplane/runtime/backoff.ts';

/** A command that its source has not answered. */
export interface Pending {
  command: Command;
  /** When it was first published. */
  issuedAt: Millis;
  /** When it was last published. */
  sentAt: Millis;
  /** How often it was published. */
  times: number;
}

/** The unanswered commands, by their source. */
export type Pendings = ReadonlyMap<StockHolderId, Pending>;

/** An unanswered command is published again after the first wait, then after twice as long, up to the longest. */
const REPEAT = { first: 300, longest: 5000 };
/** A command that stays unanswered for so long no longer counts as stock on its way. */
const GIVE_UP_AFTER: Millis = 2000;

/** Whether the source has carried out this command, or a later one. */
export const answered = (pending: Pending, table: ResourceTable): boolean =>
  !newer(pending.command, table.executed(pending.command.source));

/** Whether the command no longer counts as stock on its way. */
export const overdue = (pending: Pending, now: Millis): boolean => now - pending.issuedAt >= GIVE_UP_AFTER;

/** Whether it is time to publish the command again. */
export const due = (pending: Pending, now: Millis): boolean => now - pending.sentAt >= backoff(pending.times, REPEAT);

/** The entry of a command that is being published for the first time. */
export const issue = (command: Command, now: Millis): Pending => ({ command, issuedAt: now, sentAt: now, times: 1 });

/** The entry of a command that is being published again. */
export const repeat = (pending: Pending, now: Millis): Pending => ({
  ...pending,
  sentAt: now,
  times: pending.times + 1,
});
