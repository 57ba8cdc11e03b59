// flashsale audit: where every unit of a sale is. Reads the databases and cache nodes themselves.

import { Command } from 'commander';
import { audit } from '../../audit/audit.ts';
import { auditSummary } from '../../load/show.ts';
import { localSale } from '../../local/find.ts';
import {
  type ChoiceOptions,
  choiceOf,
  choosesSale,
  examples,
  type Format,
  outputOption,
  wholeNumber,
} from '../options.ts';
import { print, printJson } from '../output.ts';

interface Options extends ChoiceOptions {
  patience: number;
  output: Format;
}

export const auditCommand = (): Command =>
  choosesSale(new Command('audit'))
    .description('count every unit of a sale in its databases and cache nodes; exits 1 when one is missing or extra')
    .option(
      '--patience <seconds>',
      'how long a running sale may blur the picture before a finding counts',
      wholeNumber(1, 3600),
      10,
    )
    .addOption(outputOption())
    .addHelpText('after', examples('audit', 'audit phone-launch -o json'))
    .action(async (sale: string | undefined, options: Options) => {
      const { config, secret } = localSale(choiceOf(sale, options));
      const report = await audit(config, secret, { patience: options.patience * 1000 });
      if (options.output === 'json') printJson(report);
      else print(auditSummary(report));
      if (!report.conserved) process.exitCode = 1;
    });
