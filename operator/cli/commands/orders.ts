// flashsale orders: the orders of a sale, for whatever system comes after it. Reads the databases themselves.

import { once } from 'node:events';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Millis } from '../../../dataplane/protocol/units.ts';
import { parseDuration, parseTimestamp } from '../../api/scalars.ts';
import { localSale } from '../../local/find.ts';
import { type Cursor, cursorText, parseCursor } from '../../orders/cursor.ts';
import { exportOrders, readersOf } from '../../orders/export.ts';
import { ORDER_FORMATS, type OrderFormat } from '../../orders/record.ts';
import { clusterOption, inCluster } from '../in-cluster.ts';
import { type ChoiceOptions, choiceOf, choosesSale, examples } from '../options.ts';
import { note } from '../output.ts';

export interface OrdersOptions {
  output: OrderFormat;
  since?: string;
  after?: string;
}

interface Options extends ChoiceOptions, OrdersOptions {
  cluster?: string;
}

export const ordersCommand = (): Command =>
  ordersOptions(choosesSale(new Command('orders')))
    .addOption(clusterOption())
    .addHelpText(
      'after',
      examples(
        'orders > orders.csv',
        'orders phone-launch -o ndjson --since 1h',
        'orders -o ndjson --after s0:120,s1:88',
      ),
    )
    .action(async (name: string | undefined, options: Options) => {
      const { cluster, output, since, after } = options;
      const { config, secret } = cluster === undefined ? localSale(choiceOf(name, options)) : await inCluster(cluster);
      const placed = since === undefined ? undefined : momentOf(since, Date.now());
      const text = exportOrders(config, readersOf(secret), {
        format: output,
        after: after === undefined ? new Map() : parseCursor(after),
        ...(placed === undefined ? {} : { since: placed }),
      });
      sayWhereItEnded(await write(text));
    });

/** Description and options, wherever the sale is. */
export const ordersOptions = (command: Command): Command =>
  command
    .description('export the orders of a sale from its databases, in the order of placing within each shard')
    .addOption(new Option('-o, --output <format>', 'how to write them').choices(ORDER_FORMATS).default('csv'))
    .option('--since <moment>', 'only orders placed since then: 2026-12-01T12:00:00Z, or 1h for the last hour', checked)
    .option('--after <cursor>', 'go on where an earlier export ended, by the cursor that it printed');

/** Prints to standard error the cursor with which the next export goes on. */
function sayWhereItEnded(cursor: Cursor): void {
  if (cursor.size > 0) note(`the next export goes on with --after ${cursorText(cursor)}`);
}

/** Writes each piece when the one before was taken, so that a slow reader holds up the export and not the memory. */
async function write(text: AsyncGenerator<string, Cursor>): Promise<Cursor> {
  for (;;) {
    const { value, done } = await text.next();
    if (done) return value;
    if (!process.stdout.write(value)) await once(process.stdout, 'drain');
  }
}

/** Keeps the text, for it is passed on to the cluster as it is. */
function checked(text: string): string {
  if (momentOf(text, 0) === undefined)
    throw new InvalidArgumentError(
      'write a moment with its time zone, such as 2026-12-01T12:00:00Z, or an age, such as 1h30m',
    );
  return text;
}

/** Returns the time since 1970 of a moment, or of an age before `now`; undefined for a text that is neither. */
export function momentOf(text: string, now: Millis): Millis | undefined {
  try {
    if (/^\d{4}-\d{2}-\d{2}T[0-9:.]+(Z|[+-]\d{2}:\d{2})$/.test(text)) return parseTimestamp(text);
    return now - parseDuration(text);
  } catch {
    return undefined;
  }
}
