// flashsale down: stops every process of a sale in order. What it keeps stays, unless --wipe says otherwise.

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { stopSale } from '../../local/daemon.ts';
import { wipe } from '../../local/data-folder.ts';
import { chooseFolder } from '../../local/find.ts';
import { type ChoiceOptions, choiceOf, choosesSale, examples, type Format, outputOption } from '../options.ts';
import { print, printJson } from '../output.ts';

interface Options extends ChoiceOptions {
  wipe?: boolean;
  output: Format;
}

export const downCommand = (): Command =>
  choosesSale(new Command('down'))
    .description('stop a sale of this machine; its orders and stock are kept for the next up')
    .option('--wipe', 'remove its data folder, too: orders, stock, everything')
    .addOption(outputOption())
    .addHelpText('after', examples('down', 'down phone-launch', 'down -f sale.yaml --wipe'))
    .action(down);

async function down(sale: string | undefined, options: Options): Promise<void> {
  const folder = chooseFolder(choiceOf(sale, options));
  const stopped = await stopSale(folder);
  const wiped = options.wipe === true && existsSync(folder.path);
  if (wiped) wipe(folder);
  if (options.output === 'json') printJson({ folder: folder.path, stopped, wiped });
  else
    print(
      `${stopped ? 'stopped' : 'nothing was running'}; ${wiped ? `removed ${folder.path}` : existsSync(folder.path) ? `kept ${folder.path}` : 'nothing was kept'}`,
    );
}
