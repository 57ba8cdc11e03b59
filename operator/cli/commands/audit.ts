// flashsale audit: where every unit of a sale is. Reads the databases and cache nodes themselves.

import { Command } from 'commander';
import { audit } from '../../audit/audit.ts';
import type { AuditReport } from '../../audit/check.ts';
import { auditSummary } from '../../load/show.ts';
import { localSale } from '../../local/find.ts';
import { clusterOption, inCluster } from '../in-cluster.ts';
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
  cluster?: string;
  timeout: number;
  output: Format;
}

export const auditCommand = (): Command =>
  auditOptions(choosesSale(new Command('audit')))
    .addOption(clusterOption())
    .addHelpText('after', examples('audit', 'audit phone-launch -o json', 'audit --cluster shop/phone-launch'))
    .action(async (name: string | undefined, options: Options) => {
      const { cluster, timeout, output } = options;
      const sale = () => (cluster === undefined ? localSale(choiceOf(name, options)) : inCluster(cluster));
      showAudit(await audit(sale, { timeout: timeout * 1000 }), output);
    });

/** Description and options, wherever the sale is. */
export const auditOptions = (command: Command): Command =>
  command
    .description('count every unit of a sale in its databases and cache nodes; exits 1 when one is missing or extra')
    .option(
      '--timeout <seconds>',
      'how long a running sale may blur the picture before a finding counts',
      wholeNumber(1, 3600),
      10,
    )
    .addOption(outputOption());

/** Prints the result and sets the exit code. */
export function showAudit(report: AuditReport, output: Format): void {
  if (output === 'json') printJson(report);
  else print(auditSummary(report));
  if (!report.conserved) process.exitCode = 1;
}
