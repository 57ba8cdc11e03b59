// flashsale status: how a sale of this machine stands.

import { Command } from 'commander';
import { control } from '../../local/control.ts';
import { chooseFolder } from '../../local/find.ts';
import type { ProcessReport } from '../../local/process.ts';
import type { SaleReport } from '../../local/report.ts';
import { type ChoiceOptions, choiceOf, choosesSale, examples, type Format, outputOption } from '../options.ts';
import { print, printJson, span, table } from '../output.ts';
import { statusText } from '../status-text.ts';

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
      const now = Date.now();
      if (options.output === 'json') printJson(report);
      else print(statusText({ ...report, parts: partsOf(report, now) }, now));
    });

const partsOf = ({ processes, addresses }: SaleReport, now: number): string =>
  [processesTable(processes, now), ...(addresses.console ? [`CONSOLE  ${addresses.console}`] : [])].join('\n\n');

export const processesTable = (processes: ProcessReport[], now: number): string =>
  table(
    [
      ['PROCESS', 'STATE', 'PID', 'UPTIME', 'RESTARTS', 'ADDRESS'],
      ...processes.map(({ name, phase, reason, pid, startedAt, restarts, address }) => [
        name,
        reason === undefined ? phase : `${phase}: ${reason}`,
        pid === undefined ? '–' : String(pid),
        startedAt === undefined ? '–' : span(now - startedAt),
        String(restarts),
        address ?? '',
      ]),
    ],
    [2, 4],
  );
