// flashsale load: sends a crowd to a sale of this machine and audits what is left.

import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { drive, holds } from '../../load/drive.ts';
import { type CrowdFlags, crowdOf, crowdOptions } from '../../load/options.ts';
import { auditSummary, loadSummary } from '../../load/show.ts';
import { localSale } from '../../local/find.ts';
import { type ChoiceOptions, choiceOf, choosesSale, examples, type Format, outputOption } from '../options.ts';
import { note, print, printJson } from '../output.ts';

interface Options extends ChoiceOptions, CrowdFlags {
  report?: string;
  output: Format;
}

export const loadCommand = (): Command =>
  crowdOptions(choosesSale(new Command('load')))
    .description('send a crowd of buyers to a sale of this machine, then count every unit')
    .option('--report <file>', 'also write the figures as JSON')
    .addOption(outputOption())
    .addHelpText('after', examples('load', 'load phone-launch --buyers 5000 --abandon 0.3', 'load -o json --seed 2'))
    .action(load);

async function load(sale: string | undefined, options: Options): Promise<void> {
  const { config, secret, storefronts } = localSale(choiceOf(sale, options));
  const crowd = crowdOf(options, { stock: config.stock, maxQuantity: config.qualification.maxQuantity });
  const quiet = options.output === 'json';
  if (!quiet) note(`${crowd.buyers.toLocaleString('en')} buyers, ${crowd.rate.toLocaleString('en')} a second`);
  const { tally, audit, report } = await drive({
    config,
    secret,
    urls: storefronts,
    crowd,
    startSeconds: 0,
    ...(quiet ? {} : { progress: process.stderr }),
  });
  if (options.report) writeFileSync(options.report, `${JSON.stringify(report, null, 2)}\n`);
  if (quiet) printJson(report);
  else print(`${auditSummary(audit)}\n\n${loadSummary(report, tally)}`);
  if (!holds(report.audit)) process.exitCode = 1;
}
