// The `flashsale` program: sales of this machine. Every command prints its result to standard output.

import { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { auditCommand } from './commands/audit.ts';
import { downCommand } from './commands/down.ts';
import { loadCommand } from './commands/load.ts';
import { ordersCommand } from './commands/orders.ts';
import { planCommand } from './commands/plan.ts';
import { renderCommand } from './commands/render.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { examples } from './options.ts';
import { runProgram } from './run.ts';

const program = new Command('flashsale')
  .description('sell a limited stock to a huge crowd: run a FlashSale on this machine')
  .version(packageJson.version, '--version', 'print the version')
  .helpCommand(false)
  .addHelpText('after', examples('up -f sale.yaml', 'load', 'audit', 'status', 'down'));
for (const command of [
  upCommand(),
  downCommand(),
  loadCommand(),
  auditCommand(),
  ordersCommand(),
  planCommand(),
  renderCommand(),
  statusCommand(),
])
  program.addCommand(command);

export const main = (): Promise<void> => runProgram(program);
