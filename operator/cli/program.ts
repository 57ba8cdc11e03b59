// The `flashsale` program. Every command prints its result to standard output, says what is wrong in one line on
// standard error, and exits 0 only when it did what it was asked to: 2 for a command line it does not understand, 1
// for everything else.

import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { messageOf, Trouble } from '../local/errors.ts';
import { auditCommand } from './commands/audit.ts';
import { downCommand } from './commands/down.ts';
import { loadCommand } from './commands/load.ts';
import { planCommand } from './commands/plan.ts';
import { renderCommand } from './commands/render.ts';
import { statusCommand } from './commands/status.ts';
import { upCommand } from './commands/up.ts';
import { examples } from './options.ts';
import { note, noteStyled } from './output.ts';

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
  planCommand(),
  renderCommand(),
  statusCommand(),
])
  program.addCommand(command);

for (const command of [program, ...program.commands])
  command.exitOverride().configureOutput({ outputError: () => undefined });

export async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = explain(error);
  }
}

/** Says what is wrong; answers the exit code. */
function explain(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Without a command commander has shown the help, which says it all.
    if (error.code !== 'commander.help')
      complain(`${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}; see --help`);
    return 2;
  }
  if (error instanceof Trouble) for (const line of error.message.split('\n')) complain(line);
  else complain(`something went wrong: ${messageOf(error)} (FLASHSALE_DEBUG=1 shows where)`);
  if (process.env.FLASHSALE_DEBUG) note(error instanceof Error ? (error.stack ?? '') : '');
  return 1;
}

function complain(line: string): void {
  note(`${noteStyled('red', 'flashsale:')} ${line}`);
}
