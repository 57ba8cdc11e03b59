// flashsale status: how a sale of this machine stands.

import { Command } from 'commander';
import { control } from '../../local/control.ts';
import { chooseFolder } from '../../local/find.ts';
import type { ProcessReport } from '../../local/process.ts';
import type { SaleReport } from '../../local/report.ts';
import { type ChoiceOptions, choiceOf, choosesSale, examples, type Format, outputOption } from '../options.ts';
import { number, print, printJson, span, styled, table } from '../output.ts';

interface Options extends ChoiceOptions {
  output: Format;
}

export const statusCommand = (): Command =>
  choosesSale(new Command('status'))
    .description('show where a sale of this machine stands: phase, stock, every node, shard and process')
    .addOption(outputOption())
    .addHelpText('after', examples('status', 'status phone-launch', 'status -f sale.yaml -o json'))
    .action(async (sale: string | undefined, options: Options) => {
      const report = await control(chooseFolder(choiceOf(sale, options)).control).status();
      if (options.output === 'json') printJson(report);
      else print(statusText(report, Date.now()));
    });

export function statusText(report: SaleReport, now: number): string {
  const { status, processes } = report;
  const title = (text: string) => styled('bold', text);
  const head = [
    `${title(`${report.namespace}/${report.name}`)}  ${status.phase ?? 'Pending'}`,
    ...(report.waitingFor === undefined ? [] : [styled('yellow', `waiting for ${report.waitingFor}`)]),
  ];
  const { dispersion } = status;
  const stock = table(
    [
      ['SUPPLIED', 'SOLD', 'AVAILABLE', 'VIRTUAL', 'LIVE TOKENS', 'IN TRANSFER', 'DISPERSION'],
      [
        ...[status.supplied, status.sold, status.available, status.virtualAvailable, status.tokensLive].map(number),
        number(status.inTransfer),
        dispersion?.coefficientOfVariation === undefined ? '–' : dispersion.coefficientOfVariation.toFixed(2),
      ],
    ],
    [0, 1, 2, 3, 4, 5, 6],
  );
  const caches = table(
    [
      ['CACHE', 'READY', 'EPOCH', 'VIRTUAL', 'LIVE TOKENS'],
      ...(status.caches ?? []).map((c) => [
        c.id,
        yes(c.ready),
        ...[c.epoch, c.virtualAvailable, c.tokensLive].map(number),
      ]),
    ],
    [2, 3, 4],
  );
  const shards = table(
    [
      ['SHARD', 'READY', 'AVAILABLE', 'PINNED', 'SOLD'],
      ...(status.shards ?? []).map((s) => [s.id, yes(s.ready), ...[s.available, s.pinned, s.sold].map(number)]),
    ],
    [2, 3, 4],
  );
  const list = table(
    [['PROCESS', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'ADDRESS'], ...processes.map((p) => processRow(p, now))],
    [2, 4],
  );
  return [head.join('\n'), stock, caches, shards, list].join('\n\n');
}

const yes = (ready: boolean | undefined): string => (ready ? 'yes' : 'no');

const processRow = (process: ProcessReport, now: number): string[] => [
  process.name,
  process.reason === undefined ? process.phase : `${process.phase}: ${process.reason}`,
  process.pid === undefined ? '–' : String(process.pid),
  process.startedAt === undefined ? '–' : span(now - process.startedAt),
  String(process.restarts),
  process.address ?? '',
];
