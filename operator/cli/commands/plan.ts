// flashsale plan: what `up` with this file would change and move, without doing it.

import { Command } from 'commander';
import { control, NotRunning } from '../../local/control.ts';
import { dataFolder, defaultFolder } from '../../local/data-folder.ts';
import { fullName, readEdit } from '../../local/edit.ts';
import { readText } from '../../local/files.ts';
import { nameIn } from '../../local/find.ts';
import { readState } from '../../local/state.ts';
import { changesBetween } from '../../topology/changes.ts';
import { changeLines, newSale, warningLines, whatIsNew } from '../changes.ts';
import { examples, type Format, outputOption } from '../options.ts';
import { print, printJson } from '../output.ts';

interface Options {
  file: string;
  data?: string;
  output: Format;
}

export const planCommand = (): Command =>
  new Command('plan')
    .description('say what up with this file would change, and what it would move, compared with the sale as it runs')
    .requiredOption('-f, --file <file>', 'the edited FlashSale file; - is standard input')
    .option('--data <folder>', 'where the sale keeps everything')
    .addOption(outputOption())
    .addHelpText('after', examples('plan -f sale.yaml', 'plan -f sale.yaml -o json'))
    .action(plan);

async function plan(options: Options): Promise<void> {
  const text = readText(options.file);
  const folder = dataFolder(options.data ?? defaultFolder(...nameIn(text, options.file)));
  const state = readState(folder);
  const { sale } = readEdit(text, options.file, state);
  if (!state) {
    if (options.output === 'json') printJson({ sale: fullName(sale), new: true, parts: newSale(sale), changes: [] });
    else print(whatIsNew(sale, 'a Kafka of its own'));
    return;
  }
  const status = await control(folder.control)
    .status()
    .catch((error) => {
      if (error instanceof NotRunning) return undefined;
      throw error;
    });
  const changes = changesBetween(state.sale, sale, status?.status);
  if (options.output === 'json')
    printJson({ sale: fullName(sale), new: false, running: status !== undefined, changes });
  else print([...changeLines(changes), ...warningLines(sale)].join('\n'));
}
