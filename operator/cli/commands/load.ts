// flashsale load: sends a crowd to a sale of this machine and audits what is left.

import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { drive, holds } from '../../load/drive.ts';
import { type CrowdFlags, crowdOf, crowdOptions } from '../../load/options.ts';
import { auditSummary, loadSummary } from '../../load/show.ts';
import { type LocalSale, localSale } from '../../local/find.ts';
import { clusterOption, inCluster } from '../in-cluster.ts';
import { type ChoiceOptions, choiceOf, choosesSale, examples, type Format, outputOption } from '../options.ts';
import { note, print, printJson } from '../output.ts';

interface Options extends ChoiceOptions, CrowdFlags {
  cluster?: string;
  report?: string;
  output: Format;
}

export const loadCommand = (): Command =>
  crowdOptions(choosesSale(new Command('load')))
    .description('send a crowd of buyers to a sale, then count every unit')
    .addOption(clusterOption())
    .option('--report <file>', 'also write the figures as JSON')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'load',
        'load phone-launch --buyers 5000 --abandon 0.3',
        'load -o json --seed 2',
        'load --cluster shop/phone-launch',
      ),
    )
    .action(load);

type Found = Pick<LocalSale, 'config' | 'secret' | 'storefronts'>;

async function saleOf(sale: string | undefined, options: Options): Promise<Found> {
  if (options.cluster === undefined) return localSale(choiceOf(sale, options));
  const found = await inCluster(options.cluster);
  const { namespace, name } = found.config;
  return { ...found, storefronts: [`http://${name}.${namespace}.svc`] };
}

async function load(sale: string | undefined, options: Options): Promise<void> {
  let found = await saleOf(sale, options);
  const { config, storefronts } = found;
  const crowd = crowdOf(options, { stock: config.stock, maxQuantity: config.qualification.maxQuantity });
  const quiet = options.output === 'json';
  if (!quiet) note(`${crowd.buyers.toLocaleString('en')} buyers, ${crowd.rate.toLocaleString('en')} a second`);
  /** What the crowd did is not lost because the API server is away when it is counted. */
  const audited = async () => {
    found = await saleOf(sale, options).catch(() => found);
    return found;
  };
  const { tally, audit, report } = await drive({
    config,
    audited,
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
