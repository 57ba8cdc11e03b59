// The `kubectl flashsale` program: sales of a cluster, with kubectl's own options for which one. Every command prints
// its result to standard output.

import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { runProgram } from '../cli/run.ts';
import { auditCommand } from './commands/audit.ts';
import { ordersCommand } from './commands/orders.ts';
import { pauseCommand, resumeCommand } from './commands/pause.ts';
import { planCommand } from './commands/plan.ts';
import { statusCommand } from './commands/status.ts';
import { topCommand } from './commands/top.ts';
import { choosesCluster, examples } from './options.ts';

const program = choosesCluster(new Command('kubectl flashsale'))
  .description('look after the flash sales of a Kubernetes cluster')
  .version(packageJson.version, '--version', 'print the version')
  .helpCommand(false)
  .addHelpText(
    'after',
    examples(
      'status',
      'top -A',
      'plan -f sale.yaml',
      'audit phone-launch',
      'orders phone-launch > orders.csv',
      'pause phone-launch',
    ),
  );
for (const command of [
  statusCommand(),
  topCommand(),
  planCommand(),
  auditCommand(),
  ordersCommand(),
  pauseCommand(),
  resumeCommand(),
])
  program.addCommand(command);

export const main = (): Promise<void> => runProgram(program);
