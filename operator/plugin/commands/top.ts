// kubectl flashsale top: how fast sales sell, again and again on a terminal, once elsewhere.

import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { type Cluster, withCluster } from '../../cli/cluster.ts';
import { inWords } from '../../cli/kube-errors.ts';
import { wholeNumber } from '../../cli/options.ts';
import { print, printJson, styled } from '../../cli/output.ts';
import { findSale, listSales } from '../../cli/sales.ts';
import { cachesTable, shardsTable } from '../../cli/status-text.ts';
import { live } from '../live.ts';
import { examples, type ListOptions, takesSales } from '../options.ts';
import { type Reading, type TopRow, topReport, topRows, topTable } from '../top.ts';

interface Options extends ListOptions {
  interval: number;
}

export const topCommand = (): Command =>
  takesSales(new Command('top'))
    .description('show how fast sales sell: on a terminal until Ctrl-C, elsewhere once')
    .option('--interval <seconds>', 'time between two readings', wholeNumber(1, 3600), 2)
    .addHelpText('after', examples('top', 'top -A', 'top phone-launch --interval 1'))
    .action((name: string | undefined, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      return withCluster(options, (cluster) => top(cluster, name, options));
    });

async function top(cluster: Cluster, name: string | undefined, options: Options): Promise<void> {
  const { allNamespaces = false, output, interval } = options;
  let before: Reading | undefined;
  const rows = async (): Promise<TopRow[]> => {
    const now = await read(cluster, name, allNamespaces);
    const result = topRows(before, now);
    before = now;
    return result;
  };
  const text = (all: TopRow[]) =>
    [topTable(all, allNamespaces), ...(name === undefined ? [] : details(all))].join('\n\n');

  if (output === 'text' && process.stdout.isTTY) {
    const title = `${styled('bold', cluster.server)}  ${styled('dim', `every ${interval} s; Ctrl-C ends`)}`;
    const draw = async () => `${title}\n\n${text(await rows())}`;
    const inAWord = (error: unknown) => Promise.reject(inWords(error, cluster.server));
    return live(() => draw().catch(inAWord), interval * 1000, process.stdout);
  }
  await rows();
  await sleep(interval * 1000);
  const all = await rows();
  if (output === 'json') printJson({ sales: topReport(all) });
  else print(text(all));
}

async function read(cluster: Cluster, name: string | undefined, all: boolean): Promise<Reading> {
  const sales =
    name === undefined
      ? await listSales(cluster.client, all ? undefined : cluster.namespace)
      : [await findSale(cluster, name)];
  return { at: performance.now(), sales };
}

const details = (rows: TopRow[]): string[] =>
  rows.flatMap(({ sale: { status = {} } }) => [cachesTable(status), shardsTable(status)]);
