// flashsale render: what a FlashSale file means, without starting anything.

import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { readConfig } from '../../../dataplane/common/config.ts';
import { loadFlashSale } from '../../api/load.ts';
import { dataFolder, defaultFolder } from '../../local/data-folder.ts';
import { Refused } from '../../local/edit.ts';
import { readText } from '../../local/files.ts';
import { buildTopology } from '../../topology/topology.ts';
import { examples, outputOption } from '../options.ts';
import { print, printJson } from '../output.ts';

interface Options {
  file: string;
  data?: string;
  output: 'text' | 'json';
}

export const renderCommand = (): Command =>
  new Command('render')
    .description(
      'print what a FlashSale file means: the sale with its defaults, its topology, and the configuration of a sale that was started',
    )
    .requiredOption('-f, --file <file>', 'FlashSale file; - is standard input')
    .option('--data <folder>', 'where the sale keeps everything')
    .addOption(outputOption())
    .addHelpText('after', examples('render -f sale.yaml', 'render -f sale.yaml -o json'))
    .action(render);

function render(options: Options): void {
  const loaded = loadFlashSale(readText(options.file), { source: options.file, selfContained: true });
  if (!loaded.ok) throw new Refused(loaded.errors);
  const { sale } = loaded;
  const folder = dataFolder(options.data ?? defaultFolder(sale.metadata.namespace, sale.metadata.name));
  const rendered = {
    sale,
    topology: buildTopology(sale),
    ...(existsSync(folder.config) ? { config: readConfig(folder.config) } : {}),
  };
  if (options.output === 'json') printJson(rendered);
  else print(stringify(rendered).trimEnd());
}
