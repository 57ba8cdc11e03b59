// flashsale render: what a FlashSale file means, without starting anything.

import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { stringify } from 'yaml';
import { readConfig } from '../../../dataplane/runtime/config.ts';
import packageJson from '../../../package.json' with { type: 'json' };
import { loadFlashSale } from '../../api/load.ts';
import { dataFolder, defaultFolder } from '../../local/data-folder.ts';
import { Refused } from '../../local/edit.ts';
import { readText } from '../../local/files.ts';
import { sketch } from '../../manifests/sketch.ts';
import { buildTopology } from '../../topology/topology.ts';
import { examples, outputOption } from '../options.ts';
import { print, printJson } from '../output.ts';

interface Options {
  file: string;
  target: 'local' | 'kubernetes';
  data?: string;
  output: 'text' | 'json';
}

export const renderCommand = (): Command =>
  new Command('render')
    .description(
      'print what a FlashSale file means: the sale with its defaults, its topology, and the configuration of a sale that was started; or the objects that the operator makes of it in a cluster',
    )
    .requiredOption('-f, --file <file>', 'FlashSale file; - is standard input')
    .addOption(
      new Option(
        '--target <target>',
        'kubernetes: the objects, with placeholders for secrets and whatever else only an operator knows',
      )
        .choices(['local', 'kubernetes'])
        .default('local'),
    )
    .option('--data <folder>', 'where the sale keeps everything')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples('render -f sale.yaml', 'render -f sale.yaml -o json', 'render -f sale.yaml --target kubernetes'),
    )
    .action(render);

function render({ file, target, data, output }: Options): void {
  const inCluster = target === 'kubernetes';
  // In a cluster, what a sale refers to need not stand beside it.
  const loaded = loadFlashSale(readText(file), { source: file, selfContained: !inCluster });
  if (!loaded.ok) throw new Refused(loaded.errors);
  const { sale } = loaded;
  if (inCluster) {
    const objects = sketch(sale, packageJson.version);
    if (output === 'json') printJson({ apiVersion: 'v1', kind: 'List', items: objects });
    else
      print(
        objects
          .map((object) => stringify(object, { lineWidth: 0 }))
          .join('---\n')
          .trimEnd(),
      );
    return;
  }
  const folder = dataFolder(data ?? defaultFolder(sale.metadata.namespace, sale.metadata.name));
  const rendered = {
    sale,
    topology: buildTopology(sale),
    ...(existsSync(folder.config) ? { config: readConfig(folder.config) } : {}),
  };
  if (output === 'json') printJson(rendered);
  else print(stringify(rendered).trimEnd());
}
