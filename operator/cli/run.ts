// Runs a program of ours. What is wrong is said in one line on standard error, never as a stack; the exit code is 0 only
// when it did what it was asked to: 2 for a command line it does not understand, 1 for everything else.

import { type Command, CommanderError } from 'commander';
import { messageOf, UserError } from '../../dataplane/runtime/user-error.ts';
import { note, noteStyled } from './output.ts';

export async function runProgram(program: Command): Promise<void> {
  for (const command of [program, ...program.commands])
    command
      .exitOverride()
      .configureOutput({ outputError: () => undefined })
      .configureHelp({ showGlobalOptions: true });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = explain(error, program.name());
  }
}

/** Says what is wrong; answers the exit code. */
function explain(error: unknown, program: string): number {
  const complain = (line: string) => note(`${noteStyled('red', `${program}:`)} ${line}`);
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0;
    // Without a command commander has shown the help, which says it all.
    if (error.code !== 'commander.help')
      complain(`${error.message.replace(/^error: /, '').replaceAll('\n', ' ')}; see --help`);
    return 2;
  }
  if (error instanceof UserError) for (const line of error.message.split('\n')) complain(line);
  else complain(`something went wrong: ${messageOf(error)} (FLASHSALE_DEBUG=1 shows where)`);
  if (process.env.FLASHSALE_DEBUG) note(error instanceof Error ? (error.stack ?? '') : '');
  return 1;
}
